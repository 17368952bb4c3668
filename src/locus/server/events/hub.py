"""The hub: hears that events were numbered, whichever process did it, and wakes whoever waits for them in this one."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg

from locus.server.db import pool
from locus.server.db.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)

CHANNEL = "locus_events"
PER_NOTIFICATION = 100  # workspaces; a payload is under 8,000 bytes
ALIVE = 10.0  # seconds between proofs that the listening connection still is one
BACK_OFF = (0.05, 0.2, 1.0, 3.0)  # seconds between attempts to listen again


@dataclass(frozen=True)
class News:
    """What the sequencer tells of one workspace: its last number, and whether a task may have become claimable."""

    workspace_id: UUID
    seq: int
    work: bool


def pack(news: Iterable[News]) -> str:
    """The payload of a notification."""
    return " ".join(f"{item.workspace_id}:{item.seq}:{int(item.work)}" for item in news)


def unpack(payload: str) -> list[News]:
    """The news in a payload."""
    found = []
    for item in payload.split():
        workspace, seq, work = item.split(":")
        found.append(News(UUID(workspace), int(seq), work == "1"))
    return found


class Bell:
    """Rings for everyone who waits. Whoever noted `rings` before looking misses nothing that came while looking."""

    def __init__(self) -> None:
        self.rings = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        self.rings += 1
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def wait(self, heard: int, timeout: float) -> bool:
        """Wait for a ring after the first `heard` ones, at most `timeout` seconds; whether there was one."""
        if self.rings != heard:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return self.rings != heard
        finally:
            self._waiting.discard(waiter)
        return True


class Hub:
    """The bells of this process: one per workspace for its events, one for work that may be claimable."""

    def __init__(self) -> None:
        self.closed = False
        # A bell lives as long as somebody holds it.
        self._events: WeakValueDictionary[UUID, Bell] = WeakValueDictionary()
        self._work: WeakValueDictionary[UUID, Bell] = WeakValueDictionary()

    def events(self, workspace_id: UUID) -> Bell:
        """Rings when the workspace has new numbered events."""
        return self._events.setdefault(workspace_id, Bell())

    def work(self, workspace_id: UUID) -> Bell:
        """Rings when a task of the workspace may have become claimable, or its place in the order has changed."""
        return self._work.setdefault(workspace_id, Bell())

    def tell(self, news: Iterable[News]) -> None:
        for item in news:
            if (bell := self._events.get(item.workspace_id)) is not None:
                bell.ring()
            if item.work and (bell := self._work.get(item.workspace_id)) is not None:
                bell.ring()

    def ring_all(self) -> None:
        """Wake everybody: something may have been missed."""
        for bell in [*self._events.values(), *self._work.values()]:
            bell.ring()

    def close(self) -> None:
        """Let everyone who waits go home: the server stops. Streams end, and claims answer with what there is."""
        self.closed = True
        self.ring_all()

    async def listen(self, dsn: str) -> None:
        """Hear the notifications until cancelled; listens again whenever the connection is lost."""
        failures = 0
        while True:
            try:
                connection = await pool.dedicated(dsn, application_name="locus-hub", statement_timeout=5)
            except DatabaseUnavailable:
                logger.warning("The event hub cannot reach the database; it tries again.")
            else:
                try:
                    await connection.add_listener(
                        CHANNEL, lambda _connection, _pid, _channel, payload: self.tell(unpack(str(payload)))
                    )
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
                    failures = 0
                    self.ring_all()  # nobody told us what happened before we listened
                    while not await _within(ALIVE, lost.wait()):
                        # A peer that has vanished says nothing: only asking finds out.
                        await connection.fetchval("SELECT 1", timeout=ALIVE)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    logger.warning("The event hub has lost its connection; it listens again.")
                finally:
                    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                        connection.terminate()
            await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
            failures += 1


async def _within(seconds: float, wait: Awaitable[object]) -> bool:
    """Whether it was over in time."""
    try:
        async with asyncio.timeout(seconds):
            await wait
    except TimeoutError:
        return False
    return True
