"""What a secret stands for is known for a second, so that not every request asks the database."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from locus.server.db.errors import DatabaseDown

FRESH = 1.0  # seconds; a secret that another process revokes is refused after this at the latest
MOST = 10_000  # remembered at once

T = TypeVar("T")


@dataclass(frozen=True)
class Known(Generic[T]):
    who: T
    until: float  # on the monotonic clock


class Remembered(Generic[T]):
    """Answers of `look_up` (who it is, and whether the use is worth noting), each kept for a moment."""

    def __init__(
        self, look_up: Callable[[bytes], Awaitable[tuple[T, bool] | None]], touch: Callable[[T], Awaitable[None]]
    ) -> None:
        self._look_up_in = look_up
        self._touch_in = touch
        self._known: dict[bytes, Known[T]] = {}
        self._asking: dict[bytes, asyncio.Task[T | None]] = {}
        self._touching: set[asyncio.Task[None]] = set()
        self._generation = 0

    async def get(self, secret_hash: bytes) -> T | None:
        """Who has the secret with this hash; None when nobody may use it."""
        known = self._known.get(secret_hash)
        if known is not None and known.until > time.monotonic():
            return known.who
        return await self._ask(secret_hash)

    def forget(self) -> None:
        """Look every secret up again at its next use."""
        self._generation += 1
        self._known.clear()
        self._asking.clear()

    async def _ask(self, secret_hash: bytes) -> T | None:
        # Requests that come together share one question. Shielded: the first to go away must not take it along.
        task = self._asking.get(secret_hash)
        if task is None:
            task = self._asking[secret_hash] = asyncio.create_task(self._look_up(secret_hash, self._generation))
            task.add_done_callback(lambda done: self._answered(secret_hash, done))
        return await asyncio.shield(task)

    def _answered(self, secret_hash: bytes, done: "asyncio.Task[T | None]") -> None:
        if self._asking.get(secret_hash) is done:
            del self._asking[secret_hash]
        if not done.cancelled():
            done.exception()  # whoever waited has got it; nobody may have

    async def _look_up(self, secret_hash: bytes, generation: int) -> T | None:
        asked = time.monotonic()
        found = await self._look_up_in(secret_hash)
        if found is None:
            self._known.pop(secret_hash, None)
            return None
        who, to_touch = found
        if generation == self._generation:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[secret_hash] = Known(who, asked + FRESH)
        if to_touch:
            note = asyncio.create_task(self._touch(who))
            self._touching.add(note)
            note.add_done_callback(self._touching.discard)
        return who

    async def _touch(self, who: T) -> None:
        with suppress(DatabaseDown):  # the request that used it may have been the last one before an outage
            await self._touch_in(who)
