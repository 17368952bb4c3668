"""Coalescing: claims for the same sprint that arrive together are answered by one statement, as group commit does.

A claim on an idle server starts at once; those that come while it is under way share the next statement. Nobody
waits for company.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from uuid import UUID

from locus.server.db.errors import DatabaseDown
from locus.server.db.pool import transaction
from locus.server.dispatch import claims, outcomes
from locus.server.dispatch.claims import START, Ask, Granted, Nothing, Place, Reply
from locus.server.dispatch.leases import Holder
from locus.server.errors import Unavailable
from locus.server.events.hub import Bell, Hub
from locus.server.events.log import Log
from locus.server.settings import Timing

MOST = 64  # claims in one statement
HINT = 0.25  # seconds a scan may begin after the last claimed task instead of at the start
KEPT = 1000  # desks that are remembered although nobody waits at them

Waiter = asyncio.Future[Reply]


class Desk:
    """Where the claims for one sprint queue up. `sprint_id` None: for whichever is active."""

    def __init__(self, log: Log, timing: Timing, bell: Bell, workspace_id: UUID, sprint_id: UUID | None) -> None:
        self._log = log
        self._timing = timing
        self._workspace_id = workspace_id
        self._sprint_id = sprint_id
        self._queue: deque[tuple[Ask, Waiter]] = deque()
        self._serving: asyncio.Task[None] | None = None
        # Where to begin: claimed tasks leave dead index entries behind, and walking over them costs more with every
        # claim. Only a hint: it is forgotten when a task may have become claimable before it, when it is old (another
        # process may know of such a task), and whenever it finds nothing.
        self._after = START
        self._since = 0.0
        self._bell = bell
        self._heard = bell.rings

    @property
    def idle(self) -> bool:
        return self._serving is None

    async def claim(self, ask: Ask) -> Reply:
        """The next task for who asks, in the next statement."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._queue.append((ask, waiter))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), name=f"claims of {self._workspace_id}")
        return await waiter

    async def close(self) -> None:
        """Answer nobody any more."""
        for _, waiter in self._queue:
            if not waiter.done():
                waiter.set_exception(Unavailable("The server stops. Try again."))
        self._queue.clear()
        if self._serving is not None:
            await asyncio.wait([self._serving])

    async def _serve(self) -> None:
        try:
            while self._queue:
                await self._gather()
                batch = [self._queue.popleft() for _ in range(min(MOST, len(self._queue)))]
                if batch := [(ask, waiter) for ask, waiter in batch if not waiter.done()]:
                    await self._answer(batch)
        finally:
            self._serving = None

    async def _gather(self) -> None:
        """Let the requests that have arrived already reach the queue: as long as it grows, but without any wait."""
        known = 0
        while known < len(self._queue) < MOST:
            known = len(self._queue)
            await asyncio.sleep(0)

    async def _answer(self, batch: list[tuple[Ask, Waiter]]) -> None:
        try:
            replies = await self._next([ask for ask, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, DatabaseDown):
                for _, waiter in batch:
                    if not waiter.done():
                        waiter.set_exception(error)
                return
            # Whatever is wrong with one claim must not be the others' fault.
            for one in batch:
                await self._answer([one])
            return
        for (ask, waiter), reply in zip(batch, replies, strict=True):
            if not waiter.done():
                waiter.set_result(reply)
            elif isinstance(reply, Granted) and reply.fresh:
                await give_back(self._log, self._workspace_id, ask, reply)

    async def _next(self, asks: Sequence[Ask]) -> list[Reply]:
        now = time.monotonic()
        if self._bell.rings != self._heard or now - self._since > HINT:
            self._heard, self._since, self._after = self._bell.rings, now, START
        replies = await self._take(asks)
        without = [place for place, reply in enumerate(replies) if isinstance(reply, Nothing)]
        if without and self._after is not START:
            self._since, self._after = now, START
            for place, reply in zip(without, await self._take([asks[place] for place in without]), strict=True):
                replies[place] = reply
        fresh = [reply.snapshot.task for reply in replies if isinstance(reply, Granted) and reply.fresh]
        if fresh:
            self._after = Place.of(fresh[-1])
            self._log.written.set()
        return replies

    async def _take(self, asks: Sequence[Ask]) -> list[Reply]:
        async with transaction(self._log.pool) as db:
            # Planning the statement takes three times as long as executing it, and PostgreSQL would plan it every time:
            # it overestimates the plan that fits all parameters.
            await db.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            return await claims.claim(
                db, self._workspace_id, self._sprint_id, asks, after=self._after, timing=self._timing
            )


class Desks:
    """The desks of this process."""

    def __init__(self, log: Log, hub: Hub, timing: Timing) -> None:
        self.log = log
        self.hub = hub
        self._timing = timing
        self._desks: dict[tuple[UUID, UUID | None], Desk] = {}

    async def claim(self, workspace_id: UUID, sprint_id: UUID | None, ask: Ask) -> Reply:
        """The next task of the sprint (None: the active one) for who asks; does not wait for one.

        Who is cancelled while waiting for the reply gets nothing: the task goes back.

        Raises:
            DatabaseDown: it is not known whether the claim happened. With the same claim key it can be repeated.
        """
        desk = self._desks.get((workspace_id, sprint_id))
        if desk is None:
            self._tidy()
            bell = self.hub.work(workspace_id)
            desk = self._desks[workspace_id, sprint_id] = Desk(self.log, self._timing, bell, workspace_id, sprint_id)
        return await desk.claim(ask)

    async def close(self) -> None:
        """Send everybody home."""
        for desk in self._desks.values():
            await desk.close()

    def _tidy(self) -> None:
        if len(self._desks) >= KEPT:
            self._desks = {key: desk for key, desk in self._desks.items() if not desk.idle}


async def give_back(log: Log, workspace_id: UUID, ask: Ask, granted: Granted) -> None:
    """Return a task to the backlog at once, since who asked for it has gone away without the answer."""
    lease = granted.lease
    try:
        async with log.transaction(work=workspace_id) as db:
            await outcomes.give_back(db, Holder(workspace_id, lease.task_id, lease.fence, ask.key_id))
    except DatabaseDown:
        pass  # then the reaper does it
