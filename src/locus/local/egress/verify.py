"""Proving that the egress log is whole: every line follows the one before, and the head names the last one.

What it cannot show: somebody who may write the files can rewrite everything after the line that they change, and the
head. Against that helps a copy of the last hash, kept elsewhere (`locus egress verify --json` tells it).
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from locus.local.egress.lines import START, Head, Line, Mended, Pruned, Sent, decode, hash_of, months
from locus.local.egress.log import SYNC, lock, read_head
from locus.local.errors import LocalError

LOST = f"They were removed, or a power failure took them within {SYNC:.0f} s of being written."


class Finding(Struct, frozen=True):
    """Something about a line: its number and a sentence."""

    line: int
    says: str


class Verdict(Struct):
    """`broken` is what should not be; `crashes` is what a crash left, which is told and is no fault of the log."""

    requests: int = 0
    lines: int = 0
    last_hash: str = START
    pruned: int = 0  # lines that a person has removed from the beginning
    broken: list[Finding] = field(default_factory=list)
    crashes: list[Finding] = field(default_factory=list)


class Read(Struct, frozen=True):
    """One line as it stands in a file."""

    raw: bytes
    cut: bool  # has no line break: the file ends in it
    line: Line | None

    @property
    def hash(self) -> str:
        return hash_of(self.raw)


def verify(log: Path) -> Verdict:
    """Follow the chain through all files of the log in `log`. Raises LocalError when they cannot be read."""
    try:
        head, sizes = _snapshot(log)
        chain = Chain(head, _beginning(log, sizes))
        for read, following in _with_next(_lines(log, sizes)):
            chain.take(read, following)
        chain.end(bool(sizes))
    except OSError as e:
        raise LocalError(
            f"The egress log in {log} cannot be read: {e.strerror or e}.", remedy="Check its rights."
        ) from e
    return chain.verdict


class Chain:
    """What has been read so far, and what was wrong with it."""

    def __init__(self, head: Head | None, begins: Pruned | None = None) -> None:
        self.verdict = Verdict(pruned=begins.through if begins else 0)
        self._head = head
        self._number = begins.through if begins else 0
        self._hash = begins.hash if begins else START
        self._doubted = False  # the last line has been found fault with: that the next one does not fit is no news

    def take(self, read: Read, following: Read | None) -> None:
        """Look at a line, with the one that comes after it."""
        line = read.line
        if line is None:
            self._unreadable(read, following)
            return
        self.verdict.lines += 1
        self.verdict.requests += isinstance(line, Sent)
        fits = line.prev == self._hash
        if isinstance(line, Mended) and line.why != "torn":
            self._mended(line)
        elif line.n != self._number + 1 and fits:
            self._broken(self._number + 1, "was changed: its number is not its own.")
            line = None
        elif line.n > self._number + 1:
            self._broken(self._number + 1, f"{_many(self._number + 1, line.n - 1)} gone.")
        elif line.n <= self._number:
            self._broken(line.n, f"stands after line {self._number}: it was moved there.")
            return
        elif not fits and not self._doubted:
            if self._vouched(read, following):
                self._broken(self._number, "was changed after it was written.")
            else:
                self._broken(line.n, "was changed after it was written.")
                self._advance(line.n, read, doubted=True)
                return
        self._advance(line.n if line else self._number + 1, read, doubted=line is None)

    def end(self, exists: bool) -> None:
        """Compare with the head; `exists` is whether there is a log at all."""
        self.verdict.last_hash = self._hash
        head = self._head
        if head is None:
            if exists:
                self._broken(
                    self._number, "is the last one, but the head is gone: nobody can tell whether more followed."
                )
        elif self._number < head.n:
            self._broken(self._number + 1, f"{_many(self._number + 1, head.n)} gone from the end. {LOST}")
        elif self._number == head.n + 1:
            self.verdict.crashes.append(
                Finding(self._number, "was written, and a crash came before it was counted. It may not have been sent.")
            )
        elif self._number > head.n:
            self._broken(head.n + 1, f"and what follows was added after the last line that was counted, {head.n}.")
        elif self._hash != head.hash and not self._doubted:
            self._broken(self._number, "was changed after it was written.")

    def _unreadable(self, read: Read, following: Read | None) -> None:
        number = self._number + 1
        uncounted = self._head is not None and self._head.n == self._number
        mended = following.line if following else None
        if (following is None and read.cut and uncounted) or (
            isinstance(mended, Mended) and mended.why == "torn" and (mended.n, mended.prev) == (number, read.hash)
        ):
            # Nothing is sent before its line is whole.
            self.verdict.crashes.append(Finding(number, "was cut off by a crash. It was not sent."))
            self._hash = read.hash if following else self._hash
            return
        self.verdict.lines += 1
        self._broken(number, "cannot be read: it was changed or cut off.")
        self._advance(number, read, doubted=True)

    def _mended(self, line: Mended) -> None:
        if line.why == "headless":
            self._broken(line.n, "found the head gone: lines before it may have been removed.")
        elif line.n > self._number + 1:
            self._broken(self._number + 1, f"{_many(self._number + 1, line.n - 1)} gone. {LOST}")
        else:
            self._broken(self._number, f"was shortened before line {line.n} was written.")

    def _vouched(self, read: Read, following: Read | None) -> bool:
        """Whether what comes after the line knows it as it is, so that the one before it must have been changed."""
        if following is None:
            return self._head is not None and self._head.hash == read.hash
        return following.line is not None and following.line.prev == read.hash

    def _advance(self, number: int, read: Read, *, doubted: bool) -> None:
        self._number, self._hash, self._doubted = number, read.hash, doubted

    def _broken(self, line: int, says: str) -> None:
        self.verdict.broken.append(Finding(line, says))


def _many(first: int, last: int) -> str:
    return "is" if first == last else f"to line {last} are"


def _snapshot(log: Path) -> tuple[Head | None, dict[Path, int]]:
    """The head and the files with their sizes at one moment, in which nobody writes."""
    try:
        fd = os.open(log / "head", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None, {path: path.stat().st_size for path in months(log)}
    try:
        lock(fd)
        return read_head(fd), {path: path.stat().st_size for path in months(log)}
    finally:
        os.close(fd)


def _beginning(log: Path, sizes: dict[Path, int]) -> Pruned | None:
    """What a person has removed from the beginning: the line of the log that says so, and fits its first one."""
    first: int | None = None
    for read in _lines(log, sizes):
        if read.line is None:
            continue
        first = read.line.n if first is None else first
        if first == 1:
            return None
        if isinstance(read.line, Pruned) and read.line.through == first - 1:
            return read.line
    return None


def _lines(log: Path, sizes: dict[Path, int]) -> Iterator[Read]:
    for path, size in sizes.items():
        with path.open("rb") as file:
            left = size
            while left > 0 and (raw := file.readline(left)):
                left -= len(raw)
                text = raw.removesuffix(b"\n")
                yield Read(text, cut=text == raw, line=None if text == raw else decode(text))


def _with_next(lines: Iterable[Read]) -> Iterator[tuple[Read, Read | None]]:
    last: Read | None = None
    for line in lines:
        if last is not None:
            yield last, line
        last = line
    if last is not None:
        yield last, None
