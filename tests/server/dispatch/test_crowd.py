"""Many workers at once over HTTP: no task twice, none lost."""

import asyncio
from collections import Counter
from uuid import UUID

from tests.server.dispatch.crew import Member, ground_of, member
from tests.server.events.fold import fold, numbered, tables
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.server.dispatch import reaper
from locus.server.settings import Timing
from locus.wire.workspaces import Purpose

CLAIMERS = 50
TASKS = 2_000

MAKE = """
    INSERT INTO tasks (workspace_id, number, sprint_id, title, position)
    SELECT $1, n, $2, 'Task ' || n, n FROM generate_series(1, $3::int) n
"""


async def test_fifty_claimers_take_two_thousand_tasks_none_twice_and_none_lost(server: RunningServer) -> None:
    ground = await ground_of(server)
    await ground.pool.execute(MAKE, server.workspace.id, ground.sprint_id, TASKS)

    async def work(worker: Member) -> list[tuple[UUID, int]]:
        taken = []
        while (claimed := await worker.claim()).lease is not None:
            taken.append((claimed.lease.task_id, claimed.lease.fence))
        assert claimed.progress is not None
        assert claimed.progress.claimable == 0
        return taken

    async with member(server) as worker:
        taken = [one for some in await asyncio.gather(*(work(worker) for _ in range(CLAIMERS))) for one in some]

    handed_out = Counter(task for task, _ in taken)
    assert len(handed_out) == TASKS
    assert set(handed_out.values()) == {1}
    assert {fence for _, fence in taken} == {1}
    assert (
        await ground.pool.fetchval("SELECT count(*) FROM tasks WHERE status = 'IN_PROGRESS' AND attempts = 1") == TASKS
    )
    assert await ground.pool.fetchval("SELECT count(*) FROM events WHERE kind = 'task.claimed'") == TASKS


async def test_workers_that_work_and_die_finish_everything_and_the_events_tell_it_all(server: RunningServer) -> None:
    ground = await ground_of(server)
    async with server.client(await server.key(Purpose.MEMBER)) as person:
        for number in range(60):
            body = {"title": f"Task {number}", "sprint_id": str(ground.sprint_id)}
            assert (await person.post(server.path("/tasks"), json=body)).status_code == 201

    async def work(worker: Member, seed: int) -> None:
        turn = seed
        while True:
            claimed = await worker.claim(wait_ms=500)
            if claimed.lease is None:
                assert claimed.progress is not None
                if claimed.progress.claimable == claimed.progress.in_progress == 0:
                    return
                continue
            turn += 1
            lease = claimed.lease
            if turn % 5 == 0:
                body = {"fence": lease.fence, "reason": "interrupted"}
                await worker.lease(lease.task_id, "release", body, key=f"{lease.task_id}-{lease.fence}")
            elif turn % 7 == 0:
                await ground.run_out(lease.task_id)  # this worker dies here
            else:
                # Every report arrives twice.
                await asyncio.gather(
                    *(worker.complete(lease.task_id, lease.fence, key=f"{lease.fence}") for _ in range(2))
                )

    reaping = asyncio.create_task(reaper.run(ground.log, Timing(reap_ms=50)))
    async with member(server) as worker, asyncio.timeout(60):
        await asyncio.gather(*(work(worker, seed) for seed in range(8)))
    reaping.cancel()

    async def told_all() -> bool:
        return not await server.pool.fetchval("SELECT count(*) FROM events WHERE seq IS NULL")

    await until(told_all)
    states = await server.pool.fetch("SELECT DISTINCT status FROM tasks")
    assert {row["status"] for row in states} <= {"IN_REVIEW", "BLOCKED"}
    assert fold(await numbered(server.pool, server.workspace.id)) == await tables(server.pool, server.workspace.id)
