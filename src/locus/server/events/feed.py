"""Feeds: one reader per workspace and process, however many streams show its events."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import msgspec

from locus.server.db.errors import DatabaseDown
from locus.server.db.pool import Pool
from locus.server.events import store
from locus.server.events.hub import Hub
from locus.wire.events import Event

logger = logging.getLogger(__name__)

PAGE = 200  # events read at once
QUEUED = 256  # events that may wait for one slow reader; it is let go then and resumes where it was
LOOK = 5.0  # seconds after which a feed looks for itself, in case a notification was lost
PAUSE = 0.5  # seconds before another look at a database that was down


def frame(event: Event) -> bytes:
    """An event as server-sent events write it. JSON has no line breaks, so nothing in it can end the frame."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.kind.value.encode(), msgspec.json.encode(event))


@dataclass(frozen=True)
class Numbered:
    """A frame and the number of its event."""

    seq: int
    frame: bytes


class Subscription:
    """What one stream gets: every event after `start`, as frames, in order."""

    def __init__(self, start: int) -> None:
        self.start = start  # may be raised before anything has come
        self.ended = False  # nothing more will come: too slow, or the server stops
        self._frames: deque[bytes] = deque()
        self._came = asyncio.Event()

    def push(self, events: list[Numbered]) -> None:
        frames = [event.frame for event in events if event.seq > self.start]
        if len(self._frames) + len(frames) > QUEUED:
            self.end()
        if frames and not self.ended:
            self._frames.extend(frames)
            self._came.set()

    def end(self) -> None:
        self.ended = True
        self._frames.clear()
        self._came.set()

    async def take(self, timeout: float) -> bytes:
        """The frames that have come, at once, after waiting at most `timeout` seconds; empty when none came."""
        try:
            async with asyncio.timeout(timeout):
                await self._came.wait()
        except TimeoutError:
            return b""
        taken = b"".join(self._frames)
        self._frames.clear()
        if not self.ended:
            self._came.clear()
        return taken


class Feed:
    """The new events of one workspace, read once and handed to all its subscriptions."""

    def __init__(self, pool: Pool, hub: Hub, workspace_id: UUID, last: int) -> None:
        self.last = last
        self.subscriptions: set[Subscription] = set()
        self._pool = pool
        self._hub = hub
        self._workspace_id = workspace_id
        self.task = asyncio.create_task(self._run(), name=f"events of {workspace_id}")

    async def _run(self) -> None:
        bell = self._hub.events(self._workspace_id)
        while not self._hub.closed:
            heard = bell.rings
            try:
                events = await store.after(self._pool, self._workspace_id, self.last, limit=PAGE)
            except DatabaseDown:
                await asyncio.sleep(PAUSE)
                continue
            if events:
                frames = [Numbered(event.seq, frame(event)) for event in events]
                self.last = events[-1].seq
                for subscription in self.subscriptions:
                    subscription.push(frames)
            if len(events) < PAGE:
                await bell.wait(heard, LOOK)
        for subscription in self.subscriptions:
            subscription.end()


class Feeds:
    """The feeds that somebody reads now."""

    def __init__(self, pool: Pool, hub: Hub) -> None:
        self._pool = pool
        self._hub = hub
        self._feeds: dict[UUID, Feed] = {}
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def subscribe(self, workspace_id: UUID) -> AsyncIterator[Subscription]:
        """All events from now on; `start` tells what "now" was, so that the reader can fetch what came before."""
        async with self._opening:
            feed = self._feeds.get(workspace_id)
            if feed is None or feed.task.done():
                last = await store.head(self._pool, workspace_id)
                feed = self._feeds[workspace_id] = Feed(self._pool, self._hub, workspace_id, last)
            # From here to the yield nothing else runs, so no event can pass between `last` and the set.
            subscription = Subscription(feed.last)
            feed.subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            feed.subscriptions.discard(subscription)
            if not feed.subscriptions and self._feeds.get(workspace_id) is feed:
                del self._feeds[workspace_id]
                feed.task.cancel()
