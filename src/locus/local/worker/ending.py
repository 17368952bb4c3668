"""What ends a run before its work is done: a person, or the clock of the run."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from locus.local.journal.limits import Scope, minutes_sentence
from locus.local.worker.why import Why

T = TypeVar("T")


class Ending:
    """Whether a run has to end, and why. Whoever waits through `unless` is woken."""

    def __init__(self) -> None:
        self.interrupted = asyncio.Event()
        self._set = asyncio.Event()
        self._out_of_time = ""
        self._clock: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._set.is_set()

    @property
    def why(self) -> Why:
        """Once it is set."""
        if self.interrupted.is_set():
            return Why("Interrupted.", ordinary=False)
        return Why(f"Stopped. {self._out_of_time}", ordinary=False)

    def interrupt(self) -> None:
        """A person wants it."""
        self.interrupted.set()
        self._set.set()

    def after(self, minutes: int, tell: Callable[[str], None]) -> None:
        """End the run when so many minutes have passed, and `tell` the reason then."""

        def over() -> None:
            self._out_of_time = f"{minutes_sentence(minutes, Scope.RUN)} (run_minutes)"
            self._set.set()
            tell(self._out_of_time)

        self._clock = asyncio.get_running_loop().call_later(minutes * 60, over)

    def cancel(self) -> None:
        """The run has ended by itself."""
        if self._clock is not None:
            self._clock.cancel()

    async def unless(self, step: Coroutine[Any, Any, T]) -> T | None:
        """Await a step; None when the run had to end first."""
        working = asyncio.ensure_future(step)
        stopping = asyncio.ensure_future(self._set.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)
