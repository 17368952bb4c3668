"""What events are about: the keys and titles of the tasks, and the names of the sprints, of a list of events."""

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

from locus.server.db.pool import Db
from locus.wire.events import Event

TASKS = """
    SELECT t.id, w.prefix || '-' || t.number AS key, t.title FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE t.workspace_id = $1 AND t.id = ANY($2)
"""
SPRINTS = "SELECT id, number, name FROM sprints WHERE workspace_id = $1 AND id = ANY($2)"


class TaskName(Struct, frozen=True):
    key: str
    title: str


class SprintName(Struct, frozen=True):
    number: int
    name: str


class Subjects(Struct, frozen=True):
    """What is still there of what events are about; history outlives it."""

    tasks: dict[UUID, TaskName]
    sprints: dict[UUID, SprintName]


async def of_events(db: Db, workspace_id: UUID, events: Iterable[Event]) -> Subjects:
    """The names of everything that these events are about: two statements, however many events."""
    told = list(events)
    tasks = await db.fetch(TASKS, workspace_id, list({one.task_id for one in told if one.task_id is not None}))
    sprints = await db.fetch(SPRINTS, workspace_id, list({one.sprint_id for one in told if one.sprint_id is not None}))
    return Subjects(
        {row["id"]: TaskName(row["key"], row["title"]) for row in tasks},
        {row["id"]: SprintName(row["number"], row["name"]) for row in sprints},
    )
