"""Routes of sprints."""

from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth.principals import Principal
from locus.server.errors import NotFound
from locus.server.events.log import Actor, Log
from locus.server.http.conditional import IfMatch, expected_version, tagged
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.sprints import actions, reports_api, store
from locus.wire.base import Page
from locus.wire.sprints import Sprint, SprintCompletion, SprintDraft, SprintEdit
from locus.wire.work import SprintProgress
from locus.wire.workspaces import Purpose

SPRINTS = "/workspaces/{workspace_id:uuid}/sprints"
ONE = SPRINTS + "/{sprint:str}"


@get(SPRINTS, operation_id="list_sprints", tags=["sprints"])
async def list_sprints(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Sprint]:
    """List sprints with their tasks counted by status, newest first."""
    principal.enter(workspace_id, Purpose.READ)
    below = decode_cursor(cursor, store.Below)
    found = await store.listed(log.pool, workspace_id, below=None if below is None else below.number, limit=limit + 1)
    shown = found[:limit]
    more = encode_cursor(store.Below(shown[-1].number)) if len(found) > limit else None
    return Page(items=shown, next_cursor=more)


@post(SPRINTS, operation_id="create_sprint", tags=["sprints"])
async def create_sprint(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[SprintDraft],
) -> Response[Sprint]:
    """Plan a sprint."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction() as db:
        return await once(db, request, principal, lambda: actions.create(db, workspace_id, actor, data))


@get(ONE, operation_id="get_sprint", tags=["sprints"])
async def get_sprint(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Sprint]:
    """Read a sprint by its id or its number, or the one that is `active`."""
    principal.enter(workspace_id, Purpose.READ)
    sprint_id = await store.find(log.pool, workspace_id, sprint)
    return tagged(await store.get(log.pool, workspace_id, sprint_id))


@get(ONE + "/progress", operation_id="get_sprint_progress", tags=["sprints"])
async def get_sprint_progress(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> SprintProgress:
    """Tell what is left to do in a sprint, as workers see it."""
    principal.enter(workspace_id, Purpose.READ)
    sprint_id = await store.find(log.pool, workspace_id, sprint)
    found = await store.progress(log.pool, workspace_id, sprint_id)
    if found is None:
        raise NotFound
    return found


@patch(ONE, operation_id="edit_sprint", tags=["sprints"])
async def edit_sprint(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[SprintEdit],
    if_match: IfMatch = None,
) -> Response[Sprint]:
    """Change the name, the goal or the dates of a sprint."""
    principal.enter(workspace_id, Purpose.MEMBER)
    expected = expected_version(if_match)
    async with log.transaction() as db:
        sprint_id = await store.find(db, workspace_id, sprint)
        return tagged(await actions.edit(db, workspace_id, Actor.of(principal), sprint_id, data, expected=expected))


@post(ONE + "/start", operation_id="start_sprint", tags=["sprints"], status_code=200)
async def start_sprint(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Sprint]:
    """Make a planned sprint the active one: its tasks are handed out from now on."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction(work=workspace_id) as db:

        async def start() -> Sprint:
            return await actions.start(db, workspace_id, actor, await store.find(db, workspace_id, sprint))

        return await once(db, request, principal, start, status=200)


@post(ONE + "/complete", operation_id="complete_sprint", tags=["sprints"], status_code=200)
async def complete_sprint(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[SprintCompletion],
) -> Response[Sprint]:
    """End the active sprint, saying what becomes of tasks that are not done."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction(work=workspace_id) as db:

        async def complete() -> Sprint:
            return await actions.complete(db, workspace_id, actor, await store.find(db, workspace_id, sprint), data)

        return await once(db, request, principal, complete, status=200)


@delete(ONE, operation_id="delete_sprint", tags=["sprints"])
async def delete_sprint(
    workspace_id: FromPath[UUID],
    sprint: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    if_match: IfMatch = None,
) -> None:
    """Delete a sprint that is planned or empty; its tasks go to the backlog."""
    principal.enter(workspace_id, Purpose.MEMBER)
    expected = expected_version(if_match)
    async with log.transaction(work=workspace_id) as db:
        sprint_id = await store.find(db, workspace_id, sprint)
        await actions.delete(db, workspace_id, Actor.of(principal), sprint_id, expected=expected)


ROUTES = [
    list_sprints,
    create_sprint,
    get_sprint,
    get_sprint_progress,
    edit_sprint,
    start_sprint,
    complete_sprint,
    delete_sprint,
    *reports_api.ROUTES,
]
