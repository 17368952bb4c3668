"""API keys in the database. Of a key only its hash is there."""

from datetime import datetime
from uuid import UUID

from asyncpg import Record

from locus.server.auth.principals import Principal
from locus.server.db.pool import Db
from locus.wire.workspaces import ApiKey, Purpose

COLUMNS = "id, workspace_id, name, purpose, hint, created_at, expires_at, last_used_at, revoked_at"

# Everything that is known about a caller, in one read. The clock is the database's.
LOOK_UP = """
    SELECT k.id, k.name, k.purpose, k.organization_id, k.workspace_id, k.expires_at,
           ARRAY(SELECT w.id FROM workspaces w
                  WHERE w.organization_id = k.organization_id
                    AND (k.workspace_id IS NULL OR w.id = k.workspace_id)) AS workspaces,
           k.last_used_at IS NULL OR k.last_used_at < clock_timestamp() - interval '1 minute' AS to_touch
      FROM api_keys k
     WHERE k.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
       AND (k.user_id IS NULL OR EXISTS (
               SELECT 1 FROM memberships m
                WHERE m.organization_id = k.organization_id AND m.user_id = k.user_id
                  AND (k.purpose = 'read' OR m.role IN ('OWNER', 'ADMIN')
                       OR (m.role = 'MEMBER' AND k.purpose <> 'admin'))))
"""
# SKIP LOCKED: when several processes see the same key at once, one note of it is enough.
TOUCH = """
    UPDATE api_keys SET last_used_at = clock_timestamp()
     WHERE id = (SELECT id FROM api_keys WHERE id = $1
                    AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')
                    FOR UPDATE SKIP LOCKED)
"""
# least() ignores null, which means for ever: a key never outlives the key that made it.
CREATE = f"""
    INSERT INTO api_keys (organization_id, workspace_id, name, purpose, hash, hint, expires_at, user_id)
    VALUES ($1, $2, $3, $4, $5, $6, least(clock_timestamp() + $7 * interval '1 day', $8::timestamptz), $9)
    RETURNING {COLUMNS}
"""
# $2 is the workspace, or null for the keys of the whole organization.
GET = f"""
    SELECT {COLUMNS} FROM api_keys
     WHERE organization_id = $1 AND workspace_id IS NOT DISTINCT FROM $2 AND id = $3
"""
LIST = f"""
    SELECT {COLUMNS} FROM api_keys
     WHERE organization_id = $1 AND workspace_id IS NOT DISTINCT FROM $2
       AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
     ORDER BY created_at DESC, id DESC LIMIT $5
"""
REVOKE = f"""
    UPDATE api_keys SET revoked_at = clock_timestamp()
     WHERE organization_id = $1 AND workspace_id IS NOT DISTINCT FROM $2 AND id = $3 AND revoked_at IS NULL
    RETURNING {COLUMNS}
"""
ROTATE = f"""
    UPDATE api_keys SET hash = $4, hint = $5, last_used_at = NULL,
           expires_at = least(clock_timestamp() + (expires_at - created_at), $6::timestamptz),
           created_at = clock_timestamp()
     WHERE organization_id = $1 AND workspace_id IS NOT DISTINCT FROM $2 AND id = $3 AND revoked_at IS NULL
       AND (expires_at IS NULL OR expires_at > clock_timestamp())
    RETURNING {COLUMNS}
"""


def key_of(row: Record) -> ApiKey:
    return ApiKey(**{**dict(row), "purpose": Purpose(row["purpose"])})


async def look_up(db: Db, key_hash: bytes) -> tuple[Principal, bool] | None:
    """Who holds the key with this hash, and whether its use is worth noting; None when nobody may use it."""
    row = await db.fetchrow(LOOK_UP, key_hash)
    if row is None:
        return None
    principal = Principal(
        id=row["id"],
        name=row["name"],
        purpose=Purpose(row["purpose"]),
        organization_id=row["organization_id"],
        workspace_id=row["workspace_id"],
        workspaces=frozenset(row["workspaces"]),
        expires_at=row["expires_at"],
    )
    return principal, row["to_touch"]


async def touch(db: Db, key_id: UUID) -> None:
    """Note that the key was used, at most once a minute."""
    await db.execute(TOUCH, key_id)


async def create(
    db: Db,
    organization_id: UUID,
    workspace_id: UUID | None,
    *,
    name: str,
    purpose: Purpose,
    key_hash: bytes,
    hint: str,
    days: int | None,
    not_after: datetime | None = None,
    user_id: UUID | None = None,
) -> ApiKey:
    """Store a key that expires after `days` and at `not_after` at the latest; None is never, for both.

    With `user_id` it is this person's: it does no more than they may, and ends with their membership.
    """
    row = await db.fetchrow(
        CREATE, organization_id, workspace_id, name, purpose.value, key_hash, hint, days, not_after, user_id
    )
    assert row is not None
    return key_of(row)


async def get(db: Db, organization_id: UUID, workspace_id: UUID | None, key_id: UUID) -> ApiKey | None:
    row = await db.fetchrow(GET, organization_id, workspace_id, key_id)
    return key_of(row) if row else None


async def page(
    db: Db, organization_id: UUID, workspace_id: UUID | None, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[ApiKey]:
    """The newest keys first, revoked ones too; `after` is (created_at, id) of the last one seen."""
    rows = await db.fetch(LIST, organization_id, workspace_id, *(after or (None, None)), limit)
    return [key_of(row) for row in rows]


async def revoke(db: Db, organization_id: UUID, workspace_id: UUID | None, key_id: UUID) -> ApiKey | None:
    """End a key; None when there is none that still lives."""
    row = await db.fetchrow(REVOKE, organization_id, workspace_id, key_id)
    return key_of(row) if row else None


async def rotate(
    db: Db,
    organization_id: UUID,
    workspace_id: UUID | None,
    key_id: UUID,
    *,
    key_hash: bytes,
    hint: str,
    not_after: datetime | None,
) -> ApiKey | None:
    """Give a living key a new secret and its whole life again, until `not_after` at most; None when there is none."""
    row = await db.fetchrow(ROTATE, organization_id, workspace_id, key_id, key_hash, hint, not_after)
    return key_of(row) if row else None
