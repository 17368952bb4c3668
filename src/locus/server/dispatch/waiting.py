"""Waiting for work: a claim that finds nothing waits for a task, until its time is up or its requester has gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from locus.server.dispatch.claims import Ask, Nothing, Reply
from locus.server.dispatch.coalesce import Desks
from locus.server.events.hub import Bell

LOOK = 2.0  # seconds after which a waiting claim looks for itself, in case nobody could tell it


class Requester:
    """Who waits for the answer to a request, and may go away meanwhile.

    `receive` is ASGI's: once the body has been read, it returns only when the connection has ended.
    """

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive = receive
        self._left: asyncio.Future[Any] | None = None

    def gone(self) -> bool:
        """Whether the connection has ended, without waiting."""
        if self._left is not None:
            return self._left.done()
        step = self._receive().__await__()
        try:
            next(step)
        except StopIteration:
            return True
        step.close()
        return False

    async def wait(self, bell: Bell, heard: int, timeout: float) -> None:
        """Wait for a ring of the bell, but not longer than `timeout` seconds, nor than the requester does."""
        if self._left is None:
            self._left = asyncio.ensure_future(self._receive())
        ring = asyncio.ensure_future(bell.wait(heard, timeout))
        try:
            await asyncio.wait({ring, self._left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ring.cancel()

    def close(self) -> None:
        if self._left is not None:
            self._left.cancel()


@asynccontextmanager
async def requester(receive: Callable[[], Awaitable[Any]]) -> AsyncIterator[Requester]:
    """The requester of a request whose body has been read."""
    waits = Requester(receive)
    try:
        yield waits
    finally:
        waits.close()


async def claim(
    desks: Desks, workspace_id: UUID, sprint_id: UUID | None, ask: Ask, who: Requester, wait: float
) -> Reply:
    """The next task, as soon as there is one; Nothing when `wait` seconds have passed or the requester has gone."""
    hub = desks.hub
    bell = hub.work(workspace_id)
    deadline = time.monotonic() + wait
    while True:
        heard = bell.rings
        reply = await desks.claim(workspace_id, sprint_id, ask)
        left = deadline - time.monotonic()
        if not isinstance(reply, Nothing) or left <= 0 or hub.closed or who.gone():
            return reply
        await who.wait(bell, heard, min(left, LOOK))
        if who.gone():
            return reply
