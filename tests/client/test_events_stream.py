"""The stream of events: resumed where it broke, each event once, whatever the connection does."""

import asyncio
from itertools import islice
from uuid import uuid4

import pytest
from tests.support.nowhere import Nowhere
from tests.support.scripted_http import Scripted, hang_up, problem, reply, scripted

from locus.client.errors import BadAnswer, NotSignedIn, Unreachable
from locus.client.plane import ControlPlane
from locus.wire.base import encode
from locus.wire.events import ActorKind, Event, EventDetail, EventKind

WORKSPACE = uuid4()


def frame(seq: int, title: str = "x") -> bytes:
    event = Event(
        seq=seq,
        workspace_id=WORKSPACE,
        kind=EventKind.TASK_CREATED,
        task_id=None,
        sprint_id=None,
        actor_kind=ActorKind.PERSON,
        actor_name="ada",
        detail=EventDetail(title=title),
        created_at="2026-01-01T00:00:00Z",  # type: ignore[arg-type]
    )
    return b"id: %d\nevent: task.created\ndata: %b\n\n" % (seq, encode(event))


def stream(*frames: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return head + b"retry: 1000\n: events follow\n\n" + b"".join(frames)


async def take(script: Scripted, count: int, *, after: int | None = 0) -> list[Event]:
    """The first `count` events of a stream, within ten seconds."""
    taken: list[Event] = []
    async with asyncio.timeout(10), ControlPlane(script.url, "lcs_x", WORKSPACE, egress=Nowhere()) as plane:
        events = plane.events.stream(after=after)
        async for event in events:
            taken.append(event)
            if len(taken) == count:
                break
        await events.aclose()
    return taken


def asked_after(script: Scripted) -> list[str | None]:
    return [request.headers.get("last-event-id") for request in script.received]


async def test_a_broken_stream_goes_on_after_the_last_event_seen() -> None:
    async with scripted(stream(frame(1), frame(2)), hang_up, reply(503), stream(frame(3))) as script:
        events = await take(script, 3)

    assert [event.seq for event in events] == [1, 2, 3]
    assert asked_after(script) == ["0", "2", "2", "2"]


async def test_a_frame_that_the_end_cut_off_comes_again_whole() -> None:
    cut = frame(2)[:-20]
    async with scripted(stream(frame(1), cut), stream(frame(2))) as script:
        events = await take(script, 2)

    assert [event.seq for event in events] == [1, 2]
    assert asked_after(script) == ["0", "1"]


async def test_a_number_without_an_event_is_remembered_for_the_next_connection() -> None:
    async with scripted(stream(b"id: 41\n\n"), stream(frame(42))) as script:
        events = await take(script, 1, after=None)

    assert [event.seq for event in events] == [42]
    assert asked_after(script) == [None, "41"]


async def test_text_with_foreign_line_ends_stays_in_its_event() -> None:
    title = "a\u2028b\x85c\x0bd\x1ee"
    async with scripted(stream(frame(1, title))) as script:
        events = await take(script, 1)

    assert events[0].detail.title == title


async def test_a_stream_in_the_smallest_pieces_is_the_same_stream() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        whole = iter(stream(frame(1, "über"), frame(2)))
        while piece := bytes(islice(whole, 7)):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async with scripted(trickle, stream()) as script:
        events = await take(script, 2)

    assert [event.detail.title for event in events] == ["über", "x"]


async def test_a_key_that_is_no_longer_valid_ends_the_stream() -> None:
    async with scripted(stream(frame(1)), problem(401, "unauthorized")) as script:
        with pytest.raises(NotSignedIn):
            await take(script, 2)


async def test_nobody_at_the_address_is_told_and_not_waited_for() -> None:
    async with scripted(hang_up) as script:
        with pytest.raises(Unreachable):
            await take(script, 1)

    assert len(script.received) == 1


async def test_a_line_without_end_is_refused() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(stream() + b"data: ")
        for _ in range(64):
            writer.write(b"x" * 65536)
            await writer.drain()

    async with scripted(flood) as script:
        with pytest.raises(BadAnswer):
            await take(script, 1)
