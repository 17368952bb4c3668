"""Routes of people: the members of an organization, its invitations, its audit log. For people, not for keys."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from locus.server.auth import audit
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Principal
from locus.server.auth.sign_in import Door
from locus.server.auth.site import Site
from locus.server.events.log import Log
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.workspaces import invitations, members
from locus.wire.base import Page
from locus.wire.people import AuditEntry, Invitation, InvitationDraft, Member, RoleChange
from locus.wire.workspaces import MemberRole

MEMBERS = "/organization/members"
INVITATIONS = "/organization/invitations"
Confirm = Annotated[str | None, QueryParameter(max_length=100, description="The organization's name.")]


@get(MEMBERS, operation_id="list_members", tags=["people"])
async def list_members(principal: NamedDependency[Principal], log: NamedDependency[Log]) -> Page[Member]:
    """List the members of the organization, by name."""
    principal.require_role(MemberRole.VIEWER)
    return Page(items=await members.every(log.pool, principal.organization_id))


@patch(MEMBERS + "/{user_id:uuid}", operation_id="change_member_role", tags=["people"], status_code=204)
async def change_member_role(
    user_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
    data: JSONBody[RoleChange],
) -> None:
    """Give a member another role; never above one's own, and never to the last owner."""
    principal.require_role(MemberRole.ADMIN)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        await members.change_role(db, principal.organization_id, principal.id, user_id, data.role, author)
    keyring.forget()


@delete(MEMBERS + "/{user_id:uuid}", operation_id="remove_member", tags=["people"])
async def remove_member(
    user_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> None:
    """Remove a member, or leave, which everybody but the last owner may. The account stays."""
    principal.require_role(MemberRole.VIEWER if user_id == principal.id else MemberRole.ADMIN)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        await members.remove(db, principal.organization_id, principal.id, user_id, author)
    keyring.forget()


@post(MEMBERS + "/{user_id:uuid}/transfer", operation_id="transfer_ownership", tags=["people"], status_code=204)
async def transfer_ownership(
    user_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> None:
    """Make a member the owner in one's own place."""
    principal.require_role(MemberRole.OWNER)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        await members.transfer(db, principal.organization_id, principal.id, user_id, author)
    keyring.forget()


@delete("/organization", operation_id="delete_organization", tags=["organization"])
async def delete_organization(
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
    confirm: Confirm = None,
) -> None:
    """Delete the organization with all its workspaces and keys; `confirm` repeats its name."""
    principal.require_role(MemberRole.OWNER)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        await members.delete_organization(db, principal.organization_id, principal.id, confirm, author)
    keyring.forget()


@get(INVITATIONS, operation_id="list_invitations", tags=["people"])
async def list_invitations(principal: NamedDependency[Principal], log: NamedDependency[Log]) -> Page[Invitation]:
    """List the invitations that wait, the newest first."""
    principal.require_role(MemberRole.ADMIN)
    return Page(items=await invitations.every(log.pool, principal.organization_id))


@post(INVITATIONS, operation_id="create_invitation", tags=["people"], opt={"limited": True})
async def create_invitation(
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    site: NamedDependency[Site],
    door: NamedDependency[Door],
    data: JSONBody[InvitationDraft],
) -> Response[Invitation]:
    """Invite an address, by mail; never to a role above one's own."""
    role = principal.require_role(MemberRole.ADMIN)
    author = audit.by(request, principal)

    async with log.transaction() as db:
        answer = await once(
            db,
            request,
            principal,
            lambda: invitations.create(db, principal.organization_id, principal.id, role, data, site.origin, author),
        )
    door.mail_written.set()
    return answer


@delete(INVITATIONS + "/{invitation_id:uuid}", operation_id="revoke_invitation", tags=["people"])
async def revoke_invitation(
    invitation_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> None:
    """Take an invitation back."""
    principal.require_role(MemberRole.ADMIN)
    async with log.transaction() as db:
        await invitations.revoke(db, principal.organization_id, invitation_id, audit.by(request, principal))


@get("/organization/audit", operation_id="list_audit", tags=["people"])
async def list_audit(
    principal: NamedDependency[Principal], log: NamedDependency[Log], limit: Limit = 50, cursor: Cursor = None
) -> Page[AuditEntry]:
    """List who did what to people, keys and the organization, the newest first."""
    principal.require_role(MemberRole.ADMIN)
    before = decode_cursor(cursor, int)
    found = await audit.page(log.pool, principal.organization_id, before=before, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return Page(items=items, next_cursor=encode_cursor(items[-1].id) if more else None)


ROUTES = [
    list_members,
    change_member_role,
    remove_member,
    transfer_ownership,
    delete_organization,
    list_invitations,
    create_invitation,
    revoke_invitation,
    list_audit,
]
