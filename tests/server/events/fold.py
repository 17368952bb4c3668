"""The tables as the events alone tell them: what a reader who saw everything knows of each task."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from locus.server.db.pool import Db
from locus.server.events import store
from locus.wire.events import Event, EventKind


@dataclass(frozen=True)
class Told:
    """What events tell of a task."""

    status: str
    sprint_id: UUID | None
    blocked_reason: str | None
    fence: int = 0
    attempts: int = 0


def fold(events: Iterable[Event]) -> dict[UUID, Told]:
    """Every task that is there after these events. Their numbers must be 1, 2, 3 …"""
    tasks: dict[UUID, Told] = {}
    for expected, event in enumerate(events, start=1):
        assert event.seq == expected, f"event {event.seq} where {expected} should be"
        if event.task_id is None or event.kind is EventKind.COMMENT_ADDED:
            continue
        detail = event.detail
        if event.kind is EventKind.TASK_DELETED:
            del tasks[event.task_id]
            continue
        if event.kind is EventKind.TASK_CREATED:
            tasks[event.task_id] = Told("BACKLOG", event.sprint_id, None)
        old = tasks[event.task_id]
        if detail.previous is not None:
            assert old.status == detail.previous.value, f"{event} does not follow {old}"
        status = old.status if detail.status is None else detail.status.value
        reason = None if detail.blocked_reason is None else detail.blocked_reason.value
        tasks[event.task_id] = replace(
            old,
            sprint_id=event.sprint_id,
            status=status,
            # An event that leaves a blocked task blocked need not repeat why.
            blocked_reason=old.blocked_reason if reason is None and status == old.status else reason,
            fence=old.fence if detail.fence is None else detail.fence,
            attempts=old.attempts if detail.attempts is None else detail.attempts,
        )
    return tasks


async def tables(db: Db, workspace_id: UUID) -> dict[UUID, Told]:
    """The same from the tables."""
    found = await db.fetch(
        "SELECT id, status, sprint_id, blocked_reason, fence, attempts FROM tasks WHERE workspace_id = $1", workspace_id
    )
    return {
        row["id"]: Told(row["status"], row["sprint_id"], row["blocked_reason"], row["fence"], row["attempts"])
        for row in found
    }


async def numbered(db: Db, workspace_id: UUID) -> list[Event]:
    """All events that have a number, in order."""
    events: list[Event] = []
    while page := await store.after(db, workspace_id, len(events), limit=200):
        events += page
    return events
