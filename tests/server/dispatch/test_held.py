"""Held work that a person lets through: one step from waiting for them to their agent's lease."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from tests.server.dispatch.crew import Member, failed, ground_of, member, refused, told
from tests.server.dispatch.ground import Ground
from tests.support.server import RunningServer

from locus.server.dispatch import outcomes
from locus.server.tasks import attempts
from locus.wire.tasks import BlockedReason, Status, Task
from locus.wire.work import Claimed, FailReason, OutcomeKind, OutcomeRecorded
from locus.wire.workspaces import Purpose


@pytest.fixture
async def ground(server: RunningServer) -> Ground:
    return await ground_of(server)


@pytest.fixture
async def person(server: RunningServer, ground: Ground) -> AsyncIterator[Member]:
    async with member(server, Purpose.MEMBER) as person:
        yield person


@pytest.fixture
async def held(server: RunningServer, ground: Ground) -> UUID:
    """A task whose change a worker had to hold back."""
    task_id = await ground.task(assignee=None)
    async with member(server) as worker:
        claimed = await worker.claim()
        assert claimed.lease is not None
        told(await worker.lease(task_id, "fail", failed(claimed.lease.fence, "policy")), OutcomeRecorded)
    return task_id


def body(person: Member, fence: int = 1) -> dict[str, object]:
    return {"agent_id": person.agent.id, "fence": fence}


async def test_held_work_goes_from_waiting_for_a_person_to_their_agents_lease(
    ground: Ground, person: Member, held: UUID
) -> None:
    taken = told(await person.post(f"/tasks/{held}/lease", body(person)), Claimed)

    assert taken.lease is not None
    assert taken.snapshot is not None
    now = await ground.read(held)
    assert (now.status, now.agent_id, now.fence, now.attempts) == (Status.IN_PROGRESS, person.agent.id, 2, 1)
    assert taken.snapshot.task == now
    events = await ground.pool.fetch(
        "SELECT kind, actor_kind, detail FROM events WHERE task_id = $1 ORDER BY id DESC LIMIT 2", held
    )
    assert [(event["kind"], event["actor_kind"]) for event in events] == [
        ("task.claimed", "worker"),
        ("task.status", "person"),
    ]


async def test_a_task_that_does_not_wait_for_a_look_is_not_taken(ground: Ground, person: Member, held: UUID) -> None:
    free, manual = await ground.task(), await ground.task(status="BLOCKED")
    before = await ground.everything()

    for task_id in (free, manual):
        refused(await person.post(f"/tasks/{task_id}/lease", body(person)), 409, "not_held_back")
    assert await ground.everything() == before


async def test_what_was_tried_again_since_the_look_is_not_taken(ground: Ground, person: Member, held: UUID) -> None:
    await ground.pool.execute("UPDATE tasks SET fence = 2 WHERE id = $1", held)

    refused(await person.post(f"/tasks/{held}/lease", body(person, fence=1)), 409, "tried_since")
    assert (await ground.read(held)).blocked_reason is BlockedReason.POLICY


async def test_held_work_in_no_sprint_has_no_branch_to_go_to(ground: Ground, person: Member, held: UUID) -> None:
    await ground.pool.execute("UPDATE tasks SET sprint_id = NULL WHERE id = $1", held)

    refused(await person.post(f"/tasks/{held}/lease", body(person)), 409, "no_sprint")


async def test_an_agent_of_another_key_cannot_take_held_work_and_nothing_is_changed(
    server: RunningServer, ground: Ground, person: Member, held: UUID
) -> None:
    async with member(server, Purpose.MEMBER) as other:
        refused(await person.post(f"/tasks/{held}/lease", body(other)), 404, "not_found")

    assert (await ground.read(held)).status is Status.BLOCKED


async def test_two_people_at_the_same_moment_have_one_winner(
    server: RunningServer, ground: Ground, person: Member, held: UUID
) -> None:
    async with member(server, Purpose.MEMBER) as other:
        answers = await asyncio.gather(
            *(one.post(f"/tasks/{held}/lease", body(one)) for one in (person, other)),
        )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_same_taking_again_gets_the_same_lease(ground: Ground, person: Member, held: UUID) -> None:
    first = told(await person.post(f"/tasks/{held}/lease", body(person), key="k"), Claimed)
    again = told(await person.post(f"/tasks/{held}/lease", body(person), key="k"), Claimed)

    assert first == again
    assert (await ground.read(held)).fence == 2


async def test_no_worker_gets_held_work_while_a_person_takes_it(
    server: RunningServer, ground: Ground, person: Member, held: UUID
) -> None:
    async with member(server) as worker:
        waiting = asyncio.create_task(worker.claim(wait_ms=1500))
        told(await person.post(f"/tasks/{held}/lease", body(person)), Claimed)

        assert (await waiting).lease is None


async def test_held_work_whose_worker_died_waits_for_a_person_again_and_is_found_as_held(
    ground: Ground, person: Member, held: UUID
) -> None:
    told(await person.post(f"/tasks/{held}/lease", body(person)), Claimed)
    await ground.run_out(held)

    assert await outcomes.reap(ground.pool) == 1

    now = await ground.read(held)
    assert (now.status, now.blocked_reason) == (Status.BLOCKED, BlockedReason.POLICY)
    [last, *_] = await attempts.listed(ground.pool, ground.workspace_id, held, below=None, limit=9)
    assert (last.fence, last.outcome, last.fail_reason) == (2, OutcomeKind.EXPIRED, FailReason.POLICY)
    told(await person.post(f"/tasks/{held}/lease", body(person, fence=2)), Claimed)


async def test_held_work_that_is_given_back_does_not_go_to_agents(ground: Ground, person: Member, held: UUID) -> None:
    told(await person.post(f"/tasks/{held}/lease", body(person)), Claimed)

    told(await person.lease(held, "release", {"fence": 2, "reason": "interrupted"}), OutcomeRecorded)

    now = await ground.read(held)
    assert (now.status, now.blocked_reason) == (Status.BLOCKED, BlockedReason.POLICY)


async def test_an_attempt_after_the_one_that_was_let_through_is_an_ordinary_one(
    server: RunningServer, ground: Ground, person: Member, held: UUID
) -> None:
    told(await person.post(f"/tasks/{held}/lease", body(person)), Claimed)
    told(await person.lease(held, "release", {"fence": 2, "reason": "interrupted"}), OutcomeRecorded)
    told(await person.post(f"/tasks/{held}/status", {"status": "BACKLOG"}), Task)
    async with member(server) as worker:
        assert (await worker.claim()).lease is not None
    await ground.run_out(held)

    await outcomes.reap(ground.pool)

    assert (await ground.read(held)).status is Status.BACKLOG
