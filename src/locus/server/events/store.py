"""Reading numbered events: what a stream sends and a list shows. An event without a number does not exist yet."""

from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.wire.events import ActorKind, Event, EventDetail, EventKind

COLUMNS = "seq, workspace_id, kind, task_id, sprint_id, actor_kind, actor_name, detail, created_at"

# Two statements, so that each has the plan it needs: the events of a task are found by the task.
AFTER = f"""
    SELECT {COLUMNS} FROM events
     WHERE workspace_id = $1 AND seq > $2 AND ($4::text[] IS NULL OR kind = ANY($4))
     ORDER BY seq LIMIT $3
"""
OF_TASK = f"""
    SELECT {COLUMNS} FROM events
     WHERE workspace_id = $1 AND seq > $2 AND ($4::text[] IS NULL OR kind = ANY($4)) AND task_id = $5
     ORDER BY seq LIMIT $3
"""

NEWEST_OF_TASK = f"""
    SELECT {COLUMNS} FROM events WHERE workspace_id = $1 AND task_id = $2 AND seq IS NOT NULL ORDER BY id DESC LIMIT $3
"""
HEAD = "SELECT coalesce((SELECT seq FROM event_heads WHERE workspace_id = $1), 0)"

_detail = msgspec.json.Decoder(EventDetail)


async def after(
    db: Db,
    workspace_id: UUID,
    seq: int,
    *,
    limit: int,
    task_id: UUID | None = None,
    kinds: list[EventKind] | None = None,
) -> list[Event]:
    """At most `limit` events with a number above `seq`, in order."""
    said = None if kinds is None else [kind.value for kind in kinds]
    if task_id is None:
        return [read(row) for row in await db.fetch(AFTER, workspace_id, seq, limit, said)]
    return [read(row) for row in await db.fetch(OF_TASK, workspace_id, seq, limit, said, task_id)]


async def newest(db: Db, workspace_id: UUID, task_id: UUID, *, limit: int) -> list[Event]:
    """At most `limit` events of a task, the newest first."""
    return [read(row) for row in await db.fetch(NEWEST_OF_TASK, workspace_id, task_id, limit)]


async def head(db: Db, workspace_id: UUID) -> int:
    """The number of the last event; 0 when there is none."""
    return int(await db.fetchval(HEAD, workspace_id))


def read(row: Record) -> Event:
    """The event of a row that has COLUMNS."""
    return Event(
        seq=row["seq"],
        workspace_id=row["workspace_id"],
        kind=EventKind(row["kind"]),
        task_id=row["task_id"],
        sprint_id=row["sprint_id"],
        actor_kind=ActorKind(row["actor_kind"]),
        actor_name=row["actor_name"],
        detail=_detail.decode(row["detail"]),
        created_at=row["created_at"],
    )
