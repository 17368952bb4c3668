"""Writing the egress log: one line at the end, by one process at a time, before the request leaves.

What a crash can do: a killed process loses nothing that it was told is written, because the kernel has it; at most it
leaves its last line cut off, or a line that the head does not count yet, and the next writer says so in a line of its
own. A power failure can lose what was written since the last `fdatasync`, which is done when SYNC seconds have passed.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from locus.client.egress import Outgoing
from locus.client.errors import NotLogged
from locus.local.egress.lines import (
    NOTHING,
    START,
    Answered,
    Head,
    Line,
    Mended,
    Sent,
    decode,
    folder,
    hash_of,
    months,
)

SYNC = 20.0  # seconds after which a write is also forced to the disk
PATIENCE = 2.0  # seconds to wait for another process that writes
PAUSE = 0.001  # seconds between looks whether it is done
HEAD_SIZE = 512  # bytes; always written whole, so that a shorter one leaves nothing of a longer one


class EgressLog:
    """The log of this user on this machine, below `state`. Any number of them, in any process, may write at once.

    Nothing is kept open, so one may be used from several threads.
    """

    def __init__(self, state: Path) -> None:
        self.place = folder(state)

    def sent(self, request: Outgoing) -> int:
        """Write a request down and return its number. Raises NotLogged."""
        try:
            with locked(self.place) as end:
                return end.append(
                    Sent(
                        n=end.next,
                        prev=end.hash,
                        at=now(),
                        method=request.method,
                        server=request.server,
                        path=request.path,
                        query=request.query,
                        headers=request.headers,
                        body=msgspec.Raw(request.body) if request.body else NOTHING,
                    )
                )
        except OSError as e:
            raise NotLogged(
                f"The egress log in {self.place} cannot be written: {e.strerror or e}. Nothing was sent.",
                remedy="Check the rights of the directory and the space on the disk.",
            ) from e

    def answered(self, number: int, status: int | None) -> None:
        """Note what came back. What cannot be noted any more is left out: the request stands there already."""
        try:
            with locked(self.place) as end:
                end.append(Answered(n=end.next, prev=end.hash, at=now(), to=number, status=status))
        except OSError:
            return  # the next request finds the same trouble and is not sent


class End:
    """The end of the log, while we are the only one who writes."""

    def __init__(self, place: Path, head_fd: int) -> None:
        self._place = place
        self._head_fd = head_fd
        self._head = read_head(head_fd)
        if self._head is None:
            if files := months(place):
                self._find(files, "headless")
            return
        counted = place / self._head.file
        size = counted.stat().st_size if counted.exists() else 0
        this_month = _file(now())
        if size < self._head.size:
            self._find(months(place), "short")
        elif size > self._head.size or (this_month > self._head.file and (place / this_month).exists()):
            self._find(months(place), "torn")

    @property
    def next(self) -> int:
        return self._head.n + 1 if self._head else 1

    @property
    def file(self) -> str:
        """The name of the file that the last line is in; empty when there is none."""
        return self._head.file if self._head else ""

    @property
    def hash(self) -> str:
        return self._head.hash if self._head else START

    def append(self, line: Line) -> int:
        """Write a line and move the head; returns its number. Raises OSError, and then the log is as it was."""
        encoded = msgspec.json.encode(line)
        last = self._head or Head(n=0, hash=START, file="", size=0, synced=0.0)
        name = max(_file(line.at), last.file)  # a clock that was set back puts no line into an earlier file
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._place / name, flags, 0o600)
        try:
            before = os.fstat(fd).st_size
            try:
                if os.write(fd, encoded + b"\n") != len(encoded) + 1:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                moment = time.time()
                due = not 0 <= moment - last.synced < SYNC or name != last.file
                if due:
                    os.fdatasync(fd)
                size = before + len(encoded) + 1
                synced = moment if due else last.synced
                self._move(Head(n=line.n, hash=hash_of(encoded), file=name, size=size, synced=synced))
            except OSError:
                os.ftruncate(fd, before)  # our own line, or half of it, about something that is not sent
                raise
        finally:
            os.close(fd)
        return line.n

    def _move(self, head: Head) -> None:
        os.pwrite(self._head_fd, msgspec.json.encode(head).ljust(HEAD_SIZE - 1) + b"\n", 0)
        self._head = head

    def _find(self, files: list[Path], why: str) -> None:
        """Find the end anew, where it is not what the head says, and write down why unless a crash explains it."""
        head, last = self._head, files[-1] if files else None
        content = last.read_bytes() if last else b""
        torn = content != b"" and not content.endswith(b"\n")
        if last is not None and torn:
            with last.open("ab") as file:
                file.write(b"\n")  # ends the line that a crash has cut off
            content += b"\n"
        lines = content.split(b"\n")[:-1]
        number = max(head.n if head else 0, _last_number(lines))
        hash_ = hash_of(lines[-1]) if lines else self.hash
        found = Head(n=number, hash=hash_, file=last.name if last else "", size=len(content), synced=0.0)
        if why == "torn" and not torn and head is not None and _follows(lines, head):
            self._move(found)  # written and not counted: its writer was killed between the two
            return
        self._head = found
        self.append(Mended(n=self.next, prev=self.hash, at=now(), why=why))


@contextmanager
def locked(place: Path) -> Iterator[End]:
    """The end of the log, ours alone for the block. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(place / "head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        lock(fd)
        yield End(place, fd)
    finally:
        os.close(fd)


def lock(fd: int) -> None:
    """Be the only one at the head. Raises OSError when somebody else stays there."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            # flock, not lockf: two threads of one process must wait for each other, too.
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise OSError(errno.EAGAIN, f"another process has kept it locked for {PATIENCE:.0f} s") from None
            time.sleep(PAUSE)
        else:
            return


def read_head(fd: int) -> Head | None:
    """What the head says; None when it says nothing that can be read."""
    try:
        return msgspec.json.decode(os.pread(fd, HEAD_SIZE, 0), type=Head)
    except msgspec.DecodeError:
        return None


def _last_number(lines: list[bytes]) -> int:
    for line in reversed(lines):
        if (read := decode(line)) is not None:
            return read.n
    return 0


def _follows(lines: list[bytes], head: Head) -> bool:
    """Whether the last line is the one after the head."""
    last = decode(lines[-1]) if lines else None
    return last is not None and last.n == head.n + 1 and last.prev == head.hash


def _file(at: str) -> str:
    return f"{at[:7]}.jsonl"


def now() -> str:
    """This moment as lines have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
