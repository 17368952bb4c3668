"""Docs over HTTP."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.support import server as servers
from tests.support.postgres import Databases
from tests.support.server import RunningServer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


async def test_a_doc_is_written_read_edited_and_deleted(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = await api.post(server.path("/docs"), json={"title": "Plan", "kind": "PRD", "text": "# One"})
    where = server.path(f"/docs/{made.json()['id']}")
    read = await api.get(where)
    edited = await api.patch(where, json={"text": ""}, headers={"If-Match": read.headers["etag"]})

    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    assert read.json() == made.json()
    assert (edited.json()["title"], edited.json()["kind"], edited.json()["text"]) == ("Plan", "PRD", "")
    assert edited.json()["version"] == 2

    assert (await api.delete(where, headers={"If-Match": '"1"'})).json()["code"] == "stale"
    assert (await api.delete(where)).status_code == 428
    assert (await api.delete(where, headers={"If-Match": '"2"'})).status_code == 204
    assert (await api.get(where)).status_code == 404
    assert (await api.delete(where, headers={"If-Match": "*"})).status_code == 404


async def test_of_two_edits_of_one_version_one_is_refused(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = (await api.post(server.path("/docs"), json={"title": "Plan"})).json()
    where = server.path(f"/docs/{made['id']}")
    answers = await asyncio.gather(
        *(api.patch(where, json={"text": str(n)}, headers={"If-Match": '"1"'}) for n in range(6))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert (await api.get(where)).json()["version"] == 2


async def test_a_foreign_doc_is_as_if_it_were_not_there(server: RunningServer, api: httpx.AsyncClient) -> None:
    other = (await api.post("/api/v1/workspaces", json={"name": "B", "prefix": "B"})).json()
    theirs = (await api.post(server.path("/docs", other["id"]), json={"title": "t"})).json()

    there = await api.get(server.path(f"/docs/{theirs['id']}"))
    nowhere = await api.get(server.path("/docs/00000000-0000-4000-8000-000000000000"))
    edit = await api.patch(server.path(f"/docs/{theirs['id']}"), json={"title": "x"}, headers={"If-Match": "*"})
    gone = await api.delete(server.path(f"/docs/{theirs['id']}"), headers={"If-Match": "*"})

    assert there.status_code == 404
    assert there.content == nowhere.content == edit.content == gone.content
    assert (await api.get(server.path(f"/docs/{theirs['id']}", other["id"]))).json()["title"] == "t"


async def test_the_list_has_no_text_and_can_be_narrowed(server: RunningServer, api: httpx.AsyncClient) -> None:
    for title, kind, text in (
        ("Login", "PRD", "as a user"),
        ("Cache", "ADR", "we use 100 % of_it"),
        ("Notes", "GENERAL", "LOGIN again"),
    ):
        await api.post(server.path("/docs"), json={"title": title, "kind": kind, "text": text})

    async def titles(query: str) -> list[str]:
        return [one["title"] for one in (await api.get(server.path(f"/docs{query}"))).json()["items"]]

    assert await titles("") == ["Notes", "Cache", "Login"]
    assert await titles("?kind=ADR") == ["Cache"]
    assert await titles("?text=login") == ["Notes", "Login"]
    assert await titles("?text=login&kind=PRD") == ["Login"]
    assert await titles("?text=%25") == ["Cache"]
    assert await titles("?text=_") == ["Cache"]
    assert await titles("?text=null") == []
    for unreadable, field in (("kind=NOVEL", "kind"), ("kind=null", "kind"), ("text=a%00b", "text")):
        refused = await api.get(server.path(f"/docs?{unreadable}"))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert "text" not in (await api.get(server.path("/docs"))).json()["items"][0]


async def test_a_page_does_not_shift_when_docs_are_added(server: RunningServer, api: httpx.AsyncClient) -> None:
    for number in range(4):
        await api.post(server.path("/docs"), json={"title": str(number)})
    first = (await api.get(server.path("/docs?limit=2"))).json()
    await api.post(server.path("/docs"), json={"title": "new"})
    second = (await api.get(server.path(f"/docs?limit=2&cursor={first['next_cursor']}"))).json()

    assert [one["title"] for one in first["items"] + second["items"]] == ["3", "2", "1", "0"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("field", "limit", "letter"), [("title", 200, "ä"), ("text", 1_048_576, "a"), ("text", 300_000, "語")]
)
async def test_a_text_at_its_limit_comes_back_whole(
    server: RunningServer, api: httpx.AsyncClient, field: str, limit: int, letter: str
) -> None:
    made = await api.post(server.path("/docs"), json={"title": "t", field: letter * limit})

    assert made.status_code == 201
    assert (await api.get(server.path(f"/docs/{made.json()['id']}"))).json()[field] == letter * limit


@pytest.mark.parametrize(("field", "limit"), [("title", 200), ("text", 1_048_576)])
async def test_one_character_over_a_limit_is_refused_and_named(
    server: RunningServer, api: httpx.AsyncClient, field: str, limit: int
) -> None:
    over = await api.post(server.path("/docs"), json={"title": "t", field: "a" * (limit + 1)})

    assert over.status_code == 422
    assert over.json()["errors"] == [{"field": field, "message": f"must have at most {limit} characters"}]


@pytest.fixture(scope="module")
async def lasting(databases: Databases) -> AsyncIterator[RunningServer]:
    """A server for every example of one property."""
    async with databases.one() as dsn, servers.running(dsn) as server:
        yield server


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=ANY_TEXT)
async def test_any_text_comes_back_as_it_was_sent(lasting: RunningServer, text: str) -> None:
    async with lasting.client(await lasting.key()) as api:
        sent = text + "Map<string, List<int>> \u202e \r\n\t \U0001f600"
        made = await api.post(lasting.path("/docs"), json={"title": "t", "text": sent})
        back = await api.get(lasting.path(f"/docs/{made.json()['id']}"))

    assert back.json()["text"] == sent


async def test_changes_are_told_as_events(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = (await api.post(server.path("/docs"), json={"title": "d"})).json()
    where = server.path(f"/docs/{made['id']}")
    await api.patch(where, json={"title": "e", "text": "x"}, headers={"If-Match": "*"})
    await api.patch(where, json={"title": "f"}, headers={"If-Match": '"1"'})  # stale
    await api.delete(where, headers={"If-Match": "*"})

    rows = await server.pool.fetch(
        "SELECT kind, detail->>'doc_id' AS doc, detail->>'title' AS title, detail->>'fields' AS fields, actor_name"
        " FROM events ORDER BY id"
    )
    assert [(row["kind"], row["title"], row["fields"]) for row in rows] == [
        ("doc.created", "d", None),
        ("doc.edited", "e", '["title", "text"]'),
        ("doc.deleted", "e", None),
    ]
    assert {row["doc"] for row in rows} == {made["id"]}
    assert {row["actor_name"] for row in rows} == {"test admin"}
