"""Lists of tasks: filters, the order of dispatch, and the view of what agents take next."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import msgspec

from locus.server.db.pool import Db
from locus.server.errors import Invalid
from locus.server.tasks.rows import COLUMNS, WAITING, read
from locus.server.tasks.store import LARGEST_NUMBER, UUID_TEXT
from locus.wire.tasks import BlockedReason, Priority, Role, Status, Task


class View(StrEnum):
    """`all` is the order of the board; `next` is what agents will take, ready tasks first, then those that wait."""

    ALL = "all"
    NEXT = "next"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which tasks a list has: every condition that is given must hold, with any of its values.

    `sprint` is `active`, `none`, a number or an id.
    """

    view: View = View.ALL
    status: Sequence[Status] = ()
    sprint: str | None = None
    priority: Sequence[Priority] = ()
    role: Sequence[Role] = ()
    label: Sequence[str] = ()
    assignee: str | None = None
    blocked_reason: Sequence[BlockedReason] = ()
    text: str | None = None


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the sort key of its last task."""

    waiting: bool
    priority: Priority
    position: float
    id: UUID


@dataclass(frozen=True)
class Stretch:
    tasks: list[Task]
    following: Place | None  # where the next page begins; None: this was the last one


ACTIVE = "t.sprint_id = (SELECT s.id FROM sprints s WHERE s.workspace_id = $1 AND s.status = 'ACTIVE')"
NUMBERED = "t.sprint_id = (SELECT s.id FROM sprints s WHERE s.workspace_id = $1 AND s.number = {})"
# What a claim may hand out, now or once what it waits for is finished.
DISPATCHABLE = "t.status = 'BACKLOG' AND t.assignee IS NULL"
# position() and not LIKE: what people type has no wildcards.
TEXT = """
    (position(lower({0}) IN lower(t.title)) > 0 OR position(lower({0}) IN lower(t.description)) > 0
     OR position(lower({0}) IN lower(w.prefix || '-' || t.number)) > 0)
"""

LIST = """
    SELECT {columns}, {waiting} AS waiting
      FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE {where}
     ORDER BY {waiting_first} t.priority, t.position, t.id LIMIT {limit}
"""


class Statement:
    """A WHERE clause and its arguments as they grow together."""

    def __init__(self, workspace_id: UUID) -> None:
        self.arguments: list[object] = [workspace_id]
        self.conditions = ["t.workspace_id = $1"]

    def argument(self, value: object) -> str:
        """The placeholder that stands for `value`."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def require(self, condition: str) -> None:
        self.conditions.append(condition)


async def listed(db: Db, workspace_id: UUID, wanted: Filter, *, after: Place | None = None, limit: int = 50) -> Stretch:
    """At most `limit` tasks in the order of dispatch, after the place where the page before ended."""
    statement = filtered(workspace_id, wanted)
    # Whether a task waits counts for the order of the view `next` alone; elsewhere it isn't even computed.
    waiting = WAITING if wanted.view is View.NEXT else "false"
    if after is not None:
        statement.require(_beyond(statement, after, wanted.view))
    query = LIST.format(
        columns=COLUMNS,
        waiting=waiting,
        where=" AND ".join(statement.conditions),
        waiting_first="waiting," if wanted.view is View.NEXT else "",
        limit=statement.argument(limit + 1),
    )
    rows = await db.fetch(query, *statement.arguments)
    tasks = [read(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Stretch(tasks, None)
    last = tasks[-1]
    return Stretch(tasks, Place(rows[limit - 1]["waiting"], last.priority, last.position, last.id))


def _beyond(statement: Statement, after: Place, view: View) -> str:
    place = (
        f"{statement.argument(after.priority.value)}::text::priority, "
        f"{statement.argument(after.position)}::double precision, {statement.argument(after.id)}::uuid"
    )
    if view is View.ALL:  # columns alone, so that an index can be entered at this place
        return f"(t.priority, t.position, t.id) > ({place})"
    return f"({WAITING}, t.priority, t.position, t.id) > ({statement.argument(after.waiting)}::boolean, {place})"


def filtered(workspace_id: UUID, wanted: Filter) -> Statement:
    """The conditions of a filter, for tasks `t` and their workspace `w`."""
    statement = Statement(workspace_id)
    if wanted.view is View.NEXT:
        statement.require(DISPATCHABLE)
    sprint = "active" if wanted.sprint is None and wanted.view is View.NEXT else wanted.sprint
    if sprint is not None:
        statement.require(_in_sprint(statement, sprint))
    if wanted.label:
        statement.require(f"t.labels && {statement.argument(wanted.label)}::text[]")
    if wanted.assignee is not None:
        statement.require(f"t.assignee = {statement.argument(wanted.assignee)}")
    for column, values in (
        ("t.status", wanted.status),
        ("t.priority::text", wanted.priority),
        ("t.role", wanted.role),
        ("t.blocked_reason", wanted.blocked_reason),
    ):
        if values:
            texts = [value.value for value in values]
            statement.require(f"{column} = ANY({statement.argument(texts)}::text[])")
    if wanted.text is not None:
        statement.require(TEXT.format(f"{statement.argument(wanted.text)}::text"))
    return statement


def _in_sprint(statement: Statement, sprint: str) -> str:
    if sprint == "active":
        return ACTIVE
    if sprint == "none":
        return "t.sprint_id IS NULL"
    if UUID_TEXT.fullmatch(sprint):
        return f"t.sprint_id = {statement.argument(UUID(sprint))}"
    if sprint.isascii() and sprint.isdigit() and int(sprint) <= LARGEST_NUMBER:
        return NUMBERED.format(statement.argument(int(sprint)))
    raise Invalid.field("sprint", "must be active, none, the number of a sprint or its id")
