"""Writing events: in the transaction of the change, so that a change without its event, or the reverse, cannot be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import msgspec

from locus.server.auth.principals import Principal
from locus.server.db.pool import Db, Pool, transaction
from locus.server.events.hub import Hub
from locus.wire.events import ActorKind, EventDetail, EventKind


@dataclass(frozen=True)
class Actor:
    """Who did it, as the event will tell it."""

    kind: ActorKind
    name: str
    id: UUID | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Actor":
        return cls(principal.actor_kind, principal.name, principal.id)


SYSTEM = Actor(ActorKind.SYSTEM, "locus")


class Log:
    """The pool of connections, and whoever is told of a commit: the sequencer, and who waits for work here."""

    def __init__(self, pool: Pool, hub: Hub | None = None) -> None:
        self.pool = pool
        self.hub = hub or Hub()
        self.written = asyncio.Event()

    @asynccontextmanager
    async def transaction(self, *, work: UUID | None = None) -> AsyncIterator[Db]:
        """One transaction for a change and its events; the sequencer is woken when it has been committed.

        Args:
            work: a workspace in which a task may become claimable by it, or change its place. The sequencer tells all
                processes soon after; in this one the next claim must know already, or who has just given a task back
                could be handed a later one.
        """
        async with transaction(self.pool) as db:
            yield db
        self.written.set()
        if work is not None:
            self.hub.work(work).ring()


INSERT = """
    INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def record(
    db: Db,
    workspace_id: UUID,
    kind: EventKind,
    actor: Actor,
    *,
    task_id: UUID | None = None,
    sprint_id: UUID | None = None,
    detail: EventDetail | None = None,
) -> None:
    """Write one event within the transaction `db`."""
    said = msgspec.to_builtins(detail or EventDetail())
    await db.execute(INSERT, workspace_id, kind.value, task_id, sprint_id, actor.kind.value, actor.id, actor.name, said)
