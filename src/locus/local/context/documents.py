"""What the repository says of itself: instructions and learnings, read from the tree the agent will work in."""

import os
import stat
from pathlib import Path

from msgspec import Struct

# codex reads AGENTS.md on its own, other agents do not; claude is started without the project's settings, because those
# can run programs, and so does not read CLAUDE.md. To read one of them twice does no harm.
INSTRUCTIONS = (".locus/LOCUS.md", "AGENTS.md", "CLAUDE.md")
LEARNINGS = ".locus/LEARNINGS.md"
BULLETS = ("- ", "* ")
MAX_BYTES = 32 * 1024  # of one file; what is longer is cut, and says so
MAX_LEARNINGS = 100


class Document(Struct, frozen=True):
    """A text and where it came from."""

    name: str
    text: str


def instructions(tree: Path) -> tuple[Document, ...]:
    """The instruction files that exist in `tree`, in the order of INSTRUCTIONS."""
    found = {read_inside(tree, name).strip(): name for name in reversed(INSTRUCTIONS)}  # a copy is read once
    return tuple(Document(name, text) for text, name in reversed(found.items()) if text)


def learnings(tree: Path) -> tuple[str, ...]:
    """The list items of LEARNINGS.md, newest last; at most MAX_LEARNINGS of the newest."""
    return tuple(listed(read_inside(tree, LEARNINGS)))[-MAX_LEARNINGS:]


def listed(text: str) -> list[str]:
    """The items of the Markdown lists of a text, each in one line; an item goes on in lines that are indented."""
    items: list[str] = []
    for line in text.splitlines():
        said = line.strip()
        if said.startswith(BULLETS):
            items.append(said[2:].strip())
        elif items and said and line[0].isspace():
            items[-1] = f"{items[-1]} {said}"
    return [item for item in items if item]


def read_inside(tree: Path, name: str) -> str:
    """The text of a regular file of `tree`, cut at MAX_BYTES; empty when there is none.

    No link is followed, neither in the last part nor in a folder on the way: a tree that an agent wrote could
    otherwise make us paste a file of the user's home into a prompt.
    """
    folder = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        *folders, last = Path(name).parts
        for part in folders:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = deeper
        file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return ""
    finally:
        os.close(folder)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return ""
        raw = opened.read(MAX_BYTES + 1)
    text = raw[:MAX_BYTES].decode("utf-8", "replace")
    return f"{text}\n[cut at {MAX_BYTES // 1024} KiB]" if len(raw) > MAX_BYTES else text
