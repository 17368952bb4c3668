"""A change as a reviewer sees it: files, hunks, and each line with its numbers before and after."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from locus.local import process
from locus.local.git.runner import LIST_LIMIT, Git, as_the_user, checked

TIMEOUT = 60.0  # seconds
LONGEST = 2 << 20  # characters of the change of one file that are read
ALTOGETHER = 8 << 20  # of all files, the small ones first; who reads more of a change than that reads nothing
# As a forge shows it: three lines around each change, renames found. One run gives names and text of the same moment.
_FORM = (
    *("--raw", "-z", "-p", "-U3", "-M", "--no-abbrev", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--ignore-submodules=none", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"),
)
_STILL = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"),
    # An empty line without its blank in front would not be counted.
    *("-c", "diff.suppressBlankEmpty=false"),
)
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@.*")
_META = re.compile(r":\d{6} \d{6} [0-9a-f]+ [0-9a-f]+ ([A-Z])\d*")


class Line(Struct, frozen=True):
    """One line of a hunk. A removed line has no number in the new file, an added one none in the old file."""

    text: str
    old: int | None
    new: int | None


class Hunk(Struct, frozen=True):
    lines: tuple[Line, ...]


class FileDiff(Struct, frozen=True):
    """One changed file. `status` is git's letter; a file without hunks is binary, empty, or only moved, unless it was
    `cut`: then there is more of it than was read.
    """

    path: str
    status: str
    hunks: tuple[Hunk, ...]
    old_path: str | None = None
    cut: bool = False

    @property
    def changed(self) -> int:
        """How many lines were added or removed."""
        return sum(line.old is None or line.new is None for hunk in self.hunks for line in hunk.lines)


async def between(git: Git, base: str, head: str) -> list[FileDiff]:
    """The change from one commit or tree of our git-dir to another. Raises GitError."""
    return read(await git.text("diff-tree", "-r", *_FORM, base, head))


async def uncommitted(
    root: Path, environment: Mapping[str, str], *, staged: bool, leave_out: str | None = None
) -> list[FileDiff]:
    """What the checkout `root` has on top of its HEAD, new files included; with `staged`, what its index has.

    Neither the index nor any file is written: new files are made known to a copy of the index. `leave_out` is a folder
    that is not looked at. Raises GitError.
    """

    async def ask(*arguments: str, extra: Mapping[str, str] | None = None, accept: tuple[int, ...] = (0,)) -> str:
        env = as_the_user(environment) | dict(extra or {})
        done = await process.run(["git", *_STILL, *arguments], cwd=root, env=env, timeout=TIMEOUT, limit=LIST_LIMIT)
        checked(done, arguments[0], accept=accept, timeout=TIMEOUT)
        return done.stdout.decode(errors="surrogateescape")

    outside = ("--", ".", *((f":(exclude){leave_out}",) if leave_out else ()))
    head = (await ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}", accept=(0, 1))).strip()
    base = head or (await ask("hash-object", "-t", "tree", "/dev/null")).strip()  # nothing is committed yet
    if staged:
        return read(await ask("diff", "--cached", *_FORM, base, *outside))
    new = await ask("ls-files", "--others", "--exclude-standard", "-z", *outside)
    places = [
        Path((await ask("rev-parse", "--path-format=absolute", "--git-path", name)).removesuffix("\n"))
        for name in ("index", "objects")
    ]
    with TemporaryDirectory(prefix="locus-") as scratch:
        aside = _aside(Path(scratch), *places)
        names = _listed(Path(scratch), new)
        if new:
            await ask("add", "-N", f"--pathspec-from-file={names}", "--pathspec-file-nul", extra=aside)
        return read(await ask("diff", *_FORM, base, *outside, extra=aside))


def _aside(scratch: Path, index: Path, objects: Path) -> dict[str, str]:
    """The variables with which git takes a copy of the index, and writes no object into the repository either."""
    if index.is_file():
        (scratch / "index").write_bytes(index.read_bytes())
    (scratch / "objects").mkdir()
    return {
        "GIT_INDEX_FILE": str(scratch / "index"),
        "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
    }


def _listed(scratch: Path, names: str) -> Path:
    path = scratch / "new"
    path.write_bytes(names.encode(errors="surrogateescape"))
    return path


def read(said: str) -> list[FileDiff]:
    """The files of what git printed. Names come from its list, since in the header of a diff they may hold anything.

    What is no UTF-8 in names and lines is shown as `\\xe9`: it goes to people, models and forges, and to no file.
    """
    said = said.encode(errors="surrogateescape").decode(errors="backslashreplace")
    listed, _, text = said.partition("\0\0")
    entries = list(_entries(listed.split("\0")))
    # No line of a file begins in its first column, so a header cannot be forged.
    sections = re.split(r"^diff --git .*$", text, flags=re.MULTILINE)[1:]
    texts: list[list[str]] = []  # of each file
    for status, *_ in entries:
        # A file that became a link, or the reverse, is told as one removed and one added.
        parts = 2 if status == "T" else 1
        texts.append(sections[:parts])
        del sections[:parts]
    rooms = _rooms([sum(len(text) for text in own) for own in texts])
    found: list[FileDiff] = []
    for (status, old_path, path), own, room in zip(entries, texts, rooms, strict=True):
        kept = [text[:room].rpartition("\n")[0] for text in own] if room is not None else own
        hunks = tuple(hunk for part in kept for hunk in _hunks(part))
        found.append(FileDiff(path, status, hunks, old_path, cut=room is not None))
    return found


def _rooms(lengths: list[int]) -> list[int | None]:
    """How many characters of each file are read; None where all of them are."""
    rooms: list[int | None] = [None] * len(lengths)
    left = ALTOGETHER
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        room = min(LONGEST, left)
        if lengths[at] > room:
            rooms[at] = room
        left -= min(lengths[at], room)
    return rooms


def _entries(fields: list[str]) -> Iterator[tuple[str, str | None, str]]:
    rest = iter(fields)
    for field in rest:
        meta = _META.fullmatch(field)
        if meta is None:
            continue
        path = next(rest)
        if meta[1] in "RC":
            yield meta[1], path, next(rest)
        else:
            yield meta[1], None, path


def _hunks(section: str) -> Iterator[Hunk]:
    lines: list[Line] | None = None
    old = new = 0
    for line in section.split("\n"):
        if begin := _HUNK.fullmatch(line):
            if lines:
                yield Hunk(tuple(lines))
            lines, old, new = [], int(begin[1]), int(begin[2])
        elif lines is None:
            continue
        elif line.startswith("+"):
            lines.append(Line(line[1:], None, new))
            new += 1
        elif line.startswith("-"):
            lines.append(Line(line[1:], old, None))
            old += 1
        elif line.startswith(" "):
            lines.append(Line(line[1:], old, new))
            old, new = old + 1, new + 1
    if lines:
        yield Hunk(tuple(lines))
