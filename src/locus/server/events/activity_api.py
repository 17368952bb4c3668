"""The route of activity."""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from locus.server.auth.principals import Principal
from locus.server.errors import Invalid
from locus.server.events import activity
from locus.server.events.log import Log
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.wire.base import Page
from locus.wire.events import ActorKind, Event, EventKind
from locus.wire.workspaces import Purpose

MOST = 2**63 - 1  # the largest number a bigint holds

Actor = Annotated[str | None, QueryParameter(max_length=100, description="Only what this one did.")]
Task = Annotated[UUID | None, QueryParameter(description="Only events of this task.")]
Sprint = Annotated[UUID | None, QueryParameter(description="Only events in this sprint.")]


@get("/workspaces/{workspace_id:uuid}/activity", operation_id="list_activity", tags=["events"])
async def list_activity(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    kind: FromQuery[list[EventKind] | None] = None,
    actor_kind: FromQuery[ActorKind | None] = None,
    actor: Actor = None,
    task: Task = None,
    sprint: Sprint = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Event]:
    """List events, the newest first."""
    principal.enter(workspace_id, Purpose.READ)
    below = decode_cursor(cursor, int)
    if below is not None and not 0 <= below <= MOST:
        raise Invalid.field("cursor", "is not one that this list has given out")
    wanted = activity.Filter(kinds=kind or (), actor_kind=actor_kind, actor=actor, task_id=task, sprint_id=sprint)
    found = await activity.newest(log.pool, workspace_id, wanted, below=below, limit=limit + 1)
    items = found[:limit]
    return Page(items=items, next_cursor=encode_cursor(items[-1].seq) if len(found) > limit else None)


ROUTES = [list_activity]
