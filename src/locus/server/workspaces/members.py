"""The members of an organization: changes of who belongs to it and as what, each with its line in the audit log."""

from uuid import UUID

from asyncpg import Record

from locus.server.auth import audit
from locus.server.auth.audit import Action, By
from locus.server.db.pool import Db
from locus.server.errors import Conflict, Forbidden, NotFound
from locus.server.workspaces import member_rules, store
from locus.wire.people import Member
from locus.wire.workspaces import MemberRole, Organization

# Changes of one organization's members go one after the other: two owners who remove each other at once would
# otherwise leave nobody.
LOCK = "SELECT name FROM organizations WHERE id = $1 FOR UPDATE"
LIST = """
    SELECT m.user_id, u.name, u.email, m.role, m.created_at AS joined_at,
           (SELECT max(s.last_used_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at
      FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = $1 ORDER BY lower(u.name), u.id
"""
GET = """
    SELECT m.role, u.name, u.email,
           m.role = 'OWNER' AND 1 = (SELECT count(*) FROM memberships
                                      WHERE organization_id = $1 AND role = 'OWNER') AS last_owner
      FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = $1 AND m.user_id = $2
"""
JOIN = """
    INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true
"""
SET_ROLE = "UPDATE memberships SET role = $3 WHERE organization_id = $1 AND user_id = $2"
REMOVE = "DELETE FROM memberships WHERE organization_id = $1 AND user_id = $2"
# Locked, as for the deletion of one workspace.
BUSY = """
    WITH all_of_them AS MATERIALIZED (
        SELECT t.status FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
         WHERE w.organization_id = $1 ORDER BY t.workspace_id, t.id FOR UPDATE OF t)
    SELECT count(*) FROM all_of_them WHERE status = 'IN_PROGRESS'
"""
DELETE = "DELETE FROM organizations WHERE id = $1"
SOLE_OWNER_OF = """
    SELECT o.name FROM memberships m JOIN organizations o ON o.id = m.organization_id
     WHERE m.user_id = $1 AND m.role = 'OWNER'
       AND 1 = (SELECT count(*) FROM memberships x WHERE x.organization_id = o.id AND x.role = 'OWNER')
     ORDER BY o.name LIMIT 1
"""


async def every(db: Db, organization_id: UUID) -> list[Member]:
    """All members, by name."""
    rows = await db.fetch(LIST, organization_id)
    return [Member(**{**dict(row), "role": MemberRole(row["role"])}) for row in rows]


async def found(db: Db, user_id: UUID, name: str, author: By) -> Organization:
    """A new organization with the person as its owner."""
    made = await store.create_organization(db, name)
    await db.execute(JOIN, made.id, user_id, MemberRole.OWNER.value)
    await audit.note(db, made.id, Action.ORGANIZATION_CREATED, author, user_id=user_id, subject=name)
    return made


async def join(db: Db, organization_id: UUID, user_id: UUID, role: MemberRole, author: By) -> None:
    """Make a person a member; somebody who is one already stays what they are.

    Raises:
        Conflict: they are a member already.
    """
    if not await db.fetchval(JOIN, organization_id, user_id, role.value):
        raise Conflict("You are a member of this organization already.", code="member_already")
    await audit.note(
        db, organization_id, Action.MEMBER_JOINED, author, user_id=user_id, subject=author.name, detail=role.value
    )


async def change_role(
    db: Db, organization_id: UUID, actor_id: UUID, user_id: UUID, wanted: MemberRole, author: By
) -> None:
    """Give a member another role.

    Raises:
        NotFound: there is no such member.
        Forbidden, Conflict: the rules forbid it.
    """
    actor, member = await _both(db, organization_id, actor_id, user_id)
    current = MemberRole(member["role"])
    member_rules.check_role(actor, current, wanted, last_owner=member["last_owner"])
    if current is wanted:
        return
    await db.execute(SET_ROLE, organization_id, user_id, wanted.value)
    detail = f"{current.value} → {wanted.value}"
    await audit.note(
        db, organization_id, Action.MEMBER_ROLE, author, user_id=user_id, subject=_known_as(member), detail=detail
    )


