"""Routes of who one is, the organization and its workspaces."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from locus.server.auth import audit
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Principal
from locus.server.errors import Forbidden, NotFound, Unauthorized
from locus.server.events.log import Actor, Log
from locus.server.http.conditional import IfMatch, expected_version, tagged
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.workspaces import actions, store
from locus.wire.base import Moment, Page
from locus.wire.workspaces import (
    Me,
    Organization,
    OrganizationEdit,
    Purpose,
    Workspace,
    WorkspaceDraft,
    WorkspaceEdit,
)

Confirm = Annotated[str | None, QueryParameter(max_length=10, description="The workspace's prefix.")]


def enter_organization(principal: Principal, needed: Purpose) -> UUID:
    """The organization of a key that is for all of it, and for what is needed."""
    if principal.workspace_id is not None:
        raise Forbidden("This key is for one workspace; this needs a key for the organization.")
    principal.require(needed)
    return principal.organization_id


@get("/me", operation_id="me", tags=["keys"])
async def me(principal: NamedDependency[Principal], log: NamedDependency[Log], version: NamedDependency[str]) -> Me:
    """Tell who the server takes the caller for."""
    organization = await store.organization(log.pool, principal.organization_id)
    workspace = await store.get(log.pool, principal.workspace_id) if principal.workspace_id else None
    if organization is None:
        raise Unauthorized("The organization of this key is gone.")
    return Me(
        key_id=principal.id,
        name=principal.name,
        purpose=principal.purpose,
        organization=organization,
        workspace=workspace,
        expires_at=principal.expires_at,
        role=principal.role,
        server_version=version,
    )


@get("/organization", operation_id="get_organization", tags=["organization"])
async def get_organization(principal: NamedDependency[Principal], log: NamedDependency[Log]) -> Organization:
    """Tell the organization that the key belongs to."""
    found = await store.organization(log.pool, principal.organization_id)
    if found is None:
        raise NotFound
    return found


@patch("/organization", operation_id="edit_organization", tags=["organization"])
async def edit_organization(
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[OrganizationEdit],
) -> Organization:
    """Rename the organization."""
    organization_id = enter_organization(principal, Purpose.ADMIN)
    async with log.transaction() as db:
        return await actions.rename_organization(db, organization_id, data, audit.by(request, principal))


@get("/workspaces", operation_id="list_workspaces", tags=["workspaces"])
async def list_workspaces(
    principal: NamedDependency[Principal], log: NamedDependency[Log], limit: Limit = 50, cursor: Cursor = None
) -> Page[Workspace]:
    """List the workspaces that the key opens, the oldest first."""
    after = decode_cursor(cursor, tuple[Moment, UUID])
    found = await store.page(log.pool, principal.workspaces, after=after, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return Page(items=items, next_cursor=encode_cursor((items[-1].created_at, items[-1].id)) if more else None)


@post("/workspaces", operation_id="create_workspace", tags=["workspaces"])
async def create_workspace(
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
    data: JSONBody[WorkspaceDraft],
) -> Response[Workspace]:
    """Make a workspace in the organization."""
    organization_id = enter_organization(principal, Purpose.ADMIN)
    actor, author = Actor.of(principal), audit.by(request, principal)
    async with log.transaction() as db:
        answer = await once(db, request, principal, lambda: actions.create(db, organization_id, data, actor, author))
    keyring.forget()  # the caller may enter it from now on
    return answer


@get("/workspaces/{workspace_id:uuid}", operation_id="get_workspace", tags=["workspaces"])
async def get_workspace(
    workspace_id: FromPath[UUID], principal: NamedDependency[Principal], log: NamedDependency[Log]
) -> Response[Workspace]:
    """Tell one workspace."""
    principal.enter(workspace_id, Purpose.READ)
    found = await store.get(log.pool, workspace_id)
    if found is None:
        raise NotFound
    return tagged(found)


@patch("/workspaces/{workspace_id:uuid}", operation_id="edit_workspace", tags=["workspaces"])
async def edit_workspace(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[WorkspaceEdit],
    if_match: IfMatch = None,
) -> Response[Workspace]:
    """Change the name, the default checklist of new tasks, or how often a task may be attempted."""
    principal.enter(workspace_id, Purpose.ADMIN)
    version = expected_version(if_match)
    async with log.transaction() as db:
        return tagged(await actions.edit(db, workspace_id, version, data, Actor.of(principal)))


@delete("/workspaces/{workspace_id:uuid}", operation_id="delete_workspace", tags=["workspaces"])
async def delete_workspace(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
    confirm: Confirm = None,
    if_match: IfMatch = None,
) -> None:
    """Delete a workspace with everything in it: its tasks, sprints, docs, events and keys."""
    principal.enter(workspace_id, Purpose.ADMIN)
    version = expected_version(if_match)
    async with log.transaction() as db:
        await actions.delete(db, workspace_id, version, confirm, audit.by(request, principal))
    keyring.forget()


ROUTES = [
    me,
    get_organization,
    edit_organization,
    list_workspaces,
    create_workspace,
    get_workspace,
    edit_workspace,
    delete_workspace,
]
