"""Routes of tasks: plan them, find them, decide about them."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from locus.server.auth.principals import Principal
from locus.server.events.log import Actor, Log
from locus.server.http.conditional import IfMatch, expected_version, tagged
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.tasks import actions, decisions, links, lists, moves, store
from locus.server.tasks.history_api import ROUTES as HISTORY
from locus.wire.base import Page
from locus.wire.tasks import (
    BlockedReason,
    ItemEdit,
    Priority,
    PullRequestLink,
    Role,
    Status,
    StatusChange,
    Task,
    TaskDraft,
    TaskEdit,
    TasksMove,
    TasksMoved,
)
from locus.wire.workspaces import Purpose

TASKS = "/workspaces/{workspace_id:uuid}/tasks"
ONE = TASKS + "/{task:str}"

Sprint = Annotated[
    str | None, QueryParameter(max_length=36, description="`active`, `none`, the number of a sprint or its id.")
]
Labels = Annotated[list[str] | None, QueryParameter(max_items=20, description="Any of these labels.")]
Assignee = Annotated[str | None, QueryParameter(max_length=100, description="Tasks of this person.")]
Text = Annotated[
    str | None,
    QueryParameter(min_length=1, max_length=200, description="Part of the title, the description or the key."),
]
View = Annotated[
    lists.View,
    QueryParameter(
        description="`next`: what agents take, in that order, of the active sprint if none is named; what waits for "
        "other tasks comes last."
    ),
]


@get(TASKS, operation_id="list_tasks", tags=["tasks"])
async def list_tasks(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    view: View = lists.View.ALL,
    status: FromQuery[list[Status] | None] = None,
    sprint: Sprint = None,
    priority: FromQuery[list[Priority] | None] = None,
    role: FromQuery[list[Role] | None] = None,
    label: Labels = None,
    assignee: Assignee = None,
    blocked_reason: FromQuery[list[BlockedReason] | None] = None,
    text: Text = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Task]:
    """List tasks in the order of dispatch: priority, then position."""
    principal.enter(workspace_id, Purpose.READ)
    wanted = lists.Filter(
        view=view,
        status=status or (),
        sprint=sprint,
        priority=priority or (),
        role=role or (),
        label=label or (),
        assignee=assignee,
        blocked_reason=blocked_reason or (),
        text=text,
    )
    after = decode_cursor(cursor, lists.Place)
    found = await lists.listed(log.pool, workspace_id, wanted, after=after, limit=limit)
    return Page(items=found.tasks, next_cursor=encode_cursor(found.following) if found.following else None)


@post(TASKS, operation_id="create_task", tags=["tasks"])
async def create_task(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[TaskDraft],
) -> Response[Task]:
    """Create a task at the end of its sprint, or of the backlog."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction(work=workspace_id) as db:
        return await once(db, request, principal, lambda: actions.create(db, workspace_id, actor, data))


@get(ONE, operation_id="get_task", tags=["tasks"])
async def get_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Task]:
    """Read a task by its id or its key."""
    principal.enter(workspace_id, Purpose.READ)
    task_id = await store.find(log.pool, workspace_id, task)
    return tagged(await store.get(log.pool, workspace_id, task_id))


@patch(ONE, operation_id="edit_task", tags=["tasks"])
async def edit_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[TaskEdit],
    if_match: IfMatch = None,
) -> Response[Task]:
    """Change fields of a task; null clears one that may be empty."""
    principal.enter(workspace_id, Purpose.MEMBER)
    expected = expected_version(if_match)
    async with log.transaction(work=workspace_id) as db:
        task_id = await store.find(db, workspace_id, task)
        return tagged(await actions.edit(db, workspace_id, Actor.of(principal), task_id, data, expected=expected))


@delete(ONE, operation_id="delete_task", tags=["tasks"])
async def delete_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    if_match: IfMatch = None,
) -> None:
    """Delete a task that no agent holds."""
    principal.enter(workspace_id, Purpose.MEMBER)
    expected = expected_version(if_match)
    async with log.transaction(work=workspace_id) as db:
        task_id = await store.find(db, workspace_id, task)
        await actions.delete(db, workspace_id, Actor.of(principal), task_id, expected=expected)


@post(ONE + "/status", operation_id="change_task_status", tags=["tasks"], status_code=200)
async def change_task_status(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[StatusChange],
    if_match: IfMatch = None,
) -> Response[Task]:
    """Approve, reject, block, unblock, reopen, or work on it by hand. If-Match is optional here."""
    principal.enter(workspace_id, Purpose.MEMBER)
    expected = None if if_match is None else expected_version(if_match)
    actor = Actor.of(principal)
    async with log.transaction(work=workspace_id) as db:

        async def decide() -> Task:
            task_id = await store.find(db, workspace_id, task)
            return await decisions.change_status(db, workspace_id, actor, task_id, data, expected=expected)

        return await once(db, request, principal, decide, status=200)


@patch(ONE + "/checklist/{item:str}", operation_id="edit_checklist_item", tags=["tasks"])
async def edit_checklist_item(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    item: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[ItemEdit],
) -> Response[Task]:
    """Tick or reword one checklist item; edits of other items at the same time lose nothing."""
    principal.enter(workspace_id, Purpose.MEMBER)
    async with log.transaction() as db:
        task_id = await store.find(db, workspace_id, task)
        return tagged(await actions.edit_item(db, workspace_id, Actor.of(principal), task_id, item, data))


@post(TASKS + "/move", operation_id="move_tasks", tags=["tasks"], status_code=200)
async def move_tasks(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[TasksMove],
) -> Response[TasksMoved]:
    """Put tasks into a sprint, or elsewhere in its order; all of them or none."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction(work=workspace_id) as db:

        async def move() -> TasksMoved:
            return TasksMoved(tasks=await moves.move(db, workspace_id, actor, data))

        return await once(db, request, principal, move, status=200)


@post(TASKS + "/pull-request", operation_id="link_pull_request", tags=["tasks"], status_code=200)
async def link_pull_request(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[PullRequestLink],
) -> Response[TasksMoved]:
    """Tell which pull request carries the work of these tasks; all of them or none."""
    principal.enter(workspace_id, Purpose.WORKER)
    actor = Actor.of(principal)
    async with log.transaction() as db:

        async def link() -> TasksMoved:
            return TasksMoved(tasks=await links.link(db, workspace_id, actor, data))

        return await once(db, request, principal, link, status=200)


ROUTES = [
    list_tasks,
    create_task,
    get_task,
    edit_task,
    delete_task,
    change_task_status,
    edit_checklist_item,
    move_tasks,
    link_pull_request,
    *HISTORY,
]
