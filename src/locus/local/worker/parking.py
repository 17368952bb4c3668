"""What a worker does when a provider's allowance is used up: who goes on, and from when."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

SLICE = 15.0  # seconds of one sleep: the clock of the wall decides, also after the machine itself has slept


class OnLimit(StrEnum):
    WAIT = "wait"
    SWITCH = "switch"  # to another provider that is installed; to wait when there is none
    STOP = "stop"


class Patience(Struct, frozen=True):
    """How long to wait, in seconds."""

    jitter: float = 60.0  # at most, after the end of a limit: not everybody comes back in the same second
    shortest: float = 30.0  # twice as long each time that a limit is still there, up to `unknown`
    unknown: float = 900.0  # when the provider does not say when its limit ends


def _now() -> datetime:
    return datetime.now(UTC)


class Rota:
    """The providers of one run: whose allowance is used up until when, and who is next."""

    def __init__(
        self,
        first: str,
        others: Sequence[str],
        patience: Patience,
        *,
        now: Callable[[], datetime] = _now,
        jitter: Callable[[float], float] = lambda most: random.uniform(0, most),  # noqa: S311  spreads load, no secret
    ) -> None:
        """`others` are those that may take over, the first one first."""
        self.current = first
        self._names = [first, *others]
        self._until: dict[str, datetime] = {}
        self._in_a_row: dict[str, int] = {}
        self._patience = patience
        self._now = now
        self._jitter = jitter

    def limited(self, resets_at: datetime | None) -> datetime:
        """The current provider's allowance is used up; returns when it may be tried again."""
        times = self._in_a_row[self.current] = self._in_a_row.get(self.current, 0) + 1
        patience, now = self._patience, self._now()
        least = min(patience.shortest * 2 ** min(times - 1, 16), patience.unknown)
        wait = patience.unknown if resets_at is None else max((resets_at - now).total_seconds(), least)
        until = now + timedelta(seconds=wait + self._jitter(patience.jitter))
        self._until[self.current] = until
        return until

    def worked(self) -> None:
        """The current provider has done something: its next limit is a new one."""
        self._in_a_row.pop(self.current, None)

    def unusable(self) -> bool:
        """The current provider cannot be used; whether there is another one."""
        if len(self._names) == 1:
            return False
        self._names.remove(self.current)
        return True

    def next(self) -> tuple[str, datetime | None]:
        """Who goes on, and when; None is now. The current one stays while it can; waiting is for who is ready first."""
        now = self._now()
        ready = [name for name in self._names if self._until.get(name, now) <= now]
        if ready:
            return (self.current if self.current in ready else ready[0]), None
        first = min(self._names, key=lambda name: self._until[name])
        return first, self._until[first]


async def wait(until: datetime, *, now: Callable[[], datetime] = _now) -> None:
    """Return when that time has come, by the clock of the wall."""
    while (left := (until - now()).total_seconds()) > 0:  # noqa: ASYNC110  it is a time that we wait for
        await asyncio.sleep(min(left, SLICE))
