"""What a claim hands out, to whom, and what it never hands out."""

import asyncio
from uuid import uuid4

import pytest
from tests.server.dispatch.ground import TIMING, Ground, Worker, failure, ground as new_ground

from locus.server.dispatch import claims, outcomes
from locus.server.dispatch.claims import Granted, Nothing, Place, Unknown
from locus.server.events.log import Actor
from locus.server.sprints import store as sprints
from locus.server.tasks import comments
from locus.server.workspaces import store as workspaces
from locus.wire.events import ActorKind
from locus.wire.tasks import CommentKind, Status


async def ground_of(ground: Ground) -> Ground:
    """Ground of another organization in the same database."""
    return await new_ground(ground.pool)


PERSON = Actor(ActorKind.PERSON, "Ada", uuid4())


async def test_tasks_come_by_priority_then_position(ground: Ground, worker: Worker) -> None:
    later = await ground.task(position=2)
    low = await ground.task(priority="LOW", position=0)
    first = await ground.task(position=1)
    critical = await ground.task(priority="CRITICAL", position=9)

    taken = [(await ground.granted(worker)).lease.task_id for _ in range(4)]

    assert taken == [critical, first, later, low]


async def test_a_claim_gives_a_lease_with_a_growing_fence_and_counts_the_attempt(
    ground: Ground, worker: Worker
) -> None:
    task_id = await ground.task()
    first = await ground.granted(worker)
    await outcomes.fail(ground.pool, ground.holder(first, worker), failure(first.lease.fence))

    second = await ground.granted(worker)

    assert (first.lease.task_id, first.lease.fence, first.lease.attempt) == (task_id, 1, 1)
    assert (second.lease.task_id, second.lease.fence, second.lease.attempt) == (task_id, 2, 2)
    assert TIMING.lease_ms - 5000 < second.lease.expires_in_ms <= TIMING.lease_ms
    assert second.lease.heartbeat_ms == TIMING.heartbeat_ms
    task = second.snapshot.task
    assert (task.status, task.agent_id, task.agent_name) == (Status.IN_PROGRESS, worker.agent_id, "builder")
    assert task == await ground.read(task_id)


@pytest.mark.parametrize("status", ["IN_PROGRESS", "IN_REVIEW", "DONE", "BLOCKED"])
async def test_only_the_backlog_is_handed_out(ground: Ground, worker: Worker, status: str) -> None:
    await ground.task(status=status)

    assert await ground.claim(worker) == Nothing()


async def test_a_persons_task_is_not_handed_out(ground: Ground, worker: Worker) -> None:
    await ground.task(assignee="Ada")

    assert await ground.claim(worker) == Nothing()


async def test_a_task_of_a_planned_sprint_is_handed_out_only_to_who_names_the_sprint(
    ground: Ground, worker: Worker
) -> None:
    planned = await ground.sprint("PLANNED")
    task_id = await ground.task(sprint_id=planned)

    assert await ground.claim(worker) == Nothing()
    named = await ground.claim(worker, sprint_id=planned)
    assert isinstance(named, Granted)
    assert named.lease.task_id == task_id


