"""Routes of events: what has happened, as a list or as it happens."""

from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from locus.server.auth import bearer
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Principal
from locus.server.errors import Invalid
from locus.server.events import activity_api, chain, store
from locus.server.events.log import Log
from locus.server.events.stream import Streams
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.wire.base import Page
from locus.wire.events import Event, EventKind
from locus.wire.workspaces import Purpose

EVENTS = "/workspaces/{workspace_id:uuid}/events"
MOST = 2**63 - 1  # the largest number a bigint holds

After = Annotated[int, QueryParameter(ge=0, le=MOST, description="Only events with a higher number.")]
AfterOrNow = Annotated[
    int | None,
    QueryParameter(ge=0, le=MOST, description="Begin after this number; left out, with what happens from now on."),
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", description="The number of the last event that was seen; outranks `after`."),
]
Task = Annotated[UUID | None, QueryParameter(description="Only events of this task.")]


@get(EVENTS, operation_id="list_events", tags=["events"])
async def list_events(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    after: After = 0,
    task: Task = None,
    kind: FromQuery[list[EventKind] | None] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Event]:
    """List events in order, without a gap."""
    principal.enter(workspace_id, Purpose.READ)
    shown = decode_cursor(cursor, int)
    if shown is not None:
        if not 0 <= shown <= MOST:
            raise Invalid.field("cursor", "is not one that this list has given out")
        after = max(after, shown)
    found = await store.after(log.pool, workspace_id, after, limit=limit + 1, task_id=task, kinds=kind)
    items = found[:limit]
    return Page(items=items, next_cursor=encode_cursor(items[-1].seq) if len(found) > limit else None)


@get(
    EVENTS + "/stream",
    operation_id="stream_events",
    tags=["events"],
    media_type="text/event-stream",
    summary="Events as they happen",
)
async def stream_events(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    streams: NamedDependency[Streams],
    keyring: NamedDependency[Keyring],
    after: AfterOrNow = None,
    last_event_id: LastEventId = None,
) -> Stream:
    """Send every event once and in order; a reader that comes back with the last number it saw misses none."""
    principal.enter(workspace_id, Purpose.READ)

    async def check() -> None:
        (await bearer.again(request, keyring, workspace_id)).enter(workspace_id, Purpose.READ)

    frames = streams.read(workspace_id, principal.session_id or principal.id, _number(last_event_id, after), check)
    await anext(frames)  # the stream is open, or the refusal is an answer like any other
    return Stream(frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@get(
    EVENTS + "/export",
    operation_id="export_events",
    tags=["events"],
    media_type="application/jsonl",
    summary="The audit trail as JSON lines",
)
async def export_events(
    workspace_id: FromPath[UUID], principal: NamedDependency[Principal], log: NamedDependency[Log], after: After = 0
) -> Stream:
    """Send every event with the hash that chains it to the one before, a line each."""
    principal.enter(workspace_id, Purpose.READ)
    return Stream(chain.export(log.pool, workspace_id, after), media_type="application/jsonl")


def _number(last_event_id: str | None, after: int | None) -> int | None:
    if not last_event_id:
        return after
    if not (last_event_id.isascii() and last_event_id.isdigit()) or int(last_event_id) > MOST:
        raise Invalid.field("Last-Event-ID", "must be the number of an event")
    return int(last_event_id)


ROUTES = [list_events, stream_events, export_events, *activity_api.ROUTES]
