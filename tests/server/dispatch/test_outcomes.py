"""How attempts end, and what follows."""

from uuid import uuid4

import msgspec
import pytest
from tests.server.dispatch.ground import (
    NUMBERS,
    SHA,
    Ground,
    Worker,
    completion,
    evidence,
    failure,
    giving_back,
)

from locus.server.dispatch import leases, outcomes
from locus.server.errors import Conflict, Invalid
from locus.server.events.log import Actor
from locus.server.tasks import attempts
from locus.wire.events import ActorKind
from locus.wire.tasks import BlockedReason, Status, Task
from locus.wire.work import FailReason, OutcomeKind, Release, ReleaseReason

PERSON = Actor(ActorKind.PERSON, "Ada", uuid4())


async def test_completing_puts_the_task_in_review_and_keeps_the_proof(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task(checks=["tests", "lint"])
    granted = await ground.granted(worker)
    report = completion(1, "tests", "lint", pull_request_url="https://example.org/o/r/pull/1")

    task = await outcomes.complete(ground.pool, ground.holder(granted, worker), report)

    assert (task.status, task.commit, task.branch) == (Status.IN_REVIEW, SHA, "locus/sprint-1")
    assert task.pull_request_url == "https://example.org/o/r/pull/1"
    assert (task.agent_id, task.phase, task.attempts) == (None, None, 1)
    assert all(item.done for item in task.checklist)
    assert task == await ground.read(task_id)
    [attempt] = await attempts.listed(ground.pool, ground.workspace_id, task_id, below=None, limit=9)
    assert (attempt.outcome, attempt.fence, attempt.commit) == (OutcomeKind.COMPLETED, 1, SHA)
    assert (attempt.evidence, attempt.numbers) == (report.evidence, NUMBERS)
    assert (attempt.agent_id, attempt.agent_name) == (worker.agent_id, "builder")
    assert await ground.kinds(task_id) == ["task.claimed", "task.completed"]


async def test_a_checklist_item_without_evidence_keeps_the_task_out_of_review(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task(checks=["tests", "lint"])
    granted = await ground.granted(worker)
    before = await ground.everything()

    with pytest.raises(Conflict, match="lint") as refused:
        await outcomes.complete(ground.pool, ground.holder(granted, worker), completion(1, "tests"))

    assert refused.value.code == "evidence_missing"
    assert await ground.everything() == before
    assert (await ground.read(task_id)).agent_id == worker.agent_id


async def test_a_check_that_the_workspace_requires_keeps_every_task_out_of_review_until_it_is_green(
    ground: Ground, worker: Worker
) -> None:
    await ground.pool.execute("UPDATE workspaces SET required_checks = '{lint}' WHERE id = $1", ground.workspace_id)
    await ground.task(checks=["tests"])
    granted = await ground.granted(worker)
    before = await ground.everything()

    with pytest.raises(Conflict, match="lint") as refused:
        await outcomes.complete(ground.pool, ground.holder(granted, worker), completion(1, "tests"))

    assert refused.value.code == "evidence_missing"
    assert await ground.everything() == before
    assert granted.snapshot.required_checks == ["lint"]
    task = await outcomes.complete(ground.pool, ground.holder(granted, worker), completion(1, "tests", "lint"))
    assert task.status is Status.IN_REVIEW


@pytest.mark.parametrize("seen", [None, False])
async def test_an_item_that_is_to_be_red_first_is_not_proved_by_green_alone(
    ground: Ground, worker: Worker, seen: bool | None
) -> None:
    task_id = await ground.task()
    items = [{"id": "a", "text": "The bug has a test", "done": False, "check": "tests", "red_first": True}]
    await ground.pool.execute("UPDATE tasks SET checklist = $1 WHERE id = $2", items, task_id)
    granted = await ground.granted(worker)
    before = await ground.everything()
    green = evidence("tests")

    with pytest.raises(Conflict, match="without the change: tests") as refused:
        report = completion(1, evidence=[msgspec.structs.replace(green, red_first=seen)])
        await outcomes.complete(ground.pool, ground.holder(granted, worker), report)

    assert refused.value.code == "evidence_missing"
    assert await ground.everything() == before
    report = completion(1, evidence=[msgspec.structs.replace(green, red_first=True)])
    task = await outcomes.complete(ground.pool, ground.holder(granted, worker), report)
    assert [item.done for item in task.checklist] == [True]


async def test_items_that_people_tick_need_no_evidence_and_stay_as_they_are(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task(checks=["tests"])
    by_hand = [{"id": "a", "text": "copy", "done": False, "check": None}]
    await ground.pool.execute("UPDATE tasks SET checklist = checklist || $1 WHERE id = $2", by_hand, task_id)
    granted = await ground.granted(worker)

    task = await outcomes.complete(ground.pool, ground.holder(granted, worker), completion(1, "tests"))

    assert [(item.id, item.done) for item in task.checklist] == [("tests", True), ("a", False)]


async def test_red_evidence_keeps_the_task_out_of_review(ground: Ground, worker: Worker) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    before = await ground.everything()

    with pytest.raises(Conflict) as refused:
        report = completion(1, evidence=[evidence(passed=False)])
        await outcomes.complete(ground.pool, ground.holder(granted, worker), report)

    assert refused.value.code == "evidence_red"
    assert await ground.everything() == before


async def test_a_counted_failure_returns_the_task_until_the_cap_blocks_it(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    ends: list[Task] = []
    for _ in range(3):
        granted = await ground.granted(worker)
        ends.append(await outcomes.fail(ground.pool, ground.holder(granted, worker), failure(granted.lease.fence)))

    assert [(task.status, task.blocked_reason, task.attempts) for task in ends] == [
        (Status.BACKLOG, None, 1),
        (Status.BACKLOG, None, 2),
        (Status.BLOCKED, BlockedReason.ATTEMPTS_EXHAUSTED, 3),
    ]
    assert await ground.kinds(task_id) == ["task.claimed", "task.failed"] * 3


async def test_the_cap_is_the_workspaces(ground: Ground, worker: Worker) -> None:
    await ground.pool.execute("UPDATE workspaces SET attempt_cap = 1")
    await ground.task()
    granted = await ground.granted(worker)

    task = await outcomes.fail(ground.pool, ground.holder(granted, worker), failure(1, FailReason.CHECKS_FAILED))

    assert (task.status, task.blocked_reason) == (Status.BLOCKED, BlockedReason.CHECKS_FAILED)


async def test_what_another_attempt_would_only_repeat_blocks_at_once(ground: Ground, worker: Worker) -> None:
    await ground.task()
    granted = await ground.granted(worker)

    task = await outcomes.fail(ground.pool, ground.holder(granted, worker), failure(1, FailReason.NO_CHANGE))

    assert (task.status, task.blocked_reason, task.attempts) == (Status.BLOCKED, BlockedReason.NO_CHANGE, 1)


async def test_an_outage_consumes_no_attempt_however_often_it_happens(ground: Ground, worker: Worker) -> None:
    await ground.task()
    for fence in range(1, 6):
        granted = await ground.granted(worker)
        holder = ground.holder(granted, worker)
        task = await outcomes.fail(ground.pool, holder, failure(fence, FailReason.PROVIDER_DOWN))

        assert (task.status, task.attempts, task.fence) == (Status.BACKLOG, 0, fence)


async def test_a_release_consumes_no_attempt(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task(attempts=2)
    granted = await ground.granted(worker)

    task = await outcomes.release(ground.pool, ground.holder(granted, worker), giving_back(1))

    assert (task.status, task.attempts, task.agent_id) == (Status.BACKLOG, 2, None)
    [attempt] = await attempts.listed(ground.pool, ground.workspace_id, task_id, below=None, limit=9)
    assert (attempt.outcome, attempt.release_reason) == (OutcomeKind.RELEASED, ReleaseReason.INTERRUPTED)


@pytest.mark.parametrize(
    "report",
    [failure(1, FailReason.LEASE_EXPIRED), Release(fence=1, reason=ReleaseReason.UNDELIVERED)],
    ids=["lease_expired", "undelivered"],
)
async def test_reasons_of_the_server_are_not_taken_from_a_worker(
    ground: Ground, worker: Worker, report: Release
) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    end = outcomes.release if isinstance(report, Release) else outcomes.fail

    with pytest.raises(Invalid):
        await end(ground.pool, ground.holder(granted, worker), report)


@pytest.mark.parametrize("end", ["cancelled", "failed", "released", "expired"])
async def test_a_cancelled_task_waits_for_a_person_however_its_attempt_ends(
    ground: Ground, worker: Worker, end: str
) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)
    holder = ground.holder(granted, worker)
    await leases.cancel(ground.pool, ground.workspace_id, task_id, PERSON)
    if end == "cancelled":
        await outcomes.fail(ground.pool, holder, failure(1, FailReason.CANCELLED))
    elif end == "failed":
        await outcomes.fail(ground.pool, holder, failure(1))
    elif end == "released":
        await outcomes.release(ground.pool, holder, giving_back(1))
    else:
        await ground.run_out(task_id)
        await outcomes.reap(ground.pool)

    task = await ground.read(task_id)
    assert (task.status, task.blocked_reason) == (Status.BLOCKED, BlockedReason.MANUAL)
    assert not task.cancel_requested


async def test_work_that_was_finished_before_the_wish_to_cancel_arrived_is_kept(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)
    await leases.cancel(ground.pool, ground.workspace_id, task_id, PERSON)

    task = await outcomes.complete(ground.pool, ground.holder(granted, worker), completion(1))

    assert (task.status, task.cancel_requested) == (Status.IN_REVIEW, False)
