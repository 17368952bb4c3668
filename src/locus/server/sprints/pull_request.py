"""The pull request that carries a sprint's work, as workers told of it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from locus.server.db.pool import Db

# The tasks say which one it is; the last event of it says since when, its number and its head.
GET = """
    WITH carried AS (
        SELECT t.pull_request_url AS url, count(*) AS tasks, count(*) FILTER (WHERE t.status = 'DONE') AS accepted,
               array_agg(t.id) AS ids
          FROM tasks t
         WHERE t.workspace_id = $1 AND t.sprint_id = $2 AND t.pull_request_url IS NOT NULL
         GROUP BY t.pull_request_url ORDER BY count(*) DESC, t.pull_request_url LIMIT 1
    )
    SELECT c.url, c.tasks, c.accepted, e.created_at AS linked_at, (e.detail ->> 'number')::int AS number,
           e.detail ->> 'commit' AS head
      FROM carried c LEFT JOIN LATERAL (
            SELECT created_at, detail FROM events
             WHERE workspace_id = $1 AND task_id = ANY(c.ids) AND kind = 'task.linked'
               AND detail ->> 'pull_request_url' = c.url
             ORDER BY id DESC LIMIT 1) e ON true
"""


class PullRequest(Struct, frozen=True):
    """What is known of it here; whether it is merged, only its forge knows."""

    url: str
    tasks: int
    accepted: int
    linked_at: datetime | None
    number: int | None
    head: str | None


async def of_sprint(db: Db, workspace_id: UUID, sprint_id: UUID) -> PullRequest | None:
    """The pull request that carries the most of the sprint's tasks, if there is one."""
    row = await db.fetchrow(GET, workspace_id, sprint_id)
    return PullRequest(**dict(row)) if row else None
