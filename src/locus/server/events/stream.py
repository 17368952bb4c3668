"""Server-sent events: what happened since the reader last looked, then everything as it happens."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from locus.server.db.pool import Pool
from locus.server.errors import Conflict, Forbidden, NotFound, Refused, TooMany, Unauthorized
from locus.server.events import store
from locus.server.events.feed import PAGE, Feeds, Subscription, frame
from locus.server.events.hub import Hub

COMMENT = 15.0  # seconds of silence after which a comment shows that the line still stands
CHECK = 2.0  # seconds between looks at the reader's key
PER_KEY = 10  # streams open at once

# A message without data is not shown, but its id is where a reader resumes, also if nothing happens before the line
# breaks.
OPENING = b"retry: 1000\nid: %d\n\n"
STILL_HERE = b": still here\n\n"

# Raises when the reader's key has been revoked, has expired or may not read this workspace any more.
KeyCheck = Callable[[], Awaitable[None]]


class Streams:
    """The streams of this process."""

    def __init__(self, pool: Pool, hub: Hub, *, comment: float = COMMENT) -> None:
        self._pool = pool
        self._comment = comment
        self._feeds = Feeds(pool, hub)
        self._open: dict[UUID, int] = {}

    @contextmanager
    def place(self, key_id: UUID) -> Iterator[None]:
        """One of the streams that a key may have open.

        Raises:
            TooMany: all of them are in use.
        """
        if self._open.get(key_id, 0) >= PER_KEY:
            raise TooMany(f"This key has {PER_KEY} event streams open. Close one first.", code="too_many_streams")
        self._open[key_id] = self._open.get(key_id, 0) + 1
        try:
            yield
        finally:
            self._open[key_id] -= 1
            if not self._open[key_id]:
                del self._open[key_id]

    async def read(self, workspace_id: UUID, key_id: UUID, after: int | None, check: KeyCheck) -> AsyncIterator[bytes]:
        """Frames of every event after `after` (None: from now on), each exactly once and in order.

        Ends when the reader is too slow, its key is not good any more or the server stops; a reader that comes back
        with the last number it saw misses nothing. The first item is empty: it says that the stream is open.

        Raises (instead of the first item):
            TooMany: the key has enough streams open.
            Conflict: no event has the number `after` yet.
        """
        with self.place(key_id):
            async with self._feeds.subscribe(workspace_id) as subscription:
                seen = subscription.start if after is None else after
                if seen > subscription.start:
                    # Another process may have shown the reader what this one has not read yet. The start is raised
                    # before anything is awaited: what has been seen must not come again meanwhile.
                    subscription.start = seen
                    head = await store.head(self._pool, workspace_id)
                    if seen > head:
                        raise Conflict(f"The last event is number {head}; {seen} has not happened.", code="ahead")
                yield b""
                yield OPENING % seen
                async for frames in self._missed(workspace_id, seen, subscription):
                    yield frames
                async for frames in self._live(subscription, check):
                    yield frames

    async def _missed(self, workspace_id: UUID, seen: int, subscription: Subscription) -> AsyncIterator[bytes]:
        """What happened before the subscription began."""
        while seen < subscription.start and not subscription.ended:
            many = min(PAGE, subscription.start - seen)
            events = await store.after(self._pool, workspace_id, seen, limit=many)
            if not events:
                return  # the workspace has been deleted
            seen = events[-1].seq
            yield b"".join(frame(event) for event in events)

    async def _live(self, subscription: Subscription, check: KeyCheck) -> AsyncIterator[bytes]:
        """What happens, as it happens."""
        quiet_since = checked = time.monotonic()
        while not subscription.ended:
            frames = await subscription.take(min(CHECK, self._comment))
            now = time.monotonic()
            if now - checked >= CHECK:
                try:
                    await check()
                except (Unauthorized, Forbidden, NotFound):
                    return
                except Refused:
                    pass  # the database is down: nobody can tell, and nothing new can come either
                checked = now
            if frames:
                quiet_since = now
                yield frames
            elif now - quiet_since >= self._comment:
                quiet_since = now
                yield STILL_HERE
