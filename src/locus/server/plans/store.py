"""Plans in the database."""

from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.errors import NotFound
from locus.server.plans.rules import Took
from locus.wire.plans import Plan, PlanDraft, PlanStatus

COLUMNS = """
    id, workspace_id, status, draft, feedback, sprint_id, proposed_by, decided_by, version, created_at, updated_at
"""
GET = f"SELECT {COLUMNS} FROM plans WHERE workspace_id = $1 AND id = $2"
OF_SPRINT = f"SELECT {COLUMNS} FROM plans WHERE workspace_id = $1 AND sprint_id = $2"
# Locking and reading are two statements: who has waited for the lock has to see what the other one wrote.
LOCK = "SELECT true FROM plans WHERE workspace_id = $1 AND id = $2 FOR UPDATE"
LIST = f"""
    SELECT {COLUMNS} FROM plans
     WHERE workspace_id = $1 AND ($2::text IS NULL OR status = $2)
       AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
     ORDER BY created_at DESC, id DESC LIMIT $5
"""
# A second request that makes the same plan waits here for the first.
INSERT = """
    INSERT INTO plans (workspace_id, id, status, draft, proposed_by) VALUES ($1, $2, 'PROPOSED', $3, $4)
    ON CONFLICT DO NOTHING RETURNING true
"""
REPLACE = """
    UPDATE plans SET draft = $3, proposed_by = $4, version = version + 1, updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2
"""
DECIDE = """
    UPDATE plans SET status = $3, decided_by = $4, feedback = $5, sprint_id = $6, task_ids = $7,
                     version = version + 1, updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2
"""
TASK_IDS = "SELECT task_ids FROM plans WHERE workspace_id = $1 AND id = $2"

NUMBERS = "UPDATE workspaces SET last_task_number = last_task_number + $2 WHERE id = $1 RETURNING last_task_number"
INSERT_TASK = """
    INSERT INTO tasks (workspace_id, id, number, sprint_id, title, description, priority, role, labels, checklist,
                       position)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::priority, $8, $9, $10, $11)
"""
INSERT_DEPENDENCY = "INSERT INTO task_dependencies (workspace_id, task_id, depends_on_id) VALUES ($1, $2, $3)"

# What the last finished tasks took, all their attempts together.
HISTORY = """
    SELECT sum((a.numbers ->> 'usd_micros')::bigint)::bigint AS usd_micros,
           sum((a.numbers ->> 'agent_ms')::bigint)::bigint AS agent_ms
      FROM tasks t JOIN attempts a ON a.workspace_id = t.workspace_id AND a.task_id = t.id
     WHERE t.workspace_id = $1 AND t.status IN ('IN_REVIEW', 'DONE') AND a.numbers IS NOT NULL
     GROUP BY t.id ORDER BY max(a.ended_at) DESC LIMIT 200
"""


def plan_of(row: Record) -> Plan:
    fields = dict(row)
    fields["status"] = PlanStatus(fields["status"])
    fields["draft"] = msgspec.json.decode(fields["draft"], type=PlanDraft)
    return Plan(**fields)


async def get(db: Db, workspace_id: UUID, plan_id: UUID) -> Plan:
    """One plan, or NotFound."""
    row = await db.fetchrow(GET, workspace_id, plan_id)
    if row is None:
        raise NotFound
    return plan_of(row)


async def of_sprint(db: Db, workspace_id: UUID, sprint_id: UUID) -> Plan | None:
    """The plan that became this sprint, if one did."""
    row = await db.fetchrow(OF_SPRINT, workspace_id, sprint_id)
    return None if row is None else plan_of(row)


async def lock(db: Db, workspace_id: UUID, plan_id: UUID) -> Plan:
    """One plan, locked until the transaction ends, or NotFound."""
    await db.fetchval(LOCK, workspace_id, plan_id)
    return await get(db, workspace_id, plan_id)


async def insert(db: Db, workspace_id: UUID, plan_id: UUID, draft: PlanDraft, proposed_by: str) -> bool:
    """Write down a proposed plan; False when there is one of that id already."""
    return bool(await db.fetchval(INSERT, workspace_id, plan_id, msgspec.to_builtins(draft), proposed_by))


async def page(
    db: Db, workspace_id: UUID, *, status: PlanStatus | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[Plan]:
    """Plans, the newest first."""
    rows = await db.fetch(LIST, workspace_id, status and status.value, *(after or (None, None)), limit)
    return [plan_of(row) for row in rows]


async def history(db: Db, workspace_id: UUID) -> list[Took]:
    """What finished tasks took."""
    return [Took(row["usd_micros"], row["agent_ms"]) for row in await db.fetch(HISTORY, workspace_id)]
