"""Activity: numbered events, the newest first, of some kinds, somebody or something."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from locus.server.db.pool import Db
from locus.server.events.store import COLUMNS, read
from locus.wire.events import ActorKind, Event, EventKind

LIST = """
    SELECT {columns} FROM events
     WHERE {where}
     ORDER BY {order} LIMIT {limit}
"""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which events a list has: every condition that is given must hold."""

    kinds: Sequence[EventKind] = ()
    actor_kind: ActorKind | None = None
    actor: str | None = None  # a name
    task_id: UUID | None = None
    sprint_id: UUID | None = None
    seq: int | None = None  # this one and what was before it


async def newest(db: Db, workspace_id: UUID, wanted: Filter, *, below: int | None = None, limit: int) -> list[Event]:
    """At most `limit` events with a number below that one, the newest first."""
    arguments: list[object] = [workspace_id]

    def argument(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    where = ["workspace_id = $1", "seq IS NOT NULL"]
    if below is not None:
        where.append(f"seq < {argument(below)}::bigint")
    if wanted.seq is not None:
        where.append(f"seq <= {argument(wanted.seq)}::bigint")
    if wanted.kinds:
        where.append(f"kind = ANY({argument([kind.value for kind in wanted.kinds])}::text[])")
    if wanted.actor_kind is not None:
        where.append(f"actor_kind = {argument(wanted.actor_kind.value)}")
    if wanted.actor is not None:
        where.append(f"actor_name = {argument(wanted.actor)}")
    if wanted.sprint_id is not None:
        where.append(f"sprint_id = {argument(wanted.sprint_id)}")
    order = "seq DESC"
    if wanted.task_id is not None:
        # The few events of one task are found by the task; without the sum the walk down all numbers looks cheaper.
        where.append(f"task_id = {argument(wanted.task_id)}")
        order = "seq + 0 DESC"
    query = LIST.format(columns=COLUMNS, where=" AND ".join(where), order=order, limit=argument(limit))
    return [read(row) for row in await db.fetch(query, *arguments)]
