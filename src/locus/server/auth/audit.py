"""The audit log: who did what to people, keys and organizations, when and from where."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from asyncpg import Record
from litestar import Request

from locus.server.auth.principals import Person, Principal
from locus.server.db.pool import Db
from locus.wire.people import AuditEntry


class Action(StrEnum):
    """Everything that is written down."""

    SIGNED_UP = "signed_up"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SESSION_REVOKED = "session.revoked"
    ACCOUNT_RENAMED = "account.renamed"
    ACCOUNT_EMAIL = "account.email"
    ACCOUNT_DELETED = "account.deleted"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_RENAMED = "organization.renamed"
    ORGANIZATION_DELETED = "organization.deleted"
    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_DELETED = "workspace.deleted"
    MEMBER_JOINED = "member.joined"
    MEMBER_ROLE = "member.role"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    OWNERSHIP_TRANSFERRED = "ownership.transferred"
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    DEVICE_APPROVED = "device.approved"
    DEVICE_DENIED = "device.denied"


@dataclass(frozen=True)
class By:
    """Who did it, and from where."""

    kind: str  # person, key or system
    id: UUID | None
    name: str
    address: str


SYSTEM = By("system", None, "locus", "")

INSERT = """
    INSERT INTO audit (organization_id, user_id, action, actor_kind, actor_id, actor_name, address, subject, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
COLUMNS = "id, action, actor_kind, actor_name, address, subject, detail, created_at"
OF_ORGANIZATION = f"""
    SELECT {COLUMNS} FROM audit
     WHERE organization_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
OF_PERSON = f"SELECT {COLUMNS} FROM audit WHERE user_id = $1 ORDER BY id DESC LIMIT $2"


def by(request: Request[Any, Any, Any], who: Principal | Person) -> By:
    """The author of a request."""
    kind = "person" if isinstance(who, Person) or who.is_person else "key"
    return By(kind, who.id, who.name, address_of(request))


def address_of(request: Request[Any, Any, Any]) -> str:
    """The network address that a request came from, or that a trusted proxy says it did."""
    return request.client.host if request.client else ""


def browser_of(request: Request[Any, Any, Any]) -> str:
    """What a browser calls itself."""
    return request.headers.get("user-agent", "")


async def note(
    db: Db,
    organization_id: UUID | None,
    action: Action,
    author: By,
    *,
    user_id: UUID | None = None,
    subject: str = "",
    detail: str = "",
) -> None:
    """Write one line within the transaction `db`.

    Args:
        user_id: the person whom it concerns, who sees it too.
        subject: what or whom it was done to, by name.
        detail: what changed, in few words.
    """
    await db.execute(
        INSERT,
        organization_id,
        user_id,
        action.value,
        author.kind,
        author.id,
        author.name,
        author.address,
        subject,
        detail,
    )


async def page(db: Db, organization_id: UUID, *, before: int | None, limit: int) -> list[AuditEntry]:
    """What happened in an organization, the newest first; `before` is the number of the last line seen."""
    return [_entry(row) for row in await db.fetch(OF_ORGANIZATION, organization_id, before, limit)]


async def of_person(db: Db, user_id: UUID, *, limit: int) -> list[AuditEntry]:
    """What happened to one person, wherever, the newest first."""
    return [_entry(row) for row in await db.fetch(OF_PERSON, user_id, limit)]


def _entry(row: Record) -> AuditEntry:
    return AuditEntry(**dict(row))
