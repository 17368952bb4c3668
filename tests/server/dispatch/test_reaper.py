"""Workers that were not heard of lose their leases, once, and nobody else does."""

import asyncio
from uuid import uuid4

from tests.server.dispatch.ground import Ground, Worker, ground as new_ground
from tests.support.polling import until

from locus.server.dispatch import outcomes, reaper
from locus.server.settings import Timing
from locus.server.tasks import attempts
from locus.wire.tasks import BlockedReason, Status
from locus.wire.work import FailReason, OutcomeKind


async def test_a_lease_that_has_run_out_goes_back_to_the_backlog_and_counts(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.granted(worker)
    await ground.run_out(task_id)

    assert await outcomes.reap(ground.pool) == 1

    task = await ground.read(task_id)
    assert (task.status, task.attempts, task.fence, task.agent_id) == (Status.BACKLOG, 1, 1, None)
    [attempt] = await attempts.listed(ground.pool, ground.workspace_id, task_id, below=None, limit=9)
    assert (attempt.outcome, attempt.fail_reason) == (OutcomeKind.EXPIRED, FailReason.LEASE_EXPIRED)
    assert attempt.agent_id == worker.agent_id
    assert await ground.kinds(task_id) == ["task.claimed", "task.expired"]


async def test_a_task_whose_workers_always_die_is_blocked_after_exactly_three_attempts(
    ground: Ground, worker: Worker
) -> None:
    task_id = await ground.task()
    for _ in range(3):
        assert (await ground.read(task_id)).status is Status.BACKLOG
        await ground.granted(worker)
        await ground.run_out(task_id)
        await outcomes.reap(ground.pool)

    task = await ground.read(task_id)
    assert (task.status, task.blocked_reason) == (Status.BLOCKED, BlockedReason.ATTEMPTS_EXHAUSTED)


async def test_a_lease_that_lasts_is_not_reaped(ground: Ground, worker: Worker) -> None:
    await ground.task()
    await ground.granted(worker)
    before = await ground.everything()

    assert await outcomes.reap(ground.pool) == 0
    assert await ground.everything() == before


async def test_a_task_that_a_person_works_on_is_not_reaped(ground: Ground) -> None:
    task_id = await ground.task(status="IN_PROGRESS", assignee="Ada")

    assert await outcomes.reap(ground.pool) == 0
    assert (await ground.read(task_id)).status is Status.IN_PROGRESS


async def test_the_leases_of_every_workspace_are_reaped_and_each_once(ground: Ground, worker: Worker) -> None:
    other = await new_ground(ground.pool)
    for one, holder in ((ground, worker), (other, await other.worker())):
        for _ in range(3):
            task_id = await one.task()
            await one.granted(holder)
            await one.run_out(task_id)

    counts = await asyncio.gather(*(outcomes.reap(ground.pool) for _ in range(4)))

    assert sum(counts) == 6
    assert await ground.pool.fetchval("SELECT count(*) FROM attempts WHERE outcome = 'expired'") == 6


async def test_a_sweep_that_another_process_is_doing_is_left_to_it(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.granted(worker)
    await ground.run_out(task_id)
    async with ground.log.transaction() as db:
        await db.fetchval("SELECT pg_try_advisory_xact_lock($1)", reaper.LOCK)

        assert await reaper.sweep(ground.log) == 0

    assert await reaper.sweep(ground.log) == 1


async def test_the_reaper_keeps_sweeping_until_it_is_stopped(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    sweeping = asyncio.create_task(reaper.run(ground.log, Timing(reap_ms=20)))
    try:
        for _ in range(2):
            await ground.granted(worker)
            await ground.run_out(task_id)

            async def back() -> bool:
                return (await ground.read(task_id)).status is Status.BACKLOG

            await until(back)
    finally:
        sweeping.cancel()


async def test_answers_older_than_a_day_are_forgotten_and_younger_ones_kept(ground: Ground) -> None:
    for age in ("25 hours", "23 hours"):
        await ground.pool.execute(
            f"""
            INSERT INTO idempotency_keys (principal_id, route, key, body_sha256, created_at)
            VALUES ($1, 'POST /x', '{age}', '', clock_timestamp() - interval '{age}')
            """,
            uuid4(),
        )

    await reaper.sweep(ground.log)

    assert [row["key"] for row in await ground.pool.fetch("SELECT key FROM idempotency_keys")] == ["23 hours"]
