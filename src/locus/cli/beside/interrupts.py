"""Ctrl+C, SIGTERM and a closed terminal while an agent works beside a person: the first one ends the turn in order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, Self, TypeVar

T = TypeVar("T")
HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Holds the signals from its beginning to its end, also while no event loop runs.

    Outside of `during` a signal rises as KeyboardInterrupt, after `calm` it is only remembered: then the last words
    are being said.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._calm = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._working: asyncio.Future[Any] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in HEARD:
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

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
        self.asked += 1
        if self._calm:
            return
        if self._loop is None or self._stop is None or self._working is None:
            raise KeyboardInterrupt
        # We are between two instructions of whatever runs; the loop acts when it is its turn.
        if self.asked == 1 or not self._stop.is_set():
            self._loop.call_soon_threadsafe(self._stop.set)
        else:
            self._loop.call_soon_threadsafe(self._working.cancel)
