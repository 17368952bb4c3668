"""What waits for a person: plans, work to review, to release or to unblock, parked agents, a spent budget."""

from uuid import UUID

from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.sprints import figures
from locus.wire.reports import Need, NeedKind, Needs
from locus.wire.tasks import BlockedReason

MOST = 50

# Of what waits, the longest waiting first; an agent that is lost waits for nobody.
LIST = """
    WITH waiting AS (
        SELECT CASE WHEN t.status = 'IN_REVIEW' THEN 'review'
                    WHEN t.blocked_reason = 'policy' THEN 'held' ELSE 'blocked' END AS kind,
               t.updated_at AS since, t.id AS task_id, w.prefix || '-' || t.number AS key, t.title, t.blocked_reason,
               t.attempts, t.pull_request_url, NULL::uuid AS agent_id, NULL AS agent_name, NULL::timestamptz AS until,
               NULL::uuid AS plan_id
          FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
         WHERE t.workspace_id = $1 AND t.status IN ('IN_REVIEW', 'BLOCKED')
         UNION ALL
        SELECT 'parked', a.last_heartbeat_at, NULL, NULL, NULL, NULL, NULL, NULL, a.id, a.name, a.parked_until,
               NULL
          FROM agents a
         WHERE a.workspace_id = $1 AND a.state = 'parked'
           AND a.last_heartbeat_at > now() - interval '10 minutes'
         UNION ALL
        SELECT 'plan', p.updated_at, NULL, NULL, p.draft ->> 'name', NULL, NULL, NULL, NULL, NULL, NULL, p.id
          FROM plans p
         WHERE p.workspace_id = $1 AND p.status = 'PROPOSED'
    )
    SELECT *, count(*) OVER () AS total FROM waiting ORDER BY since, key LIMIT $2
"""


async def of_workspace(db: Db, workspace_id: UUID, *, limit: int = MOST) -> Needs:
    """What waits for people in the workspace."""
    rows = await db.fetch(LIST, workspace_id, limit)
    items = [_read(row) for row in rows]
    total = rows[0]["total"] if rows else 0
    spent, budget = await figures.last_day(db, workspace_id)
    if budget is not None and spent.usd_micros >= budget:
        items.insert(0, Need(kind=NeedKind.BUDGET, since=await figures.now(db)))
        total += 1
    return Needs(items=items, total=total)


def _read(row: Record) -> Need:
    reason = row["blocked_reason"]
    return Need(
        kind=NeedKind(row["kind"]),
        since=row["since"],
        task_id=row["task_id"],
        key=row["key"],
        title=row["title"],
        blocked_reason=None if reason is None else BlockedReason(reason),
        attempts=row["attempts"],
        pull_request_url=row["pull_request_url"],
        agent_id=row["agent_id"],
        agent_name=row["agent_name"],
        until=row["until"],
        plan_id=row["plan_id"],
    )
