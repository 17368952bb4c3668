"""Ctrl+C once and twice: the first asks the run to stop when its work is safe, the second ends everything at once."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from locus.cli.signals import BY_SIGNAL, heeded
from locus.local.worker.why import Interrupted

T = TypeVar("T")
NAMES = {signal.SIGINT: "Ctrl+C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "The terminal was closed"}


class Came(Struct, Generic[T], frozen=True):
    """What came of the work, if it came to its end, and the exit code that a signal gives the command, if one came."""

    result: T | None
    code: int | None

    def exit_code(self, succeeded: Callable[[T], bool]) -> int:
        """The exit code of the command: the signal's, else whether the work succeeded."""
        if self.code is not None:
            return self.code
        return 0 if self.result is not None and succeeded(self.result) else 1


async def stoppable(work: Awaitable[T], ask: Callable[[str], None]) -> Came[T]:
    """Await `work`. A first signal calls `ask` with its name, a second cancels: then there is no result.

    The first one decides the exit code, so whoever sent SIGTERM sees 143 and whoever pressed Ctrl+C sees 130, as from
    any other program. Interrupted, which `work` raises when it had not begun, carries it, too.
    """
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work)
    code: int | None = None

    def heard(number: signal.Signals) -> None:
        nonlocal code
        if code is not None:
            working.cancel()
        else:
            code = BY_SIGNAL + number
            ask(NAMES[number])

    signals = heeded()
    for number in signals:
        loop.add_signal_handler(number, heard, number)
    try:
        return Came(await working, code)
    except Interrupted as e:
        e.exit_code = code if code is not None else e.exit_code
        raise
    except asyncio.CancelledError:
        if not working.cancelled():
            raise  # somebody else cancelled us
        return Came(None, code)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
