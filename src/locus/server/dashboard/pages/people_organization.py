"""The organization itself: its audit log, its name, and its end."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Redirect

from locus.server.auth import audit
from locus.server.auth.keyring import Keyring
from locus.server.dashboard import forms
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.people_fields import identifier
from locus.server.errors import Refused
from locus.server.events.log import Log
from locus.server.workspaces import actions, members, store
from locus.wire.workspaces import MemberRole, OrganizationEdit, Purpose

AUDIT = "/w/{workspace:str}/settings/audit"
DANGER = "/w/{workspace:str}/settings/danger"
LINES = 100  # of the audit log on one page

Before = Annotated[int | None, QueryParameter(ge=1, le=2**62)]


@get(AUDIT)
async def audit_log(page: NamedDependency[Page], log: NamedDependency[Log], before: Before = None) -> Response[bytes]:
    """Who did what to people, keys and the organization, the newest first."""
    page.principal.require_role(MemberRole.ADMIN)
    found = await audit.page(log.pool, page.principal.organization_id, before=before, limit=LINES + 1)
    older = found[LINES - 1].id if len(found) > LINES else None
    return page.render(
        "people/audit.html", here="settings", tab="audit", entries=found[:LINES], older=older, before=before
    )


@get(DANGER)
async def danger(page: NamedDependency[Page], log: NamedDependency[Log]) -> Response[bytes]:
    """What cannot be undone."""
    return await shown(page, log)


async def shown(page: Page, log: Log, *, status: int = 200, trouble: str = "") -> Response[bytes]:
    role = page.principal.require_role(MemberRole.VIEWER)
    organization = await store.organization(log.pool, page.principal.organization_id)
    everybody = await members.every(log.pool, page.principal.organization_id) if role is MemberRole.OWNER else []
    return page.render(
        "people/danger.html",
        status=status,
        here="settings",
        tab="danger",
        organization=organization,
        role=role,
        others=[(str(one.user_id), one.name) for one in everybody if one.user_id != page.principal.id],
        trouble=trouble,
    )


@post(DANGER + "/rename")
async def rename(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Rename the organization."""
    page.require(Purpose.ADMIN)
    form = await forms.read(request)
    try:
        edit = forms.wire(OrganizationEdit, {"name": form.line("name")})
        async with log.transaction() as db:
            author = audit.by(request, page.principal)
            await actions.rename_organization(db, page.principal.organization_id, edit, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e.detail)
    return page.go("/settings/danger")


@post(DANGER + "/workspace")
async def delete_workspace(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, keyring: NamedDependency[Keyring]
) -> Response[Any]:
    """Delete this workspace."""
    page.require(Purpose.ADMIN)
    form = await forms.read(request)
    if form.line("confirm") != page.workspace.prefix:
        return await shown(page, log, status=409, trouble=f"Type {page.workspace.prefix} to delete the workspace.")
    try:
        async with log.transaction() as db:
            author = audit.by(request, page.principal)
            await actions.delete(db, page.id, None, form.line("confirm"), author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e.detail)
    keyring.forget()
    return Redirect("/", status_code=303)


@post(DANGER + "/leave")
async def leave(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, keyring: NamedDependency[Keyring]
) -> Response[Any]:
    """Leave the organization."""
    principal = page.principal
    principal.require_role(MemberRole.VIEWER)
    try:
        async with log.transaction() as db:
            author = audit.by(request, principal)
            await members.remove(db, principal.organization_id, principal.id, principal.id, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e.detail)
    keyring.forget()
    return Redirect("/", status_code=303)


@post(DANGER + "/transfer")
async def transfer(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, keyring: NamedDependency[Keyring]
) -> Response[Any]:
    """Make another member the owner in one's own place."""
    principal = page.principal
    principal.require_role(MemberRole.OWNER)
    form = await forms.read(request)
    try:
        user_id = identifier(form.line("member"), "member")
        async with log.transaction() as db:
            author = audit.by(request, principal)
            await members.transfer(db, principal.organization_id, principal.id, user_id, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e.detail)
    keyring.forget()
    return page.go("/settings/members")


@post(DANGER + "/organization")
async def delete_organization(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, keyring: NamedDependency[Keyring]
) -> Response[Any]:
    """Delete the organization with everything in it."""
    principal = page.principal
    principal.require_role(MemberRole.OWNER)
    form = await forms.read(request)
    try:
        async with log.transaction() as db:
            author = audit.by(request, principal)
            confirm = form.line("confirm")
            await members.delete_organization(db, principal.organization_id, principal.id, confirm, author)
    except Refused as e:
        return await shown(page, log, status=e.status, trouble=e.detail)
    keyring.forget()
    return Redirect("/", status_code=303)


ROUTES = [audit_log, danger, rename, delete_workspace, leave, transfer, delete_organization]
