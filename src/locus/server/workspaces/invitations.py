"""Invitations: for one address, once, for seven days, and never to more than the inviter is."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from locus.server.auth import audit
from locus.server.auth.audit import Action, By
from locus.server.auth.principals import ROLE_RANK
from locus.server.auth.tokens import hashed, is_token, new_token
from locus.server.db.pool import Db
from locus.server.errors import Conflict, NotFound, TooMany
from locus.server.mail import outbox, texts
from locus.server.workspaces import member_rules, members
from locus.wire.people import Invitation, InvitationDraft
from locus.wire.workspaces import MemberRole

DAYS = 7
PER_DAY = 100  # that an organization may send
PATH = "/invitations/"

COLUMNS = "i.id, i.email, i.role, u.name AS invited_by, i.created_at, i.expires_at"
OPEN = "i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > clock_timestamp()"
LIST = f"""
    SELECT {COLUMNS} FROM invitations i LEFT JOIN users u ON u.id = i.invited_by
     WHERE i.organization_id = $1 AND {OPEN} ORDER BY i.created_at DESC, i.id
"""
COUNT = (
    "SELECT count(*) FROM invitations WHERE organization_id = $1 AND created_at > clock_timestamp() - interval '1 day'"
)
MEMBER = """
    SELECT EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
                    WHERE m.organization_id = $1 AND u.email = $2)
"""
# Whoever invites the same address again replaces the invitation: its old link is good no more.
REPLACE = """
    UPDATE invitations SET revoked_at = clock_timestamp()
     WHERE organization_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL
"""
CREATE = f"""
    WITH made AS (
        INSERT INTO invitations (organization_id, email, role, hash, invited_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, clock_timestamp() + interval '{DAYS} days') RETURNING *
    )
    SELECT {COLUMNS} FROM made i LEFT JOIN users u ON u.id = i.invited_by
"""
REVOKE = f"""
    UPDATE invitations i SET revoked_at = clock_timestamp() WHERE organization_id = $1 AND id = $2 AND {OPEN}
    RETURNING i.email
"""
NAME = "SELECT name FROM organizations WHERE id = $1"
FIND = f"""
    SELECT i.id, i.email, i.role, i.organization_id, o.name AS organization, u.name AS invited_by, i.expires_at
      FROM invitations i JOIN organizations o ON o.id = i.organization_id LEFT JOIN users u ON u.id = i.invited_by
     WHERE {OPEN}
"""
BY_TOKEN = FIND + " AND i.hash = $1"
BY_EMAIL = FIND + " AND i.email = $1 ORDER BY i.created_at"
# One statement, so that of any number of requests one accepts; and only for the address that was invited.
ACCEPT = f"""
    UPDATE invitations i SET accepted_at = clock_timestamp() WHERE i.id = $1 AND i.email = $2 AND {OPEN}
    RETURNING i.organization_id, i.role,
              (SELECT role FROM memberships m WHERE m.organization_id = i.organization_id AND m.user_id = i.invited_by)
              AS inviter
"""


@dataclass(frozen=True)
class Waiting:
    """An invitation as the person who is invited sees it."""

    id: UUID
    email: str
    role: MemberRole
    organization_id: UUID
    organization: str
    invited_by: str | None
    expires_at: datetime


async def every(db: Db, organization_id: UUID) -> list[Invitation]:
    """The invitations of an organization that wait, the newest first."""
    return [_invitation(row) for row in await db.fetch(LIST, organization_id)]


async def create(
    db: Db, organization_id: UUID, inviter_id: UUID, role: MemberRole, draft: InvitationDraft, origin: str, author: By
) -> Invitation:
    """Invite an address. The link goes by mail only, so that the inviter cannot accept in somebody's place.

    Args:
        role: the inviter's.
        origin: of this server, for the link.

    Raises:
        Forbidden: the inviter may not invite, or not to this role.
        Conflict: a member has the address.
        TooMany: the organization has invited enough people for a day.
    """
    member_rules.check_invitation(role, draft.role)
    name = await db.fetchval(members.LOCK, organization_id)
    if await db.fetchval(MEMBER, organization_id, draft.email):
        raise Conflict("Somebody with this address is a member already.", code="member_already")
    if await db.fetchval(COUNT, organization_id) >= PER_DAY:
        raise TooMany(f"This organization has sent {PER_DAY} invitations today.", code="too_many_invitations")
    await db.execute(REPLACE, organization_id, draft.email)
    token = new_token()
    row = await db.fetchrow(CREATE, organization_id, draft.email, draft.role.value, hashed(token), inviter_id)
    assert row is not None
    link = f"{origin}{PATH}{token}"
    await outbox.put(db, texts.invitation(draft.email, link, role=draft.role, organization=name, days=DAYS))
    await audit.note(
        db, organization_id, Action.INVITATION_CREATED, author, subject=draft.email, detail=draft.role.value
    )
    return _invitation(row)


async def revoke(db: Db, organization_id: UUID, invitation_id: UUID, author: By) -> None:
    """Take an invitation back.

    Raises:
        NotFound: there is none that waits.
    """
    email = await db.fetchval(REVOKE, organization_id, invitation_id)
    if email is None:
        raise NotFound
    await audit.note(db, organization_id, Action.INVITATION_REVOKED, author, subject=email)


async def by_token(db: Db, token: str) -> Waiting | None:
    """The invitation that a link leads to; None when it is used, taken back, too old or never was."""
    row = await db.fetchrow(BY_TOKEN, hashed(token)) if is_token(token) else None
    return _waiting(row) if row else None


async def for_email(db: Db, email: str | None) -> list[Waiting]:
    """The invitations that wait for a proven address."""
    return [_waiting(row) for row in await db.fetch(BY_EMAIL, email)] if email else []


async def accept(db: Db, invitation_id: UUID, user_id: UUID, email: str | None, author: By) -> UUID:
    """Make the person a member of the organization that invited their address, and return its id. In a transaction.

    Raises:
        NotFound: no such invitation waits for this address, or its inviter may not give the role any more.
        Conflict: they are a member already.
    """
    row = await db.fetchrow(ACCEPT, invitation_id, email)
    if row is None:
        raise NotFound("This invitation is used, taken back, too old, or for another address.")
    role = MemberRole(row["role"])
    if row["inviter"] is None or ROLE_RANK[MemberRole(row["inviter"])] < ROLE_RANK[role]:
        raise NotFound("Whoever sent this invitation may not invite to it any more. Ask for a new one.")
    await members.join(db, row["organization_id"], user_id, role, author)
    organization_id: UUID = row["organization_id"]
    return organization_id


def _invitation(row: Record) -> Invitation:
    return Invitation(**{**dict(row), "role": MemberRole(row["role"])})


def _waiting(row: Record) -> Waiting:
    return Waiting(**{**dict(row), "role": MemberRole(row["role"])})
