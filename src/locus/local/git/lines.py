"""The lines that a change adds and removes, file by file, and the change as a person reads it."""

import re

from msgspec import Struct, field

from locus.local.git.runner import Git

_OPTIONS = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=none", "-r")
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class FileLines(Struct):
    """One changed file. `added` has the number of each line in the new file beside it."""

    path: str
    existed: bool = True
    exists: bool = True
    added: list[tuple[int, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


async def changed_lines(git: Git, base: str, tree: str) -> list[FileLines]:
    """The added and removed lines between two commits or trees; binary files have none. Raises GitError."""
    rows = (await git.text("diff-tree", *_OPTIONS, "--raw", "-z", base, tree)).split("\0")[:-1]
    said = await git.text("diff-tree", *_OPTIONS, "-p", "-U0", base, tree)
    # Names come from the raw list: in the header of a diff they may hold anything, line ends too. No line of a file
    # begins in its first column, so a header cannot be forged.
    sections = iter(re.split(r"^diff --git .*$", said, flags=re.MULTILINE)[1:])
    found: list[FileLines] = []
    for meta, path in zip(rows[::2], rows[1::2], strict=True):
        file = FileLines(path)
        # A file that became a link, or the reverse, is told as one removed and one added.
        for _ in range(2 if meta.endswith(" T") else 1):
            _read(file, next(sections))
        if meta.endswith(" T"):
            file.existed = file.exists = True
        found.append(file)
    return found


async def as_text(git: Git, base: str, tree: str) -> str:
    """The whole change as a diff. Raises GitError."""
    return await git.text(
        "diff-tree", "--no-color", "--no-ext-diff", "--no-textconv", "-M", "-r", "-p", "--stat", base, tree
    )


def _read(file: FileLines, diff: str) -> None:
    number = 0
    in_hunk = False
    for line in diff.split("\n"):
        if hunk := _HUNK.match(line):
            number, in_hunk = int(hunk[1]), True
        elif not in_hunk:
            file.existed = file.existed and not line.startswith("new file mode")
            file.exists = file.exists and not line.startswith("deleted file mode")
        elif line.startswith("+"):
            file.added.append((number, line[1:].removesuffix("\r")))
            number += 1
        elif line.startswith("-"):
            file.removed.append(line[1:].removesuffix("\r"))
