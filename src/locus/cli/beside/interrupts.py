"""Ctrl+C, SIGTERM and a closed terminal while an agent works beside a person: the first one ends the turn in order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, Self, TypeVar

from locus.cli.signals import BY_SIGNAL, ENDING, heeded

T = TypeVar("T")


class Signalled(KeyboardInterrupt):
    """A signal ends the command; the exit code says which one."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = BY_SIGNAL + number


def rising() -> None:
    """From here on every signal rises as Signalled, as Ctrl+C does by itself; one that was held back rises now."""

    def rise(number: int, frame: FrameType | None) -> None:
        raise Signalled(number)

    for number in heeded():
        signal.signal(number, rise)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


class Interrupts:
    """Holds the signals from its beginning to its end, also while no event loop runs.

    Outside of `during` a signal rises as Signalled, after `calm` it is only remembered: then the last words are being
    said. What a signal has ended leaves as Signalled, too: the first one decides the exit code.
    """

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self._calm = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._working: asyncio.Future[Any] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in heeded():
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._calm else handler)
        if self.first is not None and isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
            raise Signalled(self.first) from None

    @property
    def exit_code(self) -> int:
        """The exit code of a command that was ended."""
        return BY_SIGNAL + (self.first or signal.SIGINT)

    @property
    def leaving(self) -> bool:
        """Whether somebody wants the whole command to end, and not only what the agent is at."""
        return self.first in (signal.SIGTERM, signal.SIGHUP)

    def calm(self) -> None:
        """From here on, signals change nothing."""
        self._calm = True

    async def during(self, work: Callable[[asyncio.Event], Awaitable[T]]) -> T:
        """Await `work`, which is given what the first signal sets; a second one cancels it."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        working = asyncio.ensure_future(work(self._stop))
        self._working = working
        try:
            return await working
        finally:
            self._loop = self._stop = self._working = None

    def _heard(self, number: int, frame: FrameType | None) -> None:
        again, self.first = self.first is not None, self.first or signal.Signals(number)
        if self._calm:
            return
        if self._loop is None or self._stop is None or self._working is None:
            raise Signalled(self.first)
        # We are between two instructions of whatever runs; the loop acts when it is its turn.
        if not again or not self._stop.is_set():
            self._loop.call_soon_threadsafe(self._stop.set)
        else:
            self._loop.call_soon_threadsafe(self._working.cancel)