async def test_a_task_without_a_sprint_is_not_handed_out(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.pool.execute("UPDATE tasks SET sprint_id = NULL WHERE id = $1", task_id)

    assert await ground.claim(worker) == Nothing()


@pytest.mark.parametrize(
    ("status", "ready"),
    [("BACKLOG", False), ("IN_PROGRESS", False), ("BLOCKED", False), ("IN_REVIEW", True), ("DONE", True)],
)
async def test_a_task_waits_until_what_it_needs_is_in_review_or_done(
    ground: Ground, worker: Worker, status: str, ready: bool
) -> None:
    needed = await ground.task(status=status, assignee="Ada")
    finished = await ground.task(status="DONE")
    await ground.task(after=[needed, finished])

    reply = await ground.claim(worker)

    assert isinstance(reply, Granted) is ready


async def test_what_waits_does_not_hold_up_what_comes_after_it(ground: Ground, worker: Worker) -> None:
    needed = await ground.task(status="BLOCKED")
    await ground.task(after=[needed], priority="CRITICAL")
    ready = await ground.task(priority="LOW")

    assert (await ground.granted(worker)).lease.task_id == ready


async def test_claims_and_the_sprints_progress_agree_about_what_is_claimable(ground: Ground, worker: Worker) -> None:
    blocked = await ground.task(status="BLOCKED")
    await ground.task(after=[blocked])
    await ground.task(assignee="Ada")
    done = await ground.task(status="DONE")
    await ground.task(after=[done])
    await ground.task()

    progress = await sprints.progress(ground.pool, ground.workspace_id, ground.sprint_id)
    replies = await ground.claim_all([worker.ask()] * 6)

    assert progress is not None
    assert progress.claimable == sum(isinstance(reply, Granted) for reply in replies) == 2
    after = await sprints.progress(ground.pool, ground.workspace_id, ground.sprint_id)
    assert after is not None
    assert (after.claimable, after.waiting, after.in_progress, after.assigned) == (0, 1, 2, 1)


async def test_an_agent_of_another_key_or_another_workspace_is_unknown(ground: Ground, worker: Worker) -> None:
    await ground.task()
    other = await ground_of(ground)
    foreign = await other.worker(worker.key_id)

    replies = await ground.claim_all(
        [Worker(worker.agent_id, uuid4()).ask(), foreign.ask(), Worker(uuid4(), worker.key_id).ask()]
    )

    assert replies == [Unknown(), Unknown(), Unknown()]


async def test_another_workspaces_tasks_are_never_handed_out(ground: Ground, worker: Worker) -> None:
    other = await ground_of(ground)
    await other.task()

    assert await ground.claim(worker) == Nothing()
    assert await ground.claim(worker, sprint_id=other.sprint_id) == Nothing()


async def test_one_statement_gives_each_who_asks_a_task_of_their_own_in_their_order(
    ground: Ground, worker: Worker
) -> None:
    tasks = [await ground.task() for _ in range(3)]
    others = [await ground.worker() for _ in range(3)]

    replies = await ground.claim_all([one.ask() for one in [*others, worker]])

    assert [reply.lease.task_id for reply in replies if isinstance(reply, Granted)] == tasks
    assert [reply.snapshot.task.agent_id for reply in replies if isinstance(reply, Granted)] == [
        one.agent_id for one in others
    ]
    assert replies[3] == Nothing()


async def test_claims_at_the_same_moment_never_get_the_same_task(ground: Ground) -> None:
    workers = [await ground.worker() for _ in range(8)]
    for _ in range(40):
        await ground.task()

    async def work(worker: Worker) -> list[object]:
        taken = []
        while isinstance(reply := await ground.claim(worker), Granted):
            taken.append(reply.lease.task_id)
        return taken

    taken = [task for tasks in await asyncio.gather(*map(work, workers)) for task in tasks]

    # Nobody's Nothing may have come from a task that was locked by another claim just then: all 40 are gone.
    assert len(taken) == len(set(taken)) == 40


async def test_who_comes_second_takes_the_next_task_instead_of_waiting(ground: Ground, worker: Worker) -> None:
    first, second = await ground.task(), await ground.task()
    async with ground.log.transaction() as db:
        [held] = await claims.claim(db, ground.workspace_id, None, [worker.ask()], timing=TIMING)

        async with asyncio.timeout(1):
            reply = await ground.granted(worker)

    assert isinstance(held, Granted)
    assert (held.lease.task_id, reply.lease.task_id) == (first, second)


async def test_a_task_that_somebody_comments_on_just_now_is_not_skipped(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    task = await ground.read(task_id)
    async with ground.log.transaction() as db:
        await comments.write(db, PERSON, task, CommentKind.COMMENT, "Mind the empty list.")

        reply = await ground.claim(worker)

    assert isinstance(reply, Granted)


async def test_a_scan_from_a_place_begins_after_it(ground: Ground, worker: Worker) -> None:
    tasks = [await ground.task() for _ in range(3)]
    place = Place.of(await ground.read(tasks[1]))

    [reply] = await claims.claim(ground.pool, ground.workspace_id, None, [worker.ask()], after=place, timing=TIMING)
    [nothing] = await claims.claim(ground.pool, ground.workspace_id, None, [worker.ask()], after=place, timing=TIMING)

    assert isinstance(reply, Granted)
    assert reply.lease.task_id == tasks[2]
    assert nothing == Nothing()


async def test_a_workspace_that_is_being_deleted_hands_out_nothing(ground: Ground, worker: Worker) -> None:
    await ground.task()
    async with ground.log.transaction() as deleting:
        assert await workspaces.busy(deleting, ground.workspace_id) == 0
        late = await ground.claim(worker)
        assert await workspaces.delete(deleting, ground.workspace_id, version=None)

    assert isinstance(late, Nothing)
