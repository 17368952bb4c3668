"""The backlog page's lists: the open tasks of several sprints, and of none, each cut to the same length."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from locus.server.db.pool import Db
from locus.server.tasks.lists import TEXT
from locus.server.tasks.rows import COLUMNS, read
from locus.wire.tasks import Task

# $2 the sprints, $3 the words that a task must have (null: any), $4 how many of each. One statement for all sections;
# each walks its own index. What is done is no plan any more.
LIST = f"""
    SELECT {COLUMNS}
      FROM unnest($2::uuid[]) wanted (sprint_id)
     CROSS JOIN LATERAL (
            SELECT t.* FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
             WHERE t.workspace_id = $1 AND t.sprint_id = wanted.sprint_id AND t.status <> 'DONE'
               AND ($3::text IS NULL OR {TEXT.format("$3::text")})
             ORDER BY t.priority, t.position, t.id LIMIT $4) t
      JOIN workspaces w ON w.id = t.workspace_id
     UNION ALL
    (SELECT {COLUMNS}
       FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
      WHERE t.workspace_id = $1 AND t.sprint_id IS NULL AND t.status <> 'DONE'
        AND ($3::text IS NULL OR {TEXT.format("$3::text")})
      ORDER BY t.priority, t.position, t.id LIMIT $4)
"""
COUNT = """
    SELECT count(*) FILTER (WHERE status <> 'DONE') AS open FROM tasks WHERE workspace_id = $1 AND sprint_id IS NULL
"""


@dataclass(frozen=True)
class Section:
    """The open tasks of one sprint (None: of none) in the order of dispatch; `more` when there are others."""

    sprint_id: UUID | None
    tasks: list[Task]
    more: bool


async def listed(
    db: Db, workspace_id: UUID, sprint_ids: Sequence[UUID], *, text: str | None = None, limit: int
) -> list[Section]:
    """A section for each sprint, in their order, and one for the tasks that are in none."""
    rows = await db.fetch(LIST, workspace_id, list(sprint_ids), text, limit + 1)
    found: dict[UUID | None, list[Task]] = {sprint_id: [] for sprint_id in (*sprint_ids, None)}
    for row in rows:
        found[row["sprint_id"]].append(read(row))
    return [Section(sprint_id, in_order(tasks)[:limit], more=len(tasks) > limit) for sprint_id, tasks in found.items()]


def in_order(tasks: list[Task]) -> list[Task]:
    """A UNION promises no order."""
    places = {name: index for index, name in enumerate(("CRITICAL", "HIGH", "MEDIUM", "LOW"))}
    return sorted(tasks, key=lambda task: (places[task.priority.value], task.position, task.id))


async def without_sprint(db: Db, workspace_id: UUID) -> int:
    """How many open tasks are in no sprint."""
    return int(await db.fetchval(COUNT, workspace_id))
