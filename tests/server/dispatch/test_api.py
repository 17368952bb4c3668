"""Dispatch over HTTP: who may do what, and what is answered twice."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.server.dispatch.crew import (
    REGISTRATION,
    Member,
    completed,
    failed,
    ground_of,
    member,
    refused,
    told,
)
from tests.server.dispatch.ground import Ground, giving_back
from tests.support.server import RunningServer

from locus.server.db.pool import transaction
from locus.wire.agents import Agent, AgentLiveness, HeartbeatAnswer
from locus.wire.base import Page
from locus.wire.tasks import BlockedReason, Status, Task
from locus.wire.work import Claimed, OutcomeRecorded, Renewed
from locus.wire.workspaces import Purpose


@pytest.fixture
async def ground(server: RunningServer) -> Ground:
    return await ground_of(server)


@pytest.fixture
async def worker(server: RunningServer, ground: Ground) -> AsyncIterator[Member]:
    async with member(server) as worker:
        yield worker


async def test_a_task_goes_from_claim_to_review(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    claimed = await worker.claim()
    assert claimed.lease is not None
    renewed = told(await worker.lease("WEB-1", "renew", {"fence": 1, "phase": "agent"}), Renewed)

    recorded = await worker.complete(task_id, claimed.lease.fence)

    assert claimed.snapshot is not None
    assert claimed.snapshot.task.id == task_id
    assert renewed.expires_in_ms > 0
    assert recorded.task.status is Status.IN_REVIEW
    assert recorded.task == await ground.read(task_id)


async def test_who_gives_a_task_back_and_asks_again_is_handed_it_again_whatever_the_sequencer_does(
    ground: Ground, worker: Member
) -> None:
    for _ in range(3):
        await ground.task()
    await worker.claim()  # the first numbered event makes the row that is locked below
    told(await worker.lease("WEB-1", "release", giving_back(1)), OutcomeRecorded)
    async with asyncio.timeout(10):
        while not await ground.pool.fetchval("SELECT count(*) FROM event_heads WHERE seq > 0"):
            await asyncio.sleep(0.01)

    async with transaction(ground.pool) as held_up:
        await held_up.execute("SELECT FROM event_heads FOR UPDATE")
        for fence in (2, 3, 4):
            claimed = await worker.claim()
            assert claimed.snapshot is not None
            assert (claimed.snapshot.task.key, claimed.snapshot.task.fence) == ("WEB-1", fence)
            told(await worker.lease("WEB-1", "release", giving_back(fence)), OutcomeRecorded)


async def test_with_nothing_to_do_the_answer_tells_how_the_sprint_stands(ground: Ground, worker: Member) -> None:
    blocked = await ground.task(status="BLOCKED")
    await ground.task(after=[blocked])

    claimed = await worker.claim()

    assert (claimed.lease, claimed.snapshot) == (None, None)
    assert claimed.progress is not None
    assert (claimed.progress.sprint_id, claimed.progress.active) == (ground.sprint_id, True)
    assert (claimed.progress.claimable, claimed.progress.waiting, claimed.progress.blocked) == (0, 1, 1)


async def test_without_an_active_sprint_there_is_no_progress(ground: Ground, worker: Member) -> None:
    await ground.pool.execute("UPDATE sprints SET status = 'PLANNED'")

    assert await worker.claim() == Claimed(lease=None, snapshot=None, progress=None)


async def test_the_same_claim_again_gets_the_same_lease(ground: Ground, worker: Member) -> None:
    for _ in range(3):
        await ground.task()

    answers = await asyncio.gather(*(worker.claim(key="one", wait_ms=n) for n in range(8)))

    leases = {(answer.lease.task_id, answer.lease.fence) for answer in answers if answer.lease}
    assert len(leases) == 1
    assert all(answer.lease for answer in answers)
    assert (await worker.claim(key="two")).lease not in [answer.lease for answer in answers]


async def test_one_key_for_two_different_claims_is_refused(ground: Ground, worker: Member) -> None:
    await ground.task()
    await worker.claim(key="one")
    other = told(await worker.post("/agents", REGISTRATION), Agent, 201)
    planned = await ground.sprint("PLANNED")

    refused(await worker.post("/dispatch/claim", {"agent_id": other.id}, key="one"), 422, "idempotency_key_reused")
    refused(await worker.ask(key="one", sprint_id=planned), 422, "idempotency_key_reused")
    assert (await worker.claim(key="one", sprint_id=ground.sprint_id)).lease is not None


async def test_one_key_of_two_principals_is_two_keys(ground: Ground, worker: Member) -> None:
    for _ in range(2):
        await ground.task()
    async with member(worker.server) as other:
        mine, theirs = await worker.claim(key="one"), await other.claim(key="one")

    assert mine.lease is not None
    assert theirs.lease is not None
    assert mine.lease.task_id != theirs.lease.task_id


async def test_a_claim_again_after_its_lease_has_ended_is_refused_and_takes_nothing(
    ground: Ground, worker: Member
) -> None:
    task_id = await ground.task()
    await ground.task()
    await worker.claim(key="one")
    await worker.complete(task_id, 1)

    refused(await worker.ask(key="one"), 409, "lease_lost")
    assert (await worker.claim(key="two")).lease is not None


async def test_a_report_again_is_answered_as_before_with_and_without_a_key(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    await worker.claim()
    first = await worker.lease(task_id, "complete", completed(1), key="one")

    replayed = await worker.lease(task_id, "complete", completed(1), key="one")
    repeated = await worker.lease(task_id, "complete", completed(1), key="two")

    assert first.status_code == replayed.status_code == repeated.status_code == 200
    assert first.content == replayed.content == repeated.content
    assert await ground.kinds(task_id) == ["task.claimed", "task.completed"]


async def test_a_report_with_the_key_of_another_report_is_refused(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    await worker.claim()
    await worker.lease(task_id, "fail", failed(1), key="one")

    response = await worker.lease(task_id, "fail", failed(1, "budget"), key="one")

    refused(response, 422, "idempotency_key_reused")
    refused(await worker.lease(task_id, "fail", failed(1, "budget")), 409, "reported")


async def test_a_replay_of_an_old_report_long_after_a_takeover_changes_nothing(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    await worker.claim()
    await ground.run_out(task_id)
    await ground.pool.execute("UPDATE tasks SET fence = 5, lease_expires_at = clock_timestamp() + interval '1 h'")
    before = await ground.everything()

    answers = [
        await worker.lease(task_id, "renew", {"fence": 1, "phase": "agent"}),
        await worker.lease(task_id, "complete", completed(1), key="a"),
        await worker.lease(task_id, "fail", failed(1), key="b"),
        await worker.lease(task_id, "release", {"fence": 1, "reason": "stopped"}, key="c"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "lease_lost")] * 4
    assert await ground.everything() == before


@pytest.mark.parametrize(
    ("purpose", "status"),
    [(Purpose.READ, 403), (Purpose.WORKER, 404), (Purpose.MEMBER, 404), (Purpose.ADMIN, 404)],
)
async def test_only_keys_for_workers_dispatch_and_only_their_own_leases(
    ground: Ground, worker: Member, purpose: Purpose, status: int
) -> None:
    task_id = await ground.task()
    await worker.claim()
    before = await ground.everything()
    async with worker.server.client(await worker.server.key(purpose)) as client:
        other = Member(worker.server, client, worker.agent)
        answers = [
            await other.ask(),
            await other.lease(task_id, "renew", {"fence": 1, "phase": "agent"}),
            await other.lease(task_id, "complete", completed(1)),
            await other.lease(task_id, "fail", failed(1)),
            await other.lease(task_id, "release", {"fence": 1, "reason": "stopped"}),
            await other.post(f"/agents/{worker.agent.id}/heartbeat", {"state": "stopped"}),
        ]

    assert [answer.status_code for answer in answers] == [status] * 6
    assert await ground.everything() == before


async def test_a_worker_may_not_cancel_and_a_member_may(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    await worker.claim()
    refused(await worker.lease(task_id, "cancel"), 403, "forbidden")
    async with member(worker.server, Purpose.MEMBER) as person:
        task = told(await person.lease("WEB-1", "cancel"), Task)

    renewed = told(await worker.lease(task_id, "renew", {"fence": 1, "phase": "agent"}), Renewed)
    ended = told(await worker.lease(task_id, "fail", failed(1, "cancelled")), OutcomeRecorded)

    assert task.cancel_requested
    assert renewed.cancel_requested
    assert (ended.task.status, ended.task.blocked_reason) == (Status.BLOCKED, BlockedReason.MANUAL)


async def test_a_foreign_workspaces_dispatch_is_not_found(ground: Ground, worker: Member) -> None:
    foreign = await worker.server.foreign()
    path = worker.server.path("/dispatch/claim", foreign.id)

    response = await worker.client.post(path, json={"agent_id": str(worker.agent.id)})

    refused(response, 404, "not_found")


@pytest.mark.parametrize(
    "task", ["x", "WEB-99", "WEB-0", "6bd9037d-aef5-43bd-8ffe-170039435558", "WEB-99999999999999999999"]
)
async def test_a_task_that_is_not_here_is_not_found(ground: Ground, worker: Member, task: str) -> None:
    refused(await worker.lease(task, "renew", {"fence": 1, "phase": "agent"}), 404, "not_found")


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("renew", {"fence": 0, "phase": "agent"}, "fence"),
        ("renew", {"fence": 1, "phase": "sleeping"}, "phase"),
        ("complete", {**completed(1), "commit": "xyz"}, "commit"),
        ("complete", {**completed(1), "branch": "main"}, "branch"),
        ("complete", {**completed(1), "words": "I have done it"}, "words"),
        ("complete", {**completed(1), "summary": "It is `code`"}, "summary"),
        ("fail", failed(1, "because"), "reason"),
        ("fail", failed(1, "lease_expired"), "reason"),
        ("release", {"fence": 1, "reason": "undelivered"}, "reason"),
    ],
)
async def test_a_wrong_field_of_a_report_is_refused_by_name(
    ground: Ground, worker: Member, verb: str, body: object, field: str
) -> None:
    task_id = await ground.task()
    await worker.claim()

    response = await worker.lease(task_id, verb, body)

    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_an_agent_registers_lives_and_is_listed(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    await worker.claim()
    beat = {"state": "working", "lease": {"task_id": task_id, "fence": 1, "phase": "checks"}}

    answer = told(await worker.post(f"/agents/{worker.agent.id}/heartbeat", beat), HeartbeatAnswer)
    listed = told(await worker.client.get(worker.server.path("/agents")), Page[Agent])
    alone = told(await worker.client.get(worker.server.path(f"/agents/{worker.agent.id}")), Agent)

    assert answer.lease_held
    assert [agent.id for agent in listed.items] == [worker.agent.id]
    assert (alone.liveness, alone.task_id, alone.phase) == (AgentLiveness.LIVE, task_id, "checks")


async def test_a_heartbeat_with_a_lost_lease_still_counts_and_says_so(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    await worker.claim()
    await ground.run_out(task_id)
    beat = {"state": "working", "lease": {"task_id": task_id, "fence": 1, "phase": "agent"}}

    answer = told(await worker.post(f"/agents/{worker.agent.id}/heartbeat", beat), HeartbeatAnswer)

    assert answer == HeartbeatAnswer(lease_held=False, lease_expires_in_ms=None, cancel_requested=False)
    agent = told(await worker.client.get(worker.server.path(f"/agents/{worker.agent.id}")), Agent)
    assert agent.state == "working"


async def test_registering_again_with_the_same_key_is_one_agent(ground: Ground, worker: Member) -> None:
    answers = await asyncio.gather(*(worker.post("/agents", REGISTRATION, key="run-1") for _ in range(4)))

    assert len({told(answer, Agent, 201).id for answer in answers}) == 1
    assert await ground.pool.fetchval("SELECT count(*) FROM agents") == 2


async def test_agents_are_listed_in_pages_the_newest_first(ground: Ground, worker: Member) -> None:
    made = [worker.agent.id] + [told(await worker.post("/agents", REGISTRATION), Agent, 201).id for _ in range(4)]
    shown, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = told(await worker.client.get(worker.server.path("/agents"), params=query), Page[Agent])
        shown += [agent.id for agent in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert shown == list(reversed(made))
