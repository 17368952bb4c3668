"""Search: one field finds tasks, docs and sprints."""

import httpx
from tests.server.tasks.planning import Planner, told
from tests.support.server import RunningServer

from locus.wire.reports import Found, FoundKind, FoundList


async def found(server: RunningServer, api: httpx.AsyncClient, text: str) -> list[Found]:
    return told(await api.get(server.path("/search"), params={"text": text}), FoundList).items


async def test_a_key_comes_first_then_titles_then_texts(server: RunningServer, api: httpx.AsyncClient) -> None:
    plan = Planner(server, api)
    await plan.task("Something", description="x" * 200 + " as in WEB-3 before " + "y" * 200)
    await plan.task("Like web-3")
    exact = await plan.task("Exactly")
    assert exact.key == "WEB-3"

    items = await found(server, api, "web-3")

    assert [item.title for item in items] == ["Exactly", "Like web-3", "Something"]
    assert items[0].key == "WEB-3"
    assert "as in WEB-3 before" in items[2].excerpt
    assert len(items[2].excerpt) < 150


async def test_tasks_docs_and_sprints_are_found_with_one_question(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    plan = Planner(server, api)
    await plan.task("Refuse bad e-mail addresses")
    await plan.sprint("E-mail")
    await api.post(server.path("/docs"), json={"title": "How we send e-mail", "text": "By SMTP."})

    items = await found(server, api, "  E-MAIL ")

    assert {item.kind for item in items} == {FoundKind.TASK, FoundKind.DOC, FoundKind.SPRINT}
    assert items[0].kind is FoundKind.SPRINT  # it begins with the words


async def test_what_people_type_has_no_wildcards_and_finds_nothing_elsewhere(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    plan = Planner(server, api)
    await plan.task("100% sure")
    foreign = await server.foreign()
    await server.pool.execute("INSERT INTO docs (workspace_id, title) VALUES ($1, '100% theirs')", foreign.id)

    assert [item.title for item in await found(server, api, "100%")] == ["100% sure"]
    assert await found(server, api, "1%0") == []
    assert await found(server, api, "   ") == []
