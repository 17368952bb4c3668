"""How a child process ended, and being told of it."""

from __future__ import annotations

import asyncio
import os
import signal as signals
import subprocess
import threading
from collections.abc import Callable

from msgspec import Struct


class Exit(Struct, frozen=True):
    """The end of a process: by itself with a code, or by a signal. Exactly one of the two is set."""

    code: int | None
    signal: int | None

    def __post_init__(self) -> None:
        if (self.code is None) == (self.signal is None):
            raise ValueError("a process ends with a code or by a signal, not both and not neither")

    @classmethod
    def of(cls, returncode: int) -> Exit:
        """Make an Exit of what `subprocess` calls a return code: negative is a signal."""
        return cls(None, -returncode) if returncode < 0 else cls(returncode, None)

    @property
    def ok(self) -> bool:
        return self.code == 0

    def __str__(self) -> str:
        if self.signal is None:
            return f"exit code {self.code}"
        try:
            return f"signal {signals.Signals(self.signal).name}"
        except ValueError:  # real-time signals have no name
            return f"signal {self.signal}"


class Completed(Struct, frozen=True):
    """A command that was awaited to its end, with what it printed."""

    exit: Exit
    stdout: bytes
    stderr: bytes
    truncated: bool
    """Whether output beyond the limit was left out, from the middle."""
    timed_out: bool

    @property
    def ok(self) -> bool:
        return self.exit.ok and not self.timed_out


def call_at_exit(process: subprocess.Popen[bytes], callback: Callable[[int], None]) -> None:
    """Call back in the loop, once, with the return code of a process; reap it and nothing else.

    Not asyncio's own way: its `wait` also waits for pipes that a grandchild holds (Python 3.12 and later).
    """
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel
        threading.Thread(target=_await_in_thread, args=(process, loop, callback), daemon=True).start()
        return

    def ended() -> None:
        loop.remove_reader(fd)
        os.close(fd)
        callback(process.wait())

    loop.add_reader(fd, ended)


def _await_in_thread(
    process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, callback: Callable[[int], None]
) -> None:
    returncode = process.wait()
    try:
        loop.call_soon_threadsafe(callback, returncode)
    except RuntimeError:  # the loop is closed: nobody waits any more
        pass
