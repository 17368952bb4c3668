"""Summaries by agents: refused unless the workspace asks for them, stored with the attempt, gone when it is over."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from tests.server.dispatch import crew
from tests.server.dispatch.crew import Member, completed, refused, told
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.wire.work import Attempt, OutcomeRecorded
from locus.wire.workspaces import Purpose

WORDS = "Invoices now round each rate once, at the end."


@pytest.fixture
async def worker(server: RunningServer) -> AsyncIterator[Member]:
    async with crew.member(server) as one:
        yield one


async def ask_for_summaries(server: RunningServer, api: httpx.AsyncClient, wanted: bool = True) -> None:
    changed = await api.patch(server.path(), json={"summaries": wanted}, headers={"If-Match": "*"})
    assert changed.json()["summaries"] is wanted, changed.text


async def sprint_of(server: RunningServer, api: httpx.AsyncClient, tasks: int = 1) -> None:
    sprint = (await api.post(server.path("/sprints"), json={"name": "One"})).json()["id"]
    for number in range(tasks):
        await api.post(server.path("/tasks"), json={"title": f"Task {number}", "sprint_id": sprint})
    await api.post(server.path("/sprints/1/start"))


def with_words(fence: int, words: object = WORDS) -> dict[str, Any]:
    return {**completed(fence), "summary": words}


async def attempts(server: RunningServer, api: httpx.AsyncClient, task: object) -> list[Attempt]:
    said = await api.get(server.path(f"/tasks/{task}/attempts"))
    return [msgspec.convert(one, Attempt) for one in said.json()["items"]]


async def test_nobody_is_asked_for_a_summary_unless_the_workspace_says_so(
    server: RunningServer, api: httpx.AsyncClient, worker: Member
) -> None:
    await sprint_of(server, api, tasks=2)
    before = await worker.claim()
    await ask_for_summaries(server, api)
    after = await worker.claim()

    assert before.snapshot is not None
    assert after.snapshot is not None
    assert (before.snapshot.summaries, after.snapshot.summaries) == (False, True)


async def test_a_summary_that_nobody_asked_for_is_refused_and_the_lease_goes_on(
    server: RunningServer, api: httpx.AsyncClient, worker: Member
) -> None:
    await sprint_of(server, api)
    lease = (await worker.claim()).lease
    assert lease is not None

    refused(await worker.lease(lease.task_id, "complete", with_words(lease.fence)), 409, "summaries_off")
    done = await worker.complete(lease.task_id, lease.fence)

    assert done.task.status == "IN_REVIEW"
    assert [one.summary for one in await attempts(server, api, lease.task_id)] == [None]


async def test_a_summary_is_stored_with_the_attempt_and_nowhere_else(
    server: RunningServer, api: httpx.AsyncClient, worker: Member
) -> None:
    await sprint_of(server, api)
    await ask_for_summaries(server, api)
    lease = (await worker.claim()).lease
    assert lease is not None

    told(await worker.lease(lease.task_id, "complete", with_words(lease.fence), key="k"), OutcomeRecorded)

    assert [one.summary for one in await attempts(server, api, lease.task_id)] == [WORDS]
    tables = await server.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    holding = [
        name
        for (name,) in tables
        if await server.pool.fetchval(f"SELECT count(*) FROM {name} t WHERE t::text LIKE '%' || $1 || '%'", WORDS)
    ]
    assert holding == ["attempts"]  # no event, so that it can be deleted; no stored answer either


@pytest.mark.parametrize(
    "words",
    [
        "",
        "x" * 501,
        "Two lines.\nAnd another one.",
        "It calls `total` now.",
        "See src/billing/vat.py for it.",
        "It is C:\\Users\\ada now.",
        "It says amount * 2 now.",
        "It sets TOKEN=abc now.",
        "It is user_name now.",
        "It is \u202egnp.exe now.",
        "It is hidden\u200b here.",
        "It is tagged\U000e0041 here.",
        "It says \x1b[31m red here.",
        "It says \\u001b here.",
        "It is %41%42 here.",
        " It begins with a blank.",
        None,
        ["It is a list."],
    ],
)
async def test_a_summary_is_one_line_of_plain_words_and_at_most_500_characters(
    server: RunningServer, api: httpx.AsyncClient, worker: Member, words: object
) -> None:
    await sprint_of(server, api)
    await ask_for_summaries(server, api)
    lease = (await worker.claim()).lease
    assert lease is not None

    refused(await worker.lease(lease.task_id, "complete", with_words(lease.fence, words)), 422, "invalid")


async def test_a_report_that_is_repeated_without_its_summary_is_the_same_report(
    server: RunningServer, api: httpx.AsyncClient, worker: Member
) -> None:
    await sprint_of(server, api)
    await ask_for_summaries(server, api)
    lease = (await worker.claim()).lease
    assert lease is not None
    first = told(await worker.lease(lease.task_id, "complete", with_words(lease.fence)), OutcomeRecorded)
    await ask_for_summaries(server, api, wanted=False)

    again = told(await worker.lease(lease.task_id, "complete", with_words(lease.fence)), OutcomeRecorded)
    without = await worker.complete(lease.task_id, lease.fence)

    assert first == again == without
    assert [one.summary for one in await attempts(server, api, lease.task_id)] == [None]


async def test_switching_summaries_off_deletes_those_that_are_stored_and_no_others(
    server: RunningServer, api: httpx.AsyncClient, worker: Member
) -> None:
    await sprint_of(server, api)
    await ask_for_summaries(server, api)
    lease = (await worker.claim()).lease
    assert lease is not None
    told(await worker.lease(lease.task_id, "complete", with_words(lease.fence)), OutcomeRecorded)
    await server.pool.execute(
        "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Other')"
    )
    await server.pool.execute(
        """
        WITH w AS (INSERT INTO workspaces (organization_id, name, prefix, summaries)
                   VALUES ('00000000-0000-0000-0000-000000000001', 'Other', 'OTH', true) RETURNING id),
             t AS (INSERT INTO tasks (workspace_id, number, title, position) SELECT id, 1, 'T', 1 FROM w RETURNING *)
        INSERT INTO attempts (workspace_id, task_id, fence, claimed_at, outcome, summary)
        SELECT workspace_id, id, 1, now(), 'completed', 'Theirs stays as it is.' FROM t
        """
    )

    await api.patch(server.path(), json={"name": "Another"}, headers={"If-Match": "*"})
    kept = await attempts(server, api, lease.task_id)
    await ask_for_summaries(server, api, wanted=False)
    gone = await attempts(server, api, lease.task_id)

    assert [one.summary for one in kept] == [WORDS]
    assert [one.summary for one in gone] == [None]
    left = await server.pool.fetch("SELECT summary FROM attempts WHERE summary IS NOT NULL")
    assert [row["summary"] for row in left] == ["Theirs stays as it is."]


async def test_a_summary_that_arrives_while_they_are_switched_off_is_refused_or_deleted(
    server: RunningServer, api: httpx.AsyncClient, worker: Member
) -> None:
    await sprint_of(server, api)
    await ask_for_summaries(server, api)
    lease = (await worker.claim()).lease
    assert lease is not None
    async with server.pool.acquire() as other, other.transaction():
        # Somebody is about to switch them off: what comes meanwhile waits for that, and is not stored behind its back.
        await other.execute("UPDATE workspaces SET summaries = false WHERE id = $1", server.workspace.id)
        sent = asyncio.create_task(worker.lease(lease.task_id, "complete", with_words(lease.fence)))

        async def waits() -> bool:
            assert not sent.done(), "it did not wait"
            return bool(await server.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        await until(waits)

    refused(await sent, 409, "summaries_off")


@pytest.mark.parametrize("purpose", ["read", "worker", "member"])
async def test_only_who_may_change_settings_asks_for_summaries(
    server: RunningServer, api: httpx.AsyncClient, purpose: str
) -> None:

    async with server.client(await server.key(Purpose(purpose), workspace=server.workspace)) as lesser:
        refused(
            await lesser.patch(server.path(), json={"summaries": True}, headers={"If-Match": "*"}), 403, "forbidden"
        )
    assert (await api.get(server.path())).json()["summaries"] is False


async def test_that_somebody_asks_for_summaries_is_an_event(server: RunningServer, api: httpx.AsyncClient) -> None:
    await ask_for_summaries(server, api)

    kind, detail = await server.pool.fetchrow("SELECT kind, detail::text FROM events ORDER BY id DESC LIMIT 1")  # type: ignore[misc]
    assert kind == "workspace.edited"
    assert '"summaries"' in detail
