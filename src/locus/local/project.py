"""What a repository says of itself in .locus/config.toml: checks, worktree, protected files, instructions."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from locus.local import files, toml
from locus.local.errors import LocalError
from locus.local.known_files import PROTECTED, TEST_FILES
from locus.local.settings import PROJECT_FILE, PROJECT_KEYS

CHECK_TIMEOUT = 600.0  # seconds
LONGEST_TIMEOUT = 86_400.0  # seconds
CHECK_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,49}")
REVIEW = "review"  # the name under which a required review is evidence
REVIEW_TOKENS = 60_000
MOST_CHECKS = 50  # as many as one report to the server may carry
INSTRUCTIONS = Path(".locus", "LOCUS.md")
LEARNINGS = Path(".locus", "LEARNINGS.md")


class Check(Struct, frozen=True):
    """A command that must succeed before a task may be reviewed.

    `timeout` is in seconds. `tests` is a regular expression whose first group counts the executed tests, where 0 is
    red; without it the known test runners are recognised by their output, and else the exit code decides alone.
    `junit` is a report that the command writes anew, which then counts instead; `min_tests` is the least that is green.
    A check that is not `always` run is for the tasks whose checklist names it. One with `paths` runs only when the
    change touches them, one with `needs` after those, and not at all when one of them is red.
    """

    name: str
    run: str
    timeout: float = CHECK_TIMEOUT
    tests: str | None = None
    always: bool = True
    needs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    junit: str | None = None
    min_tests: int | None = None
    test_files: tuple[str, ...] = TEST_FILES  # what counts as a test, when one must be red first


class Project(Struct, frozen=True):
    """A repository as its own configuration describes it; without one, a project without checks."""

    root: Path
    checks: tuple[Check, ...] = ()
    copy: tuple[str, ...] = ()  # files of the user's checkout that the agent's tree needs, such as ".env"
    setup: tuple[str, ...] = ()  # commands that prepare a new tree, such as "npm ci"
    protected: tuple[str, ...] = PROTECTED
    protected_tests: bool = True  # whether a change that weakens tests, or how they are run, waits for a person
    review_required: bool = False  # whether an independent review must be green for every task
    review_tokens: int = REVIEW_TOKENS  # of a change that the reviewer is shown, about; a longer one cannot be green
    instructions: Path | None = None  # .locus/LOCUS.md, when it exists
    learnings: Path | None = None  # .locus/LEARNINGS.md, when it exists
    configured: bool = False  # whether .locus/config.toml exists
    source: str = ""  # what it says, word for word


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks, each after those that it needs and else as they came. Raises ValueError with a check in a circle."""
    by_name = {check.name: check for check in checks}
    ordered: dict[str, Check] = {}

    def place(check: Check, on_the_way: tuple[str, ...]) -> None:
        if check.name in on_the_way:
            raise ValueError(check.name)
        if check.name not in ordered:
            for need in check.needs:
                if need in by_name:
                    place(by_name[need], (*on_the_way, check.name))
            ordered[check.name] = check

    for check in by_name.values():
        place(check, ())
    return tuple(ordered.values())


def find(cwd: Path) -> Path:
    """The root of the repository around `cwd`. Raises LocalError when there is none."""
    root = find_or_none(cwd)
    if root is None and (cwd / "HEAD").is_file() and (cwd / "objects").is_dir():
        raise LocalError(
            f"{cwd} is a repository without files of its own (bare).",
            remedy="Clone it, and start Locus in the clone.",
        )
    if root is None:
        raise LocalError(
            f"{cwd} is not inside a git repository.",
            remedy="Change to your repository, or name it with `-C DIR`. A new one begins with `git init`.",
        )
    return root


def find_or_none(cwd: Path) -> Path | None:
    """The root of the repository around `cwd`, or None."""
    start = cwd.resolve()
    return next((place for place in (start, *start.parents) if _is_repository(place / ".git")), None)


def _is_repository(git: Path) -> bool:
    # In a linked worktree or a submodule .git is a file. A folder of that name without a HEAD is nothing to git.
    try:
        return git.is_file() or (git / "HEAD").exists()
    except PermissionError as e:
        raise LocalError(f"{git} cannot be read: {e.strerror}.", remedy="Check its owner and its rights.") from e


def load(root: Path) -> Project:
    """Read a repository's configuration. Raises LocalError that names file, line and the key probably meant."""
    path = root / PROJECT_FILE
    text = files.read(path)
    return _read(_File(path, text or "", toml.parse(text or "", path)), root, configured=text is not None)


def _read(file: "_File", root: Path, *, configured: bool) -> Project:
    file.refuse_unknown()
    return Project(
        root=root,
        checks=file.checks(),
        copy=file.texts("worktree.copy", _inside),
        setup=file.texts("worktree.setup", _command),
        protected=file.texts("protected.paths", _inside, default=PROTECTED),
        protected_tests=file.flag("protected.tests", default=True),
        review_required=file.flag("review.required", default=False),
        review_tokens=file.tokens("review.tokens", default=REVIEW_TOKENS),
        instructions=_existing(root / INSTRUCTIONS),
        learnings=_existing(root / LEARNINGS),
        configured=configured,
        source=file.text,
    )


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _command(text: str) -> None:
    if not text.strip() or "\0" in text:
        raise ValueError("must be a command")


def _inside(text: str) -> None:
    if not text or text.startswith(("/", "~")) or ".." in text.split("/") or "\0" in text or "\\" in text:
        raise ValueError("must be a path inside the repository, with / between its parts")


