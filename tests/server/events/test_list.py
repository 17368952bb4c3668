"""The list of events over HTTP."""

from uuid import uuid4

import httpx
import msgspec
import pytest
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.server.events.log import SYSTEM, Log, record
from locus.wire.base import Page
from locus.wire.events import Event, EventKind

EVENTS = "/events"


@pytest.fixture
async def happened(server: RunningServer) -> list[object]:
    """Five numbered events: two about one task, one about another, two about docs."""
    log, task, other = Log(server.pool), uuid4(), uuid4()
    for kind, about in (
        (EventKind.DOC_EDITED, None),
        (EventKind.TASK_CREATED, task),
        (EventKind.TASK_CREATED, other),
        (EventKind.TASK_EDITED, task),
        (EventKind.DOC_DELETED, None),
    ):
        async with log.transaction() as db:
            await record(db, server.workspace.id, kind, SYSTEM, task_id=about)

    async def numbered() -> bool:
        return await server.pool.fetchval("SELECT max(seq) FROM events") == 5

    await until(numbered)
    return [task, other]


async def page(api: httpx.AsyncClient, server: RunningServer, **query: object) -> Page[Event]:
    response = await api.get(server.path(EVENTS), params=query)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Page[Event])


async def seqs(api: httpx.AsyncClient, server: RunningServer, **query: object) -> list[int]:
    return [event.seq for event in (await page(api, server, **query)).items]


async def test_pages_follow_each_other_without_a_gap(
    server: RunningServer, api: httpx.AsyncClient, happened: list[object]
) -> None:
    first = await page(api, server, limit=2)
    second = await page(api, server, limit=2, cursor=first.next_cursor)
    third = await page(api, server, limit=2, cursor=second.next_cursor)

    assert [event.seq for shown in (first, second, third) for event in shown.items] == [1, 2, 3, 4, 5]
    assert third.next_cursor is None


async def test_events_are_listed_after_a_number_for_a_task_and_by_kind(
    server: RunningServer, api: httpx.AsyncClient, happened: list[object]
) -> None:
    assert await seqs(api, server, after=3) == [4, 5]
    assert await seqs(api, server, task=happened[0]) == [2, 4]
    assert await seqs(api, server, kind="task.created") == [2, 3]
    assert await seqs(api, server, kind=["doc.edited", "doc.deleted"]) == [1, 5]
    assert await seqs(api, server, task=happened[1], kind="task.edited") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": -1}, "after"),
        ({"after": 2**63}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"task": "x"}, "task"),
        ({"kind": "task.invented"}, "kind"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "LTU"}, "cursor"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(
    server: RunningServer, api: httpx.AsyncClient, query: dict[str, object], field: str
) -> None:
    response = await api.get(server.path(EVENTS), params=query)  # type: ignore[arg-type]

    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_foreign_events_are_not_found(server: RunningServer, api: httpx.AsyncClient) -> None:
    foreign = await server.foreign()

    assert (await api.get(server.path(EVENTS, foreign.id))).status_code == 404
