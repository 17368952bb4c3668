"""Members of the organization: who belongs to it and as what, and who is invited."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.auth import audit
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import ROLE_RANK
from locus.server.auth.sign_in import Door
from locus.server.auth.site import Site
from locus.server.dashboard import forms
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.errors import Refused
from locus.server.events.log import Log
from locus.server.workspaces import invitations, members
from locus.wire.people import InvitationDraft, RoleChange
from locus.wire.workspaces import MemberRole

HERE = "/w/{workspace:str}/settings/members"
PATH = "/settings/members"


@get(HERE)
async def show(page: NamedDependency[Page], log: NamedDependency[Log]) -> Response[bytes]:
    """The members, and for those who may invite, the invitations that wait."""
    page.principal.require_role(MemberRole.VIEWER)
    return await shown(page, log)


async def shown(
    page: Page, log: Log, *, status: int = 200, trouble: Refused | None = None, email: str = ""
) -> Response[bytes]:
    role = page.principal.require_role(MemberRole.VIEWER)
    organization_id = page.principal.organization_id
    return page.render(
        "people/members.html",
        status=status,
        here="settings",
        tab="members",
        members=await members.every(log.pool, organization_id),
        invitations=await invitations.every(log.pool, organization_id) if page.may_admin else [],
        role=role,
        roles=[one for one in reversed(MemberRole) if ROLE_RANK[one] <= ROLE_RANK[role]],
        rank={one.value: ROLE_RANK[one] for one in MemberRole},
        trouble=trouble.detail if trouble else "",
        email=email,
    )


@post(HERE + "/invite")
async def invite(
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    request: AnyRequest,
    site: NamedDependency[Site],
    door: NamedDependency[Door],
) -> Response[Any]:
    """Invite an address by mail."""
    principal, form = page.principal, await forms.read(request)
    role = principal.require_role(MemberRole.ADMIN)
    email = form.line("email").lower()
    try:
        draft = forms.wire(InvitationDraft, {"email": email, "role": form.line("role")})
        async with log.transaction() as db:
            author = audit.by(request, principal)
            await invitations.create(db, principal.organization_id, principal.id, role, draft, site.origin, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e, email=email[:254])
    door.mail_written.set()
    return page.go(PATH)


@post(HERE + "/{user_id:uuid}/role")
async def change_role(
    user_id: FromPath[UUID],
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    request: AnyRequest,
    keyring: NamedDependency[Keyring],
) -> Response[Any]:
    """Give a member another role."""
    principal, form = page.principal, await forms.read(request)
    principal.require_role(MemberRole.ADMIN)
    try:
        wanted = forms.wire(RoleChange, {"role": form.line("role")}).role
        async with log.transaction() as db:
            author = audit.by(request, principal)
            await members.change_role(db, principal.organization_id, principal.id, user_id, wanted, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e)
    keyring.forget()
    return page.go(PATH)


@post(HERE + "/{user_id:uuid}/remove")
async def remove(
    user_id: FromPath[UUID],
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    request: AnyRequest,
    keyring: NamedDependency[Keyring],
) -> Response[Any]:
    """Remove a member; their account stays."""
    principal = page.principal
    principal.require_role(MemberRole.ADMIN)
    try:
        async with log.transaction() as db:
            author = audit.by(request, principal)
            await members.remove(db, principal.organization_id, principal.id, user_id, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e)
    keyring.forget()
    return page.go(PATH)


@post(HERE + "/invitations/{invitation_id:uuid}/revoke")
async def revoke(
    invitation_id: FromPath[UUID], page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest
) -> Response[Any]:
    """Take an invitation back."""
    page.principal.require_role(MemberRole.ADMIN)
    async with log.transaction() as db:
        author = audit.by(request, page.principal)
        await invitations.revoke(db, page.principal.organization_id, invitation_id, author)
    return page.go(PATH)


ROUTES = [show, invite, change_role, remove, revoke]
