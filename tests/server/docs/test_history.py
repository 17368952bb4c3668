"""Docs in groups, and what they were before."""

from typing import Any

import httpx
from tests.server.tasks.planning import Planner, refused, told
from tests.support.server import RunningServer

from locus.server.docs import history, store
from locus.wire.base import Page
from locus.wire.docs import Doc, DocGroups, DocRef, DocVersion, OldDoc
from locus.wire.workspaces import Purpose


async def wrote(server: RunningServer, api: httpx.AsyncClient, **fields: Any) -> Doc:
    return told(await api.post(server.path("/docs"), json={"title": "Doc", **fields}), Doc, 201)


async def edited(server: RunningServer, api: httpx.AsyncClient, doc: Doc, **fields: Any) -> Doc:
    answer = await api.patch(server.path(f"/docs/{doc.id}"), json=fields, headers={"If-Match": "*"})
    return told(answer, Doc)


async def groups(server: RunningServer, api: httpx.AsyncClient) -> dict[str, int]:
    found = told(await api.get(server.path("/docs/groups")), DocGroups)
    return {group.name: group.docs for group in found.groups}


async def test_every_edit_leaves_what_was_before_with_its_author(server: RunningServer, api: httpx.AsyncClient) -> None:
    doc = await wrote(server, api, title="How we work", text="One")
    async with server.client(await server.key(Purpose.MEMBER, name="Grace")) as grace:
        await edited(server, grace, doc, text="Two")
    await edited(server, api, doc, title="How we really work")

    found = told(await api.get(server.path(f"/docs/{doc.id}/versions")), Page[DocVersion])
    first = told(await api.get(server.path(f"/docs/{doc.id}/versions/1")), OldDoc)
    second = told(await api.get(server.path(f"/docs/{doc.id}/versions/2")), OldDoc)

    assert [(one.version, one.title, one.author_name) for one in found.items] == [
        (3, "How we really work", "test admin"),
        (2, "How we work", "Grace"),
        (1, "How we work", "test admin"),
    ]
    assert (first.text, second.text) == ("One", "Two")
    refused(await api.get(server.path(f"/docs/{doc.id}/versions/4")), 404)
    refused(await api.get(server.path(f"/docs/{doc.id}/versions/99999999999")), 404)


async def test_an_edit_that_comes_too_late_leaves_no_version(server: RunningServer, api: httpx.AsyncClient) -> None:
    doc = await wrote(server, api)
    await edited(server, api, doc, text="Two")

    late = await api.patch(server.path(f"/docs/{doc.id}"), json={"text": "Late"}, headers={"If-Match": '"1"'})

    refused(late, 409)
    assert len(await history.listed(server.pool, server.workspace.id, doc.id, limit=10)) == 2


async def test_history_is_read_page_by_page_and_the_oldest_versions_are_forgotten(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    doc = await wrote(server, api)
    for number in range(store.VERSIONS + 2):
        await store.edit(server.pool, server.workspace.id, doc.id, version=None, text=str(number), author="Ada")

    path = server.path(f"/docs/{doc.id}/versions")
    first = told(await api.get(path, params={"limit": 60}), Page[DocVersion])
    second = told(await api.get(path, params={"limit": 60, "cursor": first.next_cursor}), Page[DocVersion])

    numbers = [one.version for one in (*first.items, *second.items)]
    assert numbers == list(range(store.VERSIONS + 3, 3, -1))
    assert second.next_cursor is None


async def test_docs_are_in_groups_that_can_be_renamed_and_dissolved(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    one, two, other = (
        await wrote(server, api, group="Design"),
        await wrote(server, api, group="Design"),
        await wrote(server, api),
    )
    assert await groups(server, api) == {"Design": 2, "": 1}
    await edited(server, api, other, group="Notes")
    await api.post(server.path("/docs/groups/rename"), json={"old": "Design", "new": "Decisions"})

    assert await groups(server, api) == {"Decisions": 2, "Notes": 1}
    listed = told(await api.get(server.path("/docs"), params={"group": "Decisions"}), Page[DocRef])
    assert {ref.id for ref in listed.items} == {one.id, two.id}

    await api.post(server.path("/docs/groups/rename"), json={"old": "Decisions", "new": ""})

    assert await groups(server, api) == {"Notes": 1, "": 2}
    refused(await api.post(server.path("/docs/groups/rename"), json={"old": "Nobody", "new": "x"}), 404)
    refused(await api.post(server.path("/docs"), json={"title": "d", "group": "\x1b[31m"}), 422, field="group")


async def test_a_doc_tells_the_tasks_that_name_it(server: RunningServer, api: httpx.AsyncClient) -> None:
    doc = await wrote(server, api)
    task = await Planner(server, api).task("With a doc", doc_ids=[doc.id])

    assert [(one.key, one.title) for one in await history.tasks(server.pool, server.workspace.id, doc.id)] == [
        (task.key, "With a doc")
    ]


async def test_a_budget_is_the_workspace_s_to_set_and_to_clear(server: RunningServer, api: httpx.AsyncClient) -> None:
    where, anyway = server.path(), {"If-Match": "*"}
    new = (await api.get(where)).json()
    assert new["daily_budget_usd_micros"] is None

    await api.patch(where, json={"daily_budget_usd_micros": 5_000_000}, headers=anyway)
    other = (await api.patch(where, json={"name": "Web"}, headers=anyway)).json()
    cleared = (await api.patch(where, json={"daily_budget_usd_micros": None}, headers=anyway)).json()

    assert other["daily_budget_usd_micros"] == 5_000_000
    assert cleared["daily_budget_usd_micros"] is None
    refused(await api.patch(where, json={"daily_budget_usd_micros": 0}, headers=anyway), 422)
