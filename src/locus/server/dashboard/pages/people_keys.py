"""API keys: made (and shown once), rotated, revoked."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.auth import audit, store
from locus.server.auth.keyring import Keyring
from locus.server.auth.site import Site
from locus.server.dashboard import forms
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.errors import Invalid, Refused
from locus.server.events.log import Log
from locus.server.workspaces import key_actions
from locus.wire.workspaces import ApiKeyCreated, ApiKeyDraft, Purpose

HERE = "/w/{workspace:str}/settings/keys"
PATH = "/settings/keys"
MOST = 200  # keys on one page
DAYS = ((30, "30 days"), (90, "90 days"), (365, "a year"), (0, "never"))


@get(HERE)
async def show(page: NamedDependency[Page], log: NamedDependency[Log], site: NamedDependency[Site]) -> Response[bytes]:
    """The keys of this workspace, and those of the whole organization."""
    page.require(Purpose.ADMIN)
    return await shown(page, log, site)


async def shown(
    page: Page,
    log: Log,
    site: Site,
    *,
    status: int = 200,
    trouble: Refused | None = None,
    made: ApiKeyCreated | None = None,
) -> Response[bytes]:
    organization_id = page.principal.organization_id
    return page.render(
        "people/keys.html",
        status=status,
        here="settings",
        tab="keys",
        keys=await store.page(log.pool, organization_id, page.id, after=None, limit=MOST),
        everywhere=await store.page(log.pool, organization_id, None, after=None, limit=MOST),
        purposes=[(one.value, words) for one, words in PURPOSES.items()],
        days=DAYS,
        trouble=trouble.detail if trouble else "",
        made=made,
        server=site.origin,
    )


PURPOSES = {
    Purpose.WORKER: "worker: claim tasks and report on them",
    Purpose.READ: "read: look at everything",
    Purpose.MEMBER: "member: plan and decide",
    Purpose.ADMIN: "admin: workspaces and keys too",
}


@post(HERE)
async def create(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, site: NamedDependency[Site]
) -> Response[Any]:
    """Make a key and show it, once."""
    page.require(Purpose.ADMIN)
    form = await forms.read(request)
    try:
        days = whole(form.line("days"))
        draft = forms.wire(
            ApiKeyDraft, {"name": form.line("name"), "purpose": form.line("purpose"), "expires_in_days": days or None}
        )
        workspace_id = None if form.line("scope") == "organization" else page.id
        async with log.transaction() as db:
            author = audit.by(request, page.principal)
            made = await key_actions.create(db, page.principal, workspace_id, draft, author)
    except Refused as e:
        return await shown(page, log, site, status=e.status, trouble=e)
    return await shown(page, log, site, made=made)


@post(HERE + "/{key_id:uuid}/rotate")
async def rotate(
    key_id: FromPath[UUID],
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    request: AnyRequest,
    keyring: NamedDependency[Keyring],
    site: NamedDependency[Site],
) -> Response[Any]:
    """Give a key a new secret and show it, once; the old one ends."""
    page.require(Purpose.ADMIN)
    workspace_id = await scope(page, request)
    async with log.transaction() as db:
        author = audit.by(request, page.principal)
        made = await key_actions.rotate(db, page.principal, workspace_id, key_id, author)
    keyring.forget()
    return await shown(page, log, site, made=made)


@post(HERE + "/{key_id:uuid}/revoke")
async def revoke(
    key_id: FromPath[UUID],
    page: NamedDependency[Page],
    log: NamedDependency[Log],
    request: AnyRequest,
    keyring: NamedDependency[Keyring],
) -> Response[Any]:
    """End a key, for good."""
    page.require(Purpose.ADMIN)
    workspace_id = await scope(page, request)
    async with log.transaction() as db:
        await key_actions.revoke(db, page.principal, workspace_id, key_id, audit.by(request, page.principal))
    keyring.forget()
    return page.go(PATH)


async def scope(page: Page, request: AnyRequest) -> UUID | None:
    """The workspace of the key that a form is about; None for one of the organization."""
    return None if (await forms.read(request)).line("scope") == "organization" else page.id


def whole(given: str) -> int:
    if not given.isascii() or not given.isdigit():
        raise Invalid.field("days", "must be a whole number of days")
    return int(given)


ROUTES = [show, create, rotate, revoke]
