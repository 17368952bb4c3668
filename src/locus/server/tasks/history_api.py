"""Routes of what was said about a task and tried for it: comments and attempts."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth.principals import Principal
from locus.server.events.log import Actor, Log
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.tasks import attempts, comments, store
from locus.wire.base import Page
from locus.wire.tasks import Comment, CommentDraft
from locus.wire.work import Attempt
from locus.wire.workspaces import Purpose

ONE = "/workspaces/{workspace_id:uuid}/tasks/{task:str}"


@get(ONE + "/comments", operation_id="list_comments", tags=["tasks"])
async def list_comments(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Comment]:
    """List the comments on a task, oldest first."""
    principal.enter(workspace_id, Purpose.READ)
    after = decode_cursor(cursor, comments.After)
    task_id = await store.find(log.pool, workspace_id, task)
    found = await comments.listed(log.pool, workspace_id, task_id, after=after, limit=limit + 1)
    shown = found[:limit]
    more = encode_cursor(comments.After.the(shown[-1])) if len(found) > limit else None
    return Page(items=shown, next_cursor=more)


@post(ONE + "/comments", operation_id="add_comment", tags=["tasks"])
async def add_comment(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[CommentDraft],
) -> Response[Comment]:
    """Say something about a task; the next attempt's agent reads it."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction() as db:

        async def add() -> Comment:
            task_id = await store.find(db, workspace_id, task)
            return await comments.add(db, workspace_id, actor, task_id, data)

        return await once(db, request, principal, add)


@get(ONE + "/attempts", operation_id="list_attempts", tags=["tasks"])
async def list_attempts(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Attempt]:
    """List what each ended attempt came to, newest first."""
    principal.enter(workspace_id, Purpose.READ)
    below = decode_cursor(cursor, attempts.Below)
    task_id = await store.find(log.pool, workspace_id, task)
    found = await attempts.listed(
        log.pool, workspace_id, task_id, below=None if below is None else below.fence, limit=limit + 1
    )
    shown = found[:limit]
    more = encode_cursor(attempts.Below(shown[-1].fence)) if len(found) > limit else None
    return Page(items=shown, next_cursor=more)


ROUTES = [list_comments, add_comment, list_attempts]
