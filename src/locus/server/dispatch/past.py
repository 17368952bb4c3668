"""What agents did: the attempts that one of them has ended, with the tasks they were for."""

from datetime import datetime
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from locus.server.db.pool import Db
from locus.server.tasks.attempts import read
from locus.wire.work import Attempt

LIST = """
    SELECT a.task_id, a.fence, a.agent_id, a.agent_name, a.claimed_at, a.ended_at, a.outcome, a.reason, a.commit_sha,
           a.branch, a.evidence, a.numbers, a.summary, w.prefix || '-' || t.number AS key, t.title
      FROM attempts a
      JOIN tasks t ON t.workspace_id = a.workspace_id AND t.id = a.task_id
      JOIN workspaces w ON w.id = a.workspace_id
     WHERE a.workspace_id = $1 AND a.agent_id = $2 AND ($3::timestamptz IS NULL OR a.ended_at < $3)
     ORDER BY a.ended_at DESC LIMIT $4
"""


class Done(Struct, frozen=True):
    """An attempt and what it was for."""

    attempt: Attempt
    key: str
    title: str


async def of_agent(
    db: Db, workspace_id: UUID, agent_id: UUID, *, before: datetime | None = None, limit: int = 50
) -> list[Done]:
    """At most `limit` attempts that the agent has ended, the last one first."""
    rows: list[Record] = await db.fetch(LIST, workspace_id, agent_id, before, limit)
    return [Done(read(row), row["key"], row["title"]) for row in rows]