async def remove(db: Db, organization_id: UUID, actor_id: UUID, user_id: UUID, author: By) -> None:
    """End a membership; the account stays. Whoever removes themselves leaves.

    Raises:
        NotFound: there is no such member.
        Forbidden, Conflict: the rules forbid it.
    """
    actor, member = await _both(db, organization_id, actor_id, user_id)
    leaving = actor_id == user_id
    if leaving:
        member_rules.check_leaving(last_owner=member["last_owner"])
    else:
        member_rules.check_removal(actor, MemberRole(member["role"]), last_owner=member["last_owner"])
    await db.execute(REMOVE, organization_id, user_id)
    action = Action.MEMBER_LEFT if leaving else Action.MEMBER_REMOVED
    await audit.note(db, organization_id, action, author, user_id=user_id, subject=_known_as(member))


async def transfer(db: Db, organization_id: UUID, actor_id: UUID, user_id: UUID, author: By) -> None:
    """Make another member the owner in one's own place; the old owner becomes an ADMIN.

    Raises:
        NotFound: there is no such member.
        Forbidden: the actor is no owner.
        Conflict: it is the actor themselves.
    """
    actor, member = await _both(db, organization_id, actor_id, user_id)
    if actor is not MemberRole.OWNER:
        raise Forbidden(f"You are {actor.value} here; this needs OWNER.")
    if actor_id == user_id:
        raise Conflict("You own it already.", code="owner_already")
    await db.execute(SET_ROLE, organization_id, user_id, MemberRole.OWNER.value)
    await db.execute(SET_ROLE, organization_id, actor_id, MemberRole.ADMIN.value)
    await audit.note(
        db, organization_id, Action.OWNERSHIP_TRANSFERRED, author, user_id=user_id, subject=_known_as(member)
    )


async def delete_organization(db: Db, organization_id: UUID, actor_id: UUID, confirm: str | None, author: By) -> None:
    """Delete an organization with all its workspaces, keys and memberships; no account goes with it.

    Raises:
        Forbidden: the actor is no owner.
        Conflict: its name was not repeated, or workers hold tasks.
    """
    name = await db.fetchval(LOCK, organization_id)
    actor, _ = await _both(db, organization_id, actor_id, actor_id)
    if actor is not MemberRole.OWNER:
        raise Forbidden(f"You are {actor.value} here; this needs OWNER.")
    if confirm != name:
        raise Conflict(
            "Deleting an organization deletes everything in it. Repeat its name to confirm.", code="not_confirmed"
        )
    if held := await db.fetchval(BUSY, organization_id):
        raise Conflict(f"Workers hold {held} of its tasks. Stop them first.", code="tasks_in_progress")
    await audit.note(db, organization_id, Action.ORGANIZATION_DELETED, author, user_id=actor_id, subject=name)
    await db.execute(DELETE, organization_id)


async def check_may_go(db: Db, user_id: UUID) -> None:
    """Raise Conflict for somebody whose account cannot be deleted: an organization would be left without an owner."""
    name = await db.fetchval(SOLE_OWNER_OF, user_id)
    if name is not None:
        raise Conflict(
            f"You are the only owner of {name}. Make somebody else an owner, or delete it first.", code="last_owner"
        )


async def _both(db: Db, organization_id: UUID, actor_id: UUID, user_id: UUID) -> tuple[MemberRole, Record]:
    """The role of who acts, as it is now, and the member that it is about. Others wait until the transaction ends."""
    await db.execute(LOCK, organization_id)
    actor, member = await db.fetchrow(GET, organization_id, actor_id), await db.fetchrow(GET, organization_id, user_id)
    if actor is None or member is None:
        raise NotFound
    return MemberRole(actor["role"]), member


def _known_as(member: Record) -> str:
    name: str = member["name"]
    return f"{name} ({member['email']})" if member["email"] else name
