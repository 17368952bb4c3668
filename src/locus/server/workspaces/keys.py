"""Routes of API keys: of one workspace, and of the whole organization."""

from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth import audit, bearer, store
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Principal
from locus.server.events.log import Log
from locus.server.http.idempotency import Seal, once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.workspaces import key_actions
from locus.server.workspaces.api import enter_organization
from locus.wire.base import Moment, Page
from locus.wire.workspaces import ApiKey, ApiKeyCreated, ApiKeyDraft, Purpose

HERE = "/workspaces/{workspace_id:uuid}/keys"
EVERYWHERE = "/organization/keys"


async def page(
    log: Log, principal: Principal, workspace_id: UUID | None, limit: int, cursor: str | None
) -> Page[ApiKey]:
    after = decode_cursor(cursor, tuple[Moment, UUID])
    found = await store.page(log.pool, principal.organization_id, workspace_id, after=after, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return Page(items=items, next_cursor=encode_cursor((items[-1].created_at, items[-1].id)) if more else None)


def seal(request: Request) -> Seal:
    """An answer with a secret is remembered so that only the same caller can read it again."""
    return Seal(bearer.credential_of(request).encode())


@get(HERE, operation_id="list_workspace_keys", tags=["keys"])
async def list_keys(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ApiKey]:
    """List the keys of a workspace, the newest first, revoked ones too."""
    principal.enter(workspace_id, Purpose.ADMIN)
    return await page(log, principal, workspace_id, limit, cursor)


@post(HERE, operation_id="create_workspace_key", tags=["keys"])
async def create_key(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[ApiKeyDraft],
) -> Response[ApiKeyCreated]:
    """Make a key for one workspace. The answer is the only one that ever has its secret."""
    principal.enter(workspace_id, Purpose.ADMIN)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        return await once(
            db,
            request,
            principal,
            lambda: key_actions.create(db, principal, workspace_id, data, author),
            seal=seal(request),
        )


@post(HERE + "/{key_id:uuid}/rotate", operation_id="rotate_workspace_key", tags=["keys"])
async def rotate_key(
    workspace_id: FromPath[UUID],
    key_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> Response[ApiKeyCreated]:
    """Give a key a new secret; the old one ends at once."""
    principal.enter(workspace_id, Purpose.ADMIN)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        answer = await once(
            db,
            request,
            principal,
            lambda: key_actions.rotate(db, principal, workspace_id, key_id, author),
            seal=seal(request),
        )
    keyring.forget()
    return answer


@delete(HERE + "/{key_id:uuid}", operation_id="revoke_workspace_key", tags=["keys"])
async def revoke_key(
    workspace_id: FromPath[UUID],
    key_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> None:
    """End a key at once, for good."""
    principal.enter(workspace_id, Purpose.ADMIN)
    async with log.transaction() as db:
        await key_actions.revoke(db, principal, workspace_id, key_id, audit.by(request, principal))
    keyring.forget()


@get(EVERYWHERE, operation_id="list_organization_keys", tags=["keys"])
async def list_organization_keys(
    principal: NamedDependency[Principal], log: NamedDependency[Log], limit: Limit = 50, cursor: Cursor = None
) -> Page[ApiKey]:
    """List the keys for the whole organization, the newest first, revoked ones too."""
    enter_organization(principal, Purpose.ADMIN)
    return await page(log, principal, None, limit, cursor)


@post(EVERYWHERE, operation_id="create_organization_key", tags=["keys"])
async def create_organization_key(
    request: Request, principal: NamedDependency[Principal], log: NamedDependency[Log], data: JSONBody[ApiKeyDraft]
) -> Response[ApiKeyCreated]:
    """Make a key for every workspace of the organization. The answer is the only one that ever has its secret."""
    enter_organization(principal, Purpose.ADMIN)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        return await once(
            db, request, principal, lambda: key_actions.create(db, principal, None, data, author), seal=seal(request)
        )


@post(EVERYWHERE + "/{key_id:uuid}/rotate", operation_id="rotate_organization_key", tags=["keys"])
async def rotate_organization_key(
    key_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> Response[ApiKeyCreated]:
    """Give a key of the organization a new secret; the old one ends at once."""
    enter_organization(principal, Purpose.ADMIN)
    author = audit.by(request, principal)
    async with log.transaction() as db:
        answer = await once(
            db, request, principal, lambda: key_actions.rotate(db, principal, None, key_id, author), seal=seal(request)
        )
    keyring.forget()
    return answer


@delete(EVERYWHERE + "/{key_id:uuid}", operation_id="revoke_organization_key", tags=["keys"])
async def revoke_organization_key(
    key_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    keyring: NamedDependency[Keyring],
) -> None:
    """End a key of the organization at once, for good."""
    enter_organization(principal, Purpose.ADMIN)
    async with log.transaction() as db:
        await key_actions.revoke(db, principal, None, key_id, audit.by(request, principal))
    keyring.forget()


ROUTES = [
    list_keys,
    create_key,
    rotate_key,
    revoke_key,
    list_organization_keys,
    create_organization_key,
    rotate_organization_key,
    revoke_organization_key,
]
