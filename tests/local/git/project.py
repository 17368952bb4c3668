"""A user's repository with a bare remote, a home of its own, and ways to look at both from outside."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from locus.local.git import checkout as checkouts
from locus.local.git.checkout import Checkout
from locus.local.git.clone import Fetched, PrivateClone
from locus.local.git.commit import Message, Trailers, commit
from locus.local.git.worktree import Worktree

BRANCH = "locus/sprint-1"


def git(cwd: Path, *arguments: str | Path, env: Mapping[str, str], check: bool = True, stdin: str | None = None) -> str:
    """Call git as a person or an agent would: plainly, with every setting and hook in force."""
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=cwd,
        env=dict(env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"git {arguments} failed: {done.stderr}")
    return done.stdout.strip("\n")


@dataclass
class Project:
    place: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.place / "user" / "shop"

    @property
    def remote(self) -> Path:
        return self.place / "remote.git"

    @property
    def state(self) -> Path:
        return self.place / "state"

    @property
    def home(self) -> Path:
        return self.place / "home"

    def git(self, *arguments: str | Path, check: bool = True) -> str:
        return git(self.root, *arguments, env=self.env, check=check)

    def at_remote(self, *arguments: str | Path) -> str:
        return git(self.remote, *arguments, env=self.env)

    def remote_head(self, branch: str = BRANCH) -> str:
        return self.at_remote("rev-parse", f"refs/heads/{branch}")

    def teammate(self) -> Path:
        """Another clone of the remote, of somebody who works on the same branch."""
        place = self.place / "teammate"
        if not place.exists():
            git(self.place, "clone", "-q", self.remote, place, env=self.env)
        git(place, "fetch", "-q", "origin", env=self.env)
        return place

    def push_as_teammate(self, branch: str, path: str, text: str) -> str:
        """Add a commit to a branch of the remote that the worker does not know of."""
        place = self.teammate()
        start = f"origin/{branch}" if git(place, "branch", "-r", "--list", f"origin/{branch}", env=self.env) else "HEAD"
        git(place, "checkout", "-q", "-B", "theirs", start, env=self.env)
        (place / path).write_text(text)
        git(place, "add", "-A", env=self.env)
        git(place, "commit", "-qm", "by a teammate", env=self.env)
        git(place, "push", "-q", "origin", f"HEAD:refs/heads/{branch}", env=self.env)
        return git(place, "rev-parse", "HEAD", env=self.env)

    async def checkout(self) -> Checkout:
        return await checkouts.find(self.root, self.env)

    async def clone(self, *, slot: str | None = None, copies: tuple[str, ...] = ()) -> PrivateClone:
        return await PrivateClone.open(await self.checkout(), self.state, slot=slot, copies=copies)


def make_project(place: Path) -> Project:
    """A repository with three files and one commit, pushed to a bare remote."""
    project = Project(place)
    project.home.mkdir(parents=True)
    project.env = {"HOME": str(project.home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    (project.home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    project.root.mkdir(parents=True)
    git(place, "init", "-q", "--bare", "-b", "main", project.remote, env=project.env)
    project.git("init", "-q")
    (project.root / "src").mkdir()
    (project.root / "src" / "shop.py").write_text("def total(prices):\n    return 0\n")
    (project.root / "README.md").write_text("A shop.\n")
    (project.root / ".gitignore").write_text("node_modules/\n*.log\n.env\n")
    project.git("add", ".")
    project.git("commit", "-qm", "A shop")
    project.git("remote", "add", "origin", project.remote)
    project.git("push", "-q", "origin", "main")
    return project


@dataclass
class Bench:
    """A clone that was fetched and prepared, as an agent finds it."""

    project: Project
    clone: PrivateClone
    fetched: Fetched

    @property
    def tree(self) -> Path:
        return self.clone.worktree.root

    @property
    def worktree(self) -> Worktree:
        return self.clone.worktree

    @property
    def base(self) -> str:
        return self.fetched.start

    def agent(self, *arguments: str | Path, check: bool = True) -> str:
        """Run git as the agent does: plainly, in the tree."""
        return git(self.tree, *arguments, env=self.project.env, check=check)

    async def commit(self, title: str = "Count prices", *, base: str | None = None) -> str:
        base = base or self.base
        changes = await self.worktree.changes(base)
        return await commit(
            self.clone.git,
            tree=changes.tree,
            parent=base,
            message=Message(title, Trailers(task="SHOP-1", attempt=1, agent="claude")),
            identity=self.clone.checkout.identity,
        )


async def make_bench(project: Project, *, copies: tuple[str, ...] = ()) -> Bench:
    clone = await project.clone(copies=copies)
    fetched = await clone.fetch("main", BRANCH)
    await clone.prepare(fetched)
    return Bench(project, clone, fetched)


def fingerprint(root: Path) -> dict[str, str]:
    """Hash, mode and time of everything below a directory, including its `.git` and its index.

    Times of objects are left out: git touches an object that somebody writes once more, also a borrowed one.
    """
    prints = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = ""
        name = str(path.relative_to(root))
        time = 0 if path.is_dir() or name.startswith(".git/objects/") else status.st_mtime_ns
        prints[name] = f"{status.st_mode:o} {time} {content}"
    return prints


async def until(fact: object, limit: float = 10.0) -> None:
    """Wait until a callable is true."""
    assert callable(fact)
    async with asyncio.timeout(limit):
        while not fact():
            await asyncio.sleep(0.01)


def edit(bench: Bench) -> None:
    """Change a tracked file, as an agent does."""
    (bench.tree / "src" / "shop.py").write_text("def total(prices):\n    return sum(prices)\n")


def new_file(bench: Bench) -> None:
    """Add a file."""
    (bench.tree / "new.txt").write_text("new\n")
