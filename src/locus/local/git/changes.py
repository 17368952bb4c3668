"""What an agent changed: counted and named, and refused when a commit could not carry it whole.

Counts may leave the machine; paths are for local use only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.git.runner import Git

GITLINK = "160000"
ABSENT = "000000"
SHOWN = 5  # paths in a message
GREPPED_AT_ONCE = 500  # paths on one command line


class Fault(StrEnum):
    NESTED_REPOSITORY = "nested_repository"
    SPECIAL_FILE = "special_file"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    CONFLICT_MARKERS = "conflict_markers"


_SENTENCES = {
    Fault.NESTED_REPOSITORY: (
        "a repository inside of the repository would lose its files in a commit",
        "Remove its .git directory, or the directory.",
    ),
    Fault.SPECIAL_FILE: ("pipes and devices cannot be committed", "Remove them, or let .gitignore name them."),
    Fault.UNREADABLE: ("git could not read these files", "Make them readable, or remove them."),
    Fault.TOO_LARGE: ("these files are too large for a commit", "Remove them, or let .gitignore name them."),
    Fault.CONFLICT_MARKERS: ("there are conflict markers left", "Resolve the conflict, and remove the markers."),
}


class Unfit(LocalError):
    """The tree cannot be committed as it is. Nothing was lost, and nothing was committed."""

    def __init__(self, fault: Fault, paths: Iterable[str]) -> None:
        self.fault = fault
        self.paths = tuple(sorted(set(paths)))
        what, remedy = _SENTENCES[fault]
        super().__init__(f"The changes cannot be committed: {what}: {shown(self.paths)}.", remedy=remedy)


class Change(Struct, frozen=True):
    """One changed path; `old_path` is set for a rename. Modes are git's, as in 100644; 000000 is absence."""

    status: str
    """A added, M modified, D deleted, R renamed, T type changed."""
    path: str
    old_path: str | None
    old_mode: str
    new_mode: str
    added: int
    removed: int
    """Lines; 0 for binary files."""


class Changes(Struct, frozen=True):
    """The difference between a base and the tree with the id `tree`."""

    tree: str
    entries: tuple[Change, ...]

    @property
    def files(self) -> int:
        return len(self.entries)

    @property
    def added(self) -> int:
        return sum(entry.added for entry in self.entries)

    @property
    def removed(self) -> int:
        return sum(entry.removed for entry in self.entries)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that was touched; of a rename both."""
        both = (path for entry in self.entries for path in (entry.old_path, entry.path) if path is not None)
        return tuple(sorted(set(both)))

    def __bool__(self) -> bool:
        return bool(self.entries)


async def between(git: Git, base: str, tree: str) -> Changes:
    """Compare two commits or trees of our git-dir. Raises GitError."""
    done = await git.local(
        *("diff-tree", "-r", "-z", "--raw", "--numstat", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv"),
        *("--ignore-submodules=none", base, tree),
    )
    return Changes(tree, _parse(done.stdout.decode(errors="surrogateescape").split("\0")[:-1]))


async def conflicted(git: Git, base: str, changes: Changes) -> tuple[str, ...]:
    """Return the paths in which a conflict was left: with a begin and an end, so that an underlined title is none."""
    present = [entry.path for entry in changes.entries if entry.new_mode not in (ABSENT, GITLINK)]
    now = await _with_markers(git, changes.tree, present)
    before = await _with_markers(git, base, now)  # a text about conflicts may have had them all along
    return tuple(path for path in now if path not in before)


async def _with_markers(git: Git, tree: str, paths: Sequence[str]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(paths), GREPPED_AT_ONCE):
        done = await git.local(
            *(
                "grep",
                "-I",
                "-l",
                "-z",
                "--no-textconv",
                "--all-match",
                "-e",
                "^<<<<<<< ",
                "-e",
                "^>>>>>>> ",
                tree,
                "--",
            ),
            *paths[start : start + GREPPED_AT_ONCE],
            accept=(0, 1),
        )
        names = done.stdout.decode(errors="surrogateescape").split("\0")
        found += [name.removeprefix(f"{tree}:") for name in names if name]
    return found


def new_gitlinks(changes: Changes) -> tuple[str, ...]:
    """Return the paths at which a commit would name another repository's commit that the base does not name."""
    return tuple(entry.path for entry in changes.entries if entry.new_mode == GITLINK)


def _parse(fields: Sequence[str]) -> tuple[Change, ...]:
    """Read raw and numstat of `diff-tree -z`: first all raw entries, then all counts, in the same order."""
    rows: list[tuple[str, str, str, str | None, str]] = []
    counts: list[tuple[int, int]] = []
    at = 0
    while at < len(fields):
        field = fields[at]
        if field.startswith(":"):
            old_mode, new_mode, _, _, status = field[1:].split(" ")
            if status[0] in "RC":
                rows.append((old_mode, new_mode, status[0], fields[at + 1], fields[at + 2]))
                at += 3
            else:
                rows.append((old_mode, new_mode, status[0], None, fields[at + 1]))
                at += 2
        else:
            added, removed, path = field.split("\t", 2)
            counts.append((_count(added), _count(removed)))
            at += 1 if path else 3  # a rename has its two paths in fields of their own
    return tuple(
        Change(status, path, old_path, old_mode, new_mode, added, removed)
        for (old_mode, new_mode, status, old_path, path), (added, removed) in zip(rows, counts, strict=True)
    )


def _count(field: str) -> int:
    return 0 if field == "-" else int(field)


def shown(paths: Sequence[str]) -> str:
    """Return the first few paths for a message, with nothing in them that a terminal would act on."""
    names = [repr(path)[1:-1] if not path.isprintable() else path for path in paths[:SHOWN]]
    more = len(paths) - SHOWN
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
