"""How a child process ended."""

from __future__ import annotations

import signal as signals
from dataclasses import dataclass


@dataclass(frozen=True)
class Exit:
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


@dataclass(frozen=True)
class Completed:
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
