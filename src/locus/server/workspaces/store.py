"""Organizations and workspaces in the database."""

from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import UNSET, UnsetType

from locus.server.db.pool import Db
from locus.wire.tasks import ChecklistItem
from locus.wire.workspaces import Organization, Workspace

COLUMNS = """
    id, organization_id, name, prefix, default_checklist, attempt_cap, required_checks,
    daily_budget_usd_micros, budget_stops, summaries, version, created_at, updated_at
"""
CREATE_ORGANIZATION = "INSERT INTO organizations (name) VALUES ($1) RETURNING id, name, created_at"
GET_ORGANIZATION = "SELECT id, name, created_at FROM organizations WHERE id = $1"
RENAME_ORGANIZATION = "UPDATE organizations SET name = $2 WHERE id = $1 RETURNING id, name, created_at"
FIRST_ORGANIZATION = "SELECT id, name, created_at FROM organizations ORDER BY created_at, id LIMIT 1"

CREATE = f"""
    INSERT INTO workspaces (organization_id, name, prefix) VALUES ($1, $2, $3)
    ON CONFLICT (organization_id, prefix) DO NOTHING
    RETURNING {COLUMNS}
"""
GET = f"SELECT {COLUMNS} FROM workspaces WHERE id = $1"
FIRST = f"SELECT {COLUMNS} FROM workspaces WHERE organization_id = $1 ORDER BY created_at, id LIMIT 1"
# Only the workspaces that the caller may enter: $1 is all of them.
LIST = f"""
    SELECT {COLUMNS} FROM workspaces
     WHERE id = ANY($1::uuid[]) AND ($2::timestamptz IS NULL OR (created_at, id) > ($2, $3::uuid))
     ORDER BY created_at, id LIMIT $4
"""
EDIT = f"""
    UPDATE workspaces
       SET name = coalesce($3, name), default_checklist = coalesce($4::jsonb, default_checklist),
           attempt_cap = coalesce($5, attempt_cap), required_checks = coalesce($6::text[], required_checks),
           daily_budget_usd_micros = CASE WHEN $7 THEN $8 ELSE daily_budget_usd_micros END,
           budget_stops = coalesce($9, budget_stops), summaries = coalesce($10, summaries),
           version = version + 1, updated_at = clock_timestamp()
     WHERE id = $1 AND ($2::integer IS NULL OR version = $2)
    RETURNING {COLUMNS}
"""
DELETE = "DELETE FROM workspaces WHERE id = $1 AND ($2::integer IS NULL OR version = $2) RETURNING true"
FORGET_SUMMARIES = "UPDATE attempts SET summary = NULL WHERE workspace_id = $1 AND summary IS NOT NULL"
COUNT_SUMMARIES = "SELECT count(*) FROM attempts WHERE workspace_id = $1 AND summary IS NOT NULL"
# Locked, so that no claim comes between the question and the deletion: it would wait for the workspace that is being
# deleted, and the deletion for its task.
BUSY = """
    WITH all_of_them AS MATERIALIZED (SELECT status FROM tasks WHERE workspace_id = $1 ORDER BY id FOR UPDATE)
    SELECT count(*) FROM all_of_them WHERE status = 'IN_PROGRESS'
"""


def organization_of(row: Record) -> Organization:
    return Organization(id=row["id"], name=row["name"], created_at=row["created_at"])


def workspace_of(row: Record) -> Workspace:
    checklist = msgspec.json.decode(row["default_checklist"], type=list[ChecklistItem])
    return Workspace(**{**dict(row), "default_checklist": checklist})


async def create_organization(db: Db, name: str) -> Organization:
    row = await db.fetchrow(CREATE_ORGANIZATION, name)
    assert row is not None
    return organization_of(row)


async def organization(db: Db, organization_id: UUID) -> Organization | None:
    row = await db.fetchrow(GET_ORGANIZATION, organization_id)
    return organization_of(row) if row else None


async def first_organization(db: Db) -> Organization | None:
    """The oldest organization; None in an empty database."""
    row = await db.fetchrow(FIRST_ORGANIZATION)
    return organization_of(row) if row else None


async def rename_organization(db: Db, organization_id: UUID, name: str) -> Organization | None:
    row = await db.fetchrow(RENAME_ORGANIZATION, organization_id, name)
    return organization_of(row) if row else None


async def create(db: Db, organization_id: UUID, *, name: str, prefix: str) -> Workspace | None:
    """A new workspace; None when the organization has one with this prefix."""
    row = await db.fetchrow(CREATE, organization_id, name, prefix)
    return workspace_of(row) if row else None


async def get(db: Db, workspace_id: UUID) -> Workspace | None:
    row = await db.fetchrow(GET, workspace_id)
    return workspace_of(row) if row else None


async def first(db: Db, organization_id: UUID) -> Workspace | None:
    """The oldest workspace of an organization."""
    row = await db.fetchrow(FIRST, organization_id)
    return workspace_of(row) if row else None


async def page(
    db: Db, workspace_ids: frozenset[UUID], *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Workspace]:
    """The oldest first; `after` is (created_at, id) of the last one seen."""
    rows = await db.fetch(LIST, list(workspace_ids), *(after or (None, None)), limit)
    return [workspace_of(row) for row in rows]


async def edit(
    db: Db,
    workspace_id: UUID,
    *,
    version: int | None,
    name: str | None,
    default_checklist: list[ChecklistItem] | None,
    attempt_cap: int | None,
    required_checks: list[str] | None,
    daily_budget_usd_micros: int | None | UnsetType = UNSET,
    budget_stops: bool | None = None,
    summaries: bool | None = None,
) -> Workspace | None:
    """Change what is not None (the budget: what is not UNSET); None when there is no such workspace of that version.

    Without a `version` any will do.
    """
    budget = None if daily_budget_usd_micros is UNSET else daily_budget_usd_micros
    row = await db.fetchrow(
        EDIT,
        workspace_id,
        version,
        name,
        default_checklist,
        attempt_cap,
        required_checks,
        daily_budget_usd_micros is not UNSET,
        budget,
        budget_stops,
        summaries,
    )
    return workspace_of(row) if row else None


async def delete(db: Db, workspace_id: UUID, *, version: int | None) -> bool:
    """Delete a workspace with everything in it; False when there is none of that version."""
    return bool(await db.fetchval(DELETE, workspace_id, version))


async def summaries(db: Db, workspace_id: UUID) -> int:
    """How many summaries by agents are stored."""
    return int(await db.fetchval(COUNT_SUMMARIES, workspace_id))


async def forget_summaries(db: Db, workspace_id: UUID) -> None:
    """Delete what agents have said about their work in this workspace."""
    await db.execute(FORGET_SUMMARIES, workspace_id)


async def busy(db: Db, workspace_id: UUID) -> int:
    """How many tasks workers hold; until the transaction ends, nobody claims another one."""
    return int(await db.fetchval(BUSY, workspace_id))