OWN_KEYS = (
    *("worktree.copy", "worktree.setup", "protected.paths", "protected.tests"),
    *("review.required", "review.tokens"),
)
CHECK_KEYS = ("run", "timeout", "tests", "always", "needs", "paths", "junit", "min_tests", "test_files")


class _File(Struct, frozen=True):
    """The parsed file, and how to complain about it."""

    path: Path
    text: str
    content: dict[str, Any]

    def wrong(self, key: str, message: str, *, remedy: str = "Mend that line.") -> LocalError:
        return LocalError(f"{toml.where(self.text, self.path, key)}: `{key}` {message}.", remedy=remedy)

    def refuse_unknown(self) -> None:
        known = [*PROJECT_KEYS, *OWN_KEYS]
        sections = {key.split(".")[0] for key in known if "." in key} | {"checks"}
        for section in sections:
            if section in self.content and not isinstance(self.content[section], dict):
                raise self.wrong(section, "is a section", remedy=f"Write it as `[{section}]`.")
        for key, _ in toml.flatten({k: v for k, v in self.content.items() if k != "checks"}):
            if key not in known and key not in sections:
                raise toml.unknown(key, [*known, "checks"], text=self.text, path=self.path)

    def texts(self, key: str, judge: Callable[[str], None], *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        section, name = key.split(".")
        value = self.content.get(section, {}).get(name)
        return default if value is None else self.listed(key, value, judge)

    def listed(self, key: str, value: object, judge: Callable[[str], None]) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.wrong(key, 'must be a list of texts, as in ["one", "two"]')
        for item in value:
            self.judge(key, item, judge)
        return tuple(value)

    def judge(self, key: str, value: object, judge: Callable[[str], None]) -> None:
        if not isinstance(value, str):
            raise self.wrong(key, 'must be a list of texts, as in ["one", "two"]')
        try:
            judge(value)
        except ValueError as e:
            raise self.wrong(key, f"holds {value!r}, which {e}") from e

    def flag(self, key: str, *, default: bool) -> bool:
        section, name = key.split(".")
        value = self.content.get(section, {}).get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def tokens(self, key: str, *, default: int) -> int:
        section, name = key.split(".")
        value = self.content.get(section, {}).get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1000 <= value <= 2_000_000:
            raise self.wrong(key, "must be a number of tokens, 1,000 to 2,000,000")
        return value

    def checks(self) -> tuple[Check, ...]:
        found = self.content.get("checks", {})
        if REVIEW in found and self.flag("review.required", default=False):
            raise self.wrong(
                f"checks.{REVIEW}", "has the name of the review that is required", remedy="Give it another name."
            )
        if len(found) > MOST_CHECKS:
            raise self.wrong("checks", f"may hold at most {MOST_CHECKS} checks")
        checks = {name: self.check(name, body) for name, body in found.items()}
        for check in checks.values():
            for need in check.needs:
                if need not in checks:
                    raise self.wrong(f"checks.{check.name}.needs", f"names {need!r}, and there is no such check")
        try:
            return in_order(checks.values())
        except ValueError as e:
            raise self.wrong(f"checks.{e}.needs", "leads back to the check itself") from e

    def check(self, name: str, body: object) -> Check:
        key = f"checks.{name}"
        if not CHECK_NAME.fullmatch(name):
            raise self.wrong(key, "is no name for a check: use up to 50 of a-z, 0-9, '.', '_' and '-'")
        if not isinstance(body, dict):
            raise self.wrong(key, "must be a section", remedy=f'Write `[{key}]` and below it `run = "…"`.')
        for part in body:
            if part not in CHECK_KEYS:
                known = [f"{key}.{known}" for known in CHECK_KEYS]
                raise toml.unknown(f"{key}.{part}", known, text=self.text, path=self.path)
        run, timeout, tests = body.get("run"), body.get("timeout", CHECK_TIMEOUT), body.get("tests")
        if not isinstance(run, str) or not run.strip() or "\0" in run:
            raise self.wrong(key, 'needs a command, `run = "…"`')
        if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 < timeout <= LONGEST_TIMEOUT:
            raise self.wrong(f"{key}.timeout", f"must be a number of seconds, up to {LONGEST_TIMEOUT:.0f}")
        if tests is not None:
            self.judge_pattern(f"{key}.tests", tests)
        always = body.get("always", True)
        if not isinstance(always, bool):
            raise self.wrong(f"{key}.always", "must be true or false")
        least = body.get("min_tests")
        if least is not None and (not isinstance(least, int) or isinstance(least, bool) or least < 1):
            raise self.wrong(f"{key}.min_tests", "must be a number of tests, 1 or more")
        junit = body.get("junit")
        if junit is not None:
            if not isinstance(junit, str):
                raise self.wrong(f"{key}.junit", 'must be a path, as in "report.xml"')
            self.judge(f"{key}.junit", junit, _inside)
        return Check(
            name=name,
            run=run,
            timeout=float(timeout),
            tests=tests,
            always=always,
            needs=self.listed(f"{key}.needs", body.get("needs", []), lambda _: None),
            paths=self.listed(f"{key}.paths", body.get("paths", []), _inside),
            junit=junit,
            min_tests=least,
            test_files=self.listed(f"{key}.test_files", body.get("test_files", list(TEST_FILES)), _inside),
        )

    def judge_pattern(self, key: str, pattern: object) -> None:
        try:
            groups = re.compile(pattern).groups if isinstance(pattern, str) else 0
        except re.error as e:
            raise self.wrong(key, f"is not a regular expression: {e}") from e
        if groups < 1:
            raise self.wrong(key, "must be a regular expression with a group that counts tests, as in '(\\d+) passed'")
