"""Where tasks stand in a sprint's order: priority first, then position, then id."""

from uuid import UUID

from locus.server.db.pool import Db
from locus.server.tasks import rules
from locus.wire.tasks import Priority

# A sprint's tasks have an index of their own order; those without a sprint share it under null.
IN_SPRINT = "workspace_id = $1 AND sprint_id = $2"
IN_BACKLOG = "workspace_id = $1 AND $2::uuid IS NULL AND sprint_id IS NULL"

# One look at the end of each priority, however many tasks there are.
LAST = """
    SELECT max(last.position)
      FROM unnest(enum_range(NULL::priority)) level
     CROSS JOIN LATERAL (SELECT position FROM tasks WHERE {there} AND priority = level
                          ORDER BY position DESC LIMIT 1) last
"""

BEFORE = """
    SELECT position FROM tasks
     WHERE {there} AND priority = $3::text::priority AND (position, id) < ($4, $5)
     ORDER BY position DESC, id DESC LIMIT 1
"""
AFTER = """
    SELECT position FROM tasks
     WHERE {there} AND priority = $3::text::priority AND (position, id) > ($4, $5)
     ORDER BY position, id LIMIT 1
"""

# Rows are locked by id before they are numbered, in the same direction as every other request locks them. Their order
# stays what it was, so they are no new versions.
LOCK_LEVEL = "SELECT id FROM tasks WHERE {there} AND priority = $3::text::priority ORDER BY id FOR NO KEY UPDATE"
RENUMBER = """
    UPDATE tasks t SET position = numbered.place
      FROM (SELECT id, row_number() OVER (ORDER BY position, id) AS place FROM tasks
             WHERE {there} AND priority = $3::text::priority) numbered
     WHERE t.workspace_id = $1 AND t.id = numbered.id
"""
POSITION = "SELECT position FROM tasks WHERE workspace_id = $1 AND id = $2"


def _there(statement: str, sprint_id: UUID | None) -> str:
    return statement.format(there=IN_BACKLOG if sprint_id is None else IN_SPRINT)


async def at_the_end(db: Db, workspace_id: UUID, sprint_id: UUID | None) -> float:
    """A position after every task that is in the sprint (None: the backlog)."""
    last: float | None = await db.fetchval(_there(LAST, sprint_id), workspace_id, sprint_id)
    if last is None:
        return 1.0
    # Beyond 2**53 the next double is further away than 1; a task with the same position is still ordered by its id.
    return last + 1.0


async def beside(
    db: Db,
    workspace_id: UUID,
    sprint_id: UUID | None,
    priority: Priority,
    anchor_id: UUID,
    count: int,
    *,
    before: bool,
) -> list[float]:
    """Positions for `count` tasks directly before or after the anchor; the structure is locked.

    When the gap is used up, all tasks of the anchor's priority in its sprint are numbered anew first.
    """
    for renumbered in (False, True):
        if renumbered:
            await db.fetch(_there(LOCK_LEVEL, sprint_id), workspace_id, sprint_id, priority.value)
            await db.execute(_there(RENUMBER, sprint_id), workspace_id, sprint_id, priority.value)
        here: float = await db.fetchval(POSITION, workspace_id, anchor_id)
        statement = _there(BEFORE if before else AFTER, sprint_id)
        neighbour: float | None = await db.fetchval(statement, workspace_id, sprint_id, priority.value, here, anchor_id)
        low, high = (neighbour, here) if before else (here, neighbour)
        found = rules.places(low, high, count)
        if found is not None:
            return found
    raise AssertionError("whole numbers always have room for a hundred doubles between them")
