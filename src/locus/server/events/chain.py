"""The chain of hashes over a workspace's numbered events: made by the sequencer, exported for whoever verifies it."""

from collections.abc import AsyncIterator
from datetime import UTC
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.events import store
from locus.wire.audit import RecordedEvent, canonical

PAGE = 500  # events read at once

# Everything that a hash covers, except the number.
COLUMNS = "workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail, created_at"
AFTER = f"""
    SELECT seq, hash, {COLUMNS} FROM events
     WHERE workspace_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
"""


def recorded(row: Record, seq: int) -> bytes:
    """The event of a row that has COLUMNS, in the form that is hashed."""
    return canonical(
        RecordedEvent(
            seq=seq,
            workspace_id=row["workspace_id"],
            kind=row["kind"],
            task_id=row["task_id"],
            sprint_id=row["sprint_id"],
            actor_kind=row["actor_kind"],
            actor_id=row["actor_id"],
            actor_name=row["actor_name"],
            detail=msgspec.json.decode(row["detail"]),
            created_at=row["created_at"].astimezone(UTC).isoformat(timespec="microseconds"),
        )
    )


async def export(db: Db, workspace_id: UUID, after: int) -> AsyncIterator[bytes]:
    """Audit lines of all events with a number above `after` that there are now, several in each item."""
    last = await store.head(db, workspace_id)
    while after < last:
        rows = await db.fetch(AFTER, workspace_id, after, last, PAGE)
        if not rows:
            return  # the workspace has been deleted
        after = rows[-1]["seq"]
        yield b"".join(_line(row) for row in rows)


def _line(row: Record) -> bytes:
    hash_ = b'"%b"' % row["hash"].hex().encode() if row["hash"] else b"null"
    return b'{"event":%b,"hash":%b}\n' % (recorded(row, row["seq"]), hash_)
