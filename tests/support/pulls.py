"""A person whose repository is on the GitHub of the tests, with a pull request that Locus has made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.beside import standing
from tests.support.github import TOKEN, GitHubServer
from tests.support.person import Person

BRANCH = "locus/sprint-1"
BEFORE = "def total(prices):\n    return sum(prices)\n"
AFTER = "def total(prices):\n    result = 0\n    for price in prices[1:]:\n        result += price\n    return result\n"


@dataclass(frozen=True)
class Shop:
    """`person` has cloned acme/shop; pull request 1 takes BRANCH into main."""

    person: Person
    github: GitHubServer

    @property
    def root(self) -> Path:
        return self.person.home / "shop"

    @property
    def bare(self) -> Path:
        return self.github.repositories / "acme" / "shop.git"

    def head(self, branch: str = BRANCH) -> str:
        return self.person.git(f"--git-dir={self.bare}", "rev-parse", branch, cwd=self.person.home)

    def push(self, message: str, **files: str) -> str:
        """Put one more commit on the branch, as a worker does, without a trace in the checkout."""
        work = self.person.place / "elsewhere"
        if not work.exists():
            self.person.git("clone", "-q", str(self.bare), str(work), cwd=self.person.place)
        self.person.git("fetch", "-q", "origin", cwd=work)
        start = f"origin/{BRANCH}" if BRANCH in self.github.branches("acme", "shop") else "origin/main"
        self.person.git("checkout", "-q", "-B", "work", start, cwd=work)
        for name, text in files.items():
            path = work / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.person.git("add", ".", cwd=work)
        self.person.git("commit", "-q", "-m", message, cwd=work)
        self.person.git("push", "-q", "origin", f"work:{BRANCH}", cwd=work)
        return self.head()

    def open(self, *, by: str | None = None, title: str = "Sprint 1: Sums") -> None:
        """Open the pull request; `by` somebody else than the account of the token."""
        asked: dict[str, Any] = {"title": title, "body": "Sums are loops.", "head": BRANCH, "base": "main"}
        if by is not None:
            asked["opened_by"] = by
        status, _ = self.github.create("acme", "shop", asked)
        assert status == 201

    def posted(self) -> list[tuple[str, str]]:
        """The state and the text of each review of pull request 1."""
        return [(one["state"], one["body"]) for one in self.github.reviewing.reviews.get(1, [])]


def shop(place: Path, agent: str, github: GitHubServer, *, config: str = "") -> Shop:
    """The person and their repository with BEFORE in sums.py on main, and AFTER on the branch."""
    person = standing(place, agent)
    person.variables.update(
        LOCUS_FORGE="github", LOCUS_FORGE_API=github.api(), GITHUB_TOKEN=TOKEN, GIT_CONFIG_NOSYSTEM="1"
    )
    root = person.home / "shop"
    made = Shop(person, github)
    (root / "sums.py").write_text(BEFORE)
    if config:
        (root / ".locus").mkdir()
        (root / ".locus" / "config.toml").write_text(config)
    person.git("add", ".", cwd=root)
    person.git("commit", "-q", "-m", "Sums", cwd=root)
    made.bare.parent.mkdir(parents=True, exist_ok=True)
    person.git("clone", "-q", "--bare", str(root), str(made.bare), cwd=person.home)
    person.git(f"--git-dir={made.bare}", "config", "http.receivepack", "true", cwd=person.home)
    person.git("remote", "set-url", "origin", f"{github.url}/acme/shop.git", cwd=root)
    person.git("fetch", "-q", "origin", cwd=root)
    made.push("SHOP-1: Sums are loops\n\nTask: SHOP-1\nAttempt: 1\nAgent: claude-0001", sums__py=AFTER)
    return made
