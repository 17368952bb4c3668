"""Routes of docs."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from locus.server.auth.principals import Principal
from locus.server.docs import actions, history_api, store
from locus.server.errors import NotFound
from locus.server.events.log import Actor, Log
from locus.server.http.conditional import IfMatch, expected_version, tagged
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.wire.base import MAX_DOC_BODY, Moment, Page
from locus.wire.docs import Doc, DocDraft, DocEdit, DocKind, DocRef
from locus.wire.workspaces import Purpose

DOCS = "/workspaces/{workspace_id:uuid}/docs"
ONE = DOCS + "/{doc_id:uuid}"

Text = Annotated[str | None, QueryParameter(max_length=200, description="Only docs that contain this text.")]

InGroup = Annotated[
    str | None, QueryParameter(max_length=100, description="Only docs of this group; empty: those in none.")
]


@get(DOCS, operation_id="list_docs", tags=["docs"])
async def list_docs(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    kind: FromQuery[DocKind | None] = None,
    text: Text = None,
    group: InGroup = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DocRef]:
    """List docs without their text, the newest first."""
    principal.enter(workspace_id, Purpose.READ)
    after = decode_cursor(cursor, tuple[Moment, UUID])
    found = await store.page(log.pool, workspace_id, kind=kind, text=text, group=group, after=after, limit=limit + 1)
    shown = found[:limit]
    last = encode_cursor((shown[-1][1], shown[-1][0].id)) if len(found) > limit else None
    return Page(items=[ref for ref, _ in shown], next_cursor=last)


@post(DOCS, operation_id="create_doc", tags=["docs"], request_max_body_size=MAX_DOC_BODY)
async def create_doc(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[DocDraft],
) -> Response[Doc]:
    """Write a doc."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction() as db:
        return await once(db, request, principal, lambda: actions.create(db, workspace_id, data, actor))


@get(ONE, operation_id="get_doc", tags=["docs"])
async def get_doc(
    workspace_id: FromPath[UUID],
    doc_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Doc]:
    """Read a doc."""
    principal.enter(workspace_id, Purpose.READ)
    found = await store.get(log.pool, workspace_id, doc_id)
    if found is None:
        raise NotFound
    return tagged(found)


@patch(ONE, operation_id="edit_doc", tags=["docs"], request_max_body_size=MAX_DOC_BODY)
async def edit_doc(
    workspace_id: FromPath[UUID],
    doc_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[DocEdit],
    if_match: IfMatch = None,
) -> Response[Doc]:
    """Change the title, the kind or the text of a doc."""
    principal.enter(workspace_id, Purpose.MEMBER)
    version = expected_version(if_match)
    async with log.transaction() as db:
        return tagged(await actions.edit(db, workspace_id, doc_id, version, data, Actor.of(principal)))


@delete(ONE, operation_id="delete_doc", tags=["docs"])
async def delete_doc(
    workspace_id: FromPath[UUID],
    doc_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    if_match: IfMatch = None,
) -> None:
    """Delete a doc."""
    principal.enter(workspace_id, Purpose.MEMBER)
    version = expected_version(if_match)
    async with log.transaction() as db:
        await actions.delete(db, workspace_id, doc_id, version, Actor.of(principal))


ROUTES = [list_docs, create_doc, get_doc, edit_doc, delete_doc, *history_api.ROUTES]
