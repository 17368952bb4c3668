"""The tasks around one task: what it waits for and what waits for it, some steps far."""

from uuid import UUID

from msgspec import Struct

from locus.server.db.pool import Db
from locus.wire.tasks import Status

STEPS = 3  # dependencies in a row, in either direction
MOST = 24  # tasks, the nearest ones

NEAR = """
    WITH RECURSIVE up (id, step) AS (
        SELECT $2::uuid, 0
         UNION
        SELECT td.depends_on_id, up.step - 1 FROM up
          JOIN task_dependencies td ON td.workspace_id = $1 AND td.task_id = up.id
         WHERE up.step > -$3::int
    ), down (id, step) AS (
        SELECT $2::uuid, 0
         UNION
        SELECT td.task_id, down.step + 1 FROM down
          JOIN task_dependencies td ON td.workspace_id = $1 AND td.depends_on_id = down.id
         WHERE down.step < $3::int
    ), near AS (
        SELECT id, min(step) AS step FROM up GROUP BY id
         UNION
        SELECT id, max(step) AS step FROM down WHERE step > 0 GROUP BY id
         ORDER BY 2 LIMIT 200
    ), chosen AS (
        SELECT id, step FROM near ORDER BY abs(step), id LIMIT $4
    )
    SELECT t.id, w.prefix || '-' || t.number AS key, t.title, t.status, c.step,
           ARRAY(SELECT td.depends_on_id FROM task_dependencies td
                  WHERE td.workspace_id = $1 AND td.task_id = t.id
                    AND td.depends_on_id IN (SELECT id FROM chosen)) AS depends_on
      FROM chosen c
      JOIN tasks t ON t.workspace_id = $1 AND t.id = c.id
      JOIN workspaces w ON w.id = t.workspace_id
     ORDER BY c.step, t.priority, t.position, t.id
"""


class Near(Struct, frozen=True, kw_only=True):
    """A task at so many steps: before the one that is looked at when negative, after it when positive."""

    id: UUID
    key: str
    title: str
    status: Status
    step: int
    depends_on: list[UUID]  # among the tasks that were found


async def around(db: Db, workspace_id: UUID, task_id: UUID) -> list[Near]:
    """The task and those around it, by their step; only the task itself when it stands alone."""
    rows = await db.fetch(NEAR, workspace_id, task_id, STEPS, MOST)
    return [Near(**{**dict(row), "status": Status(row["status"])}) for row in rows]
