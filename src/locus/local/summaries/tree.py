"""What of some sentences occurs in files: 20 bytes in a row, a short line, the name of a file, a value of `.env`.

The files are read from beginning to end, a piece at a time: a tree may be large, and an agent could write it. Blanks
are made alike on both sides, and the case of letters counts for nothing.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from locus.local.summaries.plain import Sentence

WINDOW = 20  # bytes in a row that nothing which leaves the machine may have in common with a file
BLOCK = WINDOW // 2  # every window holds a whole one of the blocks that a text is cut into
PIECE = 4 << 20  # bytes that are read at once
SHORTEST_VALUE = 6  # characters of a value in .env

# One pass each over a piece, which a regular expression would take twenty times as long for.
_SMALL = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\t\n\r\x0b\x0c", b"abcdefghijklmnopqrstuvwxyz     ")


class NotCompared(Exception):
    """The files could not be looked through to their end."""


class Place(Struct, frozen=True):
    """Where to look: folders with everything in them but `.git`, and texts that are in no file any more."""

    roots: tuple[Path, ...] = ()
    texts: tuple[bytes, ...] = ()


class Comparison:
    """Some sentences, one after the other as they would be sent, and what of them was found elsewhere."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.sentences = sentences
        self.found: set[int] = set()  # places of sentences that cannot be sent
        self._text = alike(" ".join(one.text for one in self.sentences).encode())
        ends, at = [], 0
        for one in self.sentences:
            at += len(one.text.encode())
            ends.append(at)
            at += 1
        self._ends = ends
        self._blocks: dict[bytes, list[int]] = {}
        for start in range(0, len(self._text) - BLOCK + 1, BLOCK):
            self._blocks.setdefault(self._text[start : start + BLOCK], []).append(start)
        self._lines: dict[bytes, set[int]] = {}
        self._words: dict[str, set[int]] = {}
        for place, one in enumerate(self.sentences):
            for line in one.lines:
                if len(said := alike(line.encode()).strip()) < WINDOW:
                    self._lines.setdefault(said, set()).add(place)
            for word in one.words:
                self._words.setdefault(word, set()).add(place)

    def name(self, name: str) -> None:
        """Compare with the name of a file."""
        self.found |= self._words.get(name, set())

    def content(self, text: bytes) -> None:
        """Compare with a piece of a file, its blanks made alike."""
        for block, starts in self._blocks.items():
            if block in text:
                for start in starts:
                    self._windows(text, start)

    def lines(self, raw: bytes) -> None:
        """Compare with the lines of a piece of a file."""
        lowered = raw.lower()
        for line, places in self._lines.items():
            if line and line in lowered and re.search(rb"^[ \t]*" + re.escape(line) + rb"[ \t\r]*$", lowered, re.M):
                self.found |= places

    def values(self, raw: bytes) -> None:
        """Compare with the values that a file of settings gives to names."""
        for line in raw.split(b"\n"):
            said = alike(line.partition(b"=")[2].strip().strip(b"'\"")).strip()
            at = self._text.find(said) if len(said) >= SHORTEST_VALUE else -1
            while at >= 0:
                self._mark(at, at + len(said))
                at = self._text.find(said, at + 1)

    def _windows(self, text: bytes, block: int) -> None:
        first, last = max(0, block - WINDOW + BLOCK), min(block, len(self._text) - WINDOW)
        for start in range(first, last + 1):
            if self._text[start : start + WINDOW] in text:
                self._mark(start, start + WINDOW)

    def _mark(self, start: int, end: int) -> None:
        """Leave out the last sentence that the stretch is in: without it, the stretch is in none."""
        self.found.add(next(place for place, ends in enumerate(self._ends) if end <= ends + 1))


def without(sentences: list[Sentence], place: Place, *, over: Callable[[], bool]) -> list[Sentence]:
    """The sentences that have nothing in common with a place, side by side either.

    Raises NotCompared when `over` says that there is no more time for it.
    """
    left = sentences
    while left:
        compared = Comparison(left)
        _compare(compared, place, over)
        if not compared.found:
            break
        # What stands side by side now was not compared yet.
        left = [one for at, one in enumerate(left) if at not in compared.found]
    return left


def alike(text: bytes) -> bytes:
    """Text with its blanks made alike and its letters small."""
    text = text.translate(_SMALL, b"\x00")
    for blanks in (b" " * 32, b" " * 8, b"  ", b"  ", b"  "):
        text = text.replace(blanks, b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _compare(compared: Comparison, place: Place, over: Callable[[], bool]) -> None:
    seen: set[bytes] = set()  # most files are there twice: in the tree of the agent and in the user's checkout
    for text in place.texts:
        compared.content(alike(text))
        compared.lines(text)
    for path in _files(place.roots):
        compared.name(path.name)
        settings = fnmatchcase(path.name, ".env*")
        before, raw_before = b"", b""
        for piece in _pieces(path):
            if over():
                raise NotCompared
            if not before and len(piece) < PIECE:
                digest = hashlib.sha256(piece).digest()
                if digest in seen:
                    continue
                seen.add(digest)
            text = alike(before + piece)
            compared.content(text)
            compared.lines(raw_before + piece)
            if settings:
                compared.values(raw_before + piece)
            before, raw_before = text[-2 * WINDOW :], piece[-1024:]


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name != ".git"]
            yield from (Path(folder, name) for name in names)


def _pieces(path: Path) -> Iterator[bytes]:
    """What is in a regular file; nothing of a link, a pipe or a device, which an agent may have left there."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return
            while piece := file.read(PIECE):
                yield piece
