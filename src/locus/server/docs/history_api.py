"""Routes of the groups of docs, and of what docs were before."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth.principals import Principal
from locus.server.docs import actions, history, store
from locus.server.errors import NotFound
from locus.server.events.log import Actor, Log
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.wire.base import Page
from locus.wire.docs import DocGroupRename, DocGroups, DocVersion, OldDoc
from locus.wire.workspaces import Purpose

DOCS = "/workspaces/{workspace_id:uuid}/docs"
VERSIONS = DOCS + "/{doc_id:uuid}/versions"
LARGEST = 2_147_483_647  # of an integer column


class Below(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: its last version."""

    version: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]


@get(DOCS + "/groups", operation_id="list_doc_groups", tags=["docs"])
async def list_doc_groups(
    workspace_id: FromPath[UUID], principal: NamedDependency[Principal], log: NamedDependency[Log]
) -> DocGroups:
    """List the groups that docs are in."""
    principal.enter(workspace_id, Purpose.READ)
    return DocGroups(groups=await store.groups(log.pool, workspace_id))


@post(DOCS + "/groups/rename", operation_id="rename_doc_group", tags=["docs"], status_code=200)
async def rename_doc_group(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[DocGroupRename],
) -> DocGroups:
    """Rename a group, or take its docs out of it."""
    principal.enter(workspace_id, Purpose.MEMBER)
    async with log.transaction() as db:
        await actions.rename_group(db, workspace_id, data, Actor.of(principal))
        return DocGroups(groups=await store.groups(db, workspace_id))


@get(VERSIONS, operation_id="list_doc_versions", tags=["docs"])
async def list_doc_versions(
    workspace_id: FromPath[UUID],
    doc_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DocVersion]:
    """List what a doc was, the newest version first; the last 100 are kept."""
    principal.enter(workspace_id, Purpose.READ)
    below = decode_cursor(cursor, Below)
    found = await history.listed(
        log.pool, workspace_id, doc_id, below=None if below is None else below.version, limit=limit + 1
    )
    if not found and await store.get(log.pool, workspace_id, doc_id) is None:
        raise NotFound
    shown = found[:limit]
    more = encode_cursor(Below(shown[-1].version)) if len(found) > limit else None
    return Page(items=shown, next_cursor=more)


@get(VERSIONS + "/{edition:int}", operation_id="get_doc_version", tags=["docs"])
async def get_doc_version(
    workspace_id: FromPath[UUID],
    doc_id: FromPath[UUID],
    edition: FromPath[int],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> OldDoc:
    """Read what a doc was after an edit."""
    principal.enter(workspace_id, Purpose.READ)
    found = await history.get(log.pool, workspace_id, doc_id, edition) if 0 < edition <= LARGEST else None
    if found is None:
        raise NotFound
    return found


ROUTES = [list_doc_groups, rename_doc_group, list_doc_versions, get_doc_version]
