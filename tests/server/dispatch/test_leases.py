"""Who may write with a lease, and for how long."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from tests.server.dispatch.ground import (
    TIMING,
    Ground,
    Worker,
    completion,
    failure,
    giving_back,
    ground as new_ground,
)

from locus.server.dispatch import leases, outcomes
from locus.server.dispatch.leases import Holder
from locus.server.errors import Conflict, LeaseLost, NotFound
from locus.server.events.log import Actor
from locus.wire.events import ActorKind
from locus.wire.tasks import Phase

PERSON = Actor(ActorKind.PERSON, "Ada", uuid4())

Write = Callable[[Ground, Holder], Awaitable[object]]

# Everything a worker can write with a lease.
WRITES: dict[str, Write] = {
    "renew": lambda ground, holder: leases.renew(ground.pool, holder, Phase.AGENT, TIMING),
    "complete": lambda ground, holder: outcomes.complete(ground.pool, holder, completion(holder.fence)),
    "fail": lambda ground, holder: outcomes.fail(ground.pool, holder, failure(holder.fence)),
    "release": lambda ground, holder: outcomes.release(ground.pool, holder, giving_back(holder.fence)),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_with_a_stale_fence_is_refused_and_changes_nothing(
    ground: Ground, worker: Worker, write: Write
) -> None:
    task_id = await ground.task()
    old = await ground.granted(worker)
    await ground.run_out(task_id)
    await outcomes.reap(ground.pool)
    await ground.granted(await ground.worker(worker.key_id))
    before = await ground.everything()

    with pytest.raises(LeaseLost):
        await write(ground, ground.holder(old, worker))

    assert await ground.everything() == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_with_a_lease_that_has_run_out_is_refused_and_changes_nothing(
    ground: Ground, worker: Worker, write: Write
) -> None:
    granted = await ground.granted(worker) if await ground.task() else None
    assert granted is not None
    await ground.run_out(granted.lease.task_id)
    before = await ground.everything()

    with pytest.raises(LeaseLost):
        await write(ground, ground.holder(granted, worker))

    assert await ground.everything() == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_fence_that_was_never_given_is_refused(ground: Ground, worker: Worker, write: Write) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    before = await ground.everything()

    with pytest.raises(LeaseLost):
        await write(ground, ground.holder(granted, worker, fence=7))

    assert await ground.everything() == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_lease_of_another_keys_agent_is_not_found(ground: Ground, worker: Worker, write: Write) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    thief = Worker(worker.agent_id, uuid4())
    before = await ground.everything()

    with pytest.raises(NotFound):
        await write(ground, ground.holder(granted, thief))

    assert await ground.everything() == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_task_that_is_not_here_is_not_found(ground: Ground, worker: Worker, write: Write) -> None:
    with pytest.raises(NotFound):
        await write(ground, Holder(ground.workspace_id, uuid4(), 1, worker.key_id))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_task_of_another_workspace_is_not_found_with_the_right_key_and_fence(
    ground: Ground, worker: Worker, write: Write
) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    other = await new_ground(ground.pool)
    await other.worker(worker.key_id)
    before = await ground.everything()

    with pytest.raises(NotFound):
        await write(ground, Holder(other.workspace_id, granted.lease.task_id, 1, worker.key_id))

    assert await ground.everything() == before


async def test_renewing_makes_the_lease_last_from_now_and_shows_the_agent_alive(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)
    await ground.pool.execute(
        "UPDATE tasks SET lease_expires_at = clock_timestamp() + interval '5 s' WHERE id = $1", task_id
    )
    await ground.pool.execute("UPDATE agents SET last_heartbeat_at = clock_timestamp() - interval '1 hour'")

    renewed = await leases.renew(ground.pool, ground.holder(granted, worker), Phase.CHECKS, TIMING)

    assert TIMING.lease_ms - 5000 < renewed.expires_in_ms <= TIMING.lease_ms
    assert not renewed.cancel_requested
    assert (await ground.read(task_id)).phase is Phase.CHECKS
    assert await ground.pool.fetchval("SELECT clock_timestamp() - last_heartbeat_at < interval '5 s' FROM agents")


async def test_a_lease_that_is_renewed_is_never_reaped_however_long_ago_it_was_claimed(
    ground: Ground, worker: Worker
) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)
    await ground.pool.execute("UPDATE tasks SET claimed_at = clock_timestamp() - interval '9 h' WHERE id = $1", task_id)
    await leases.renew(ground.pool, ground.holder(granted, worker), Phase.AGENT, TIMING)

    assert await outcomes.reap(ground.pool) == 0
    assert (await ground.read(task_id)).fence == granted.lease.fence


async def test_a_wish_to_cancel_reaches_the_worker_with_its_next_heartbeat(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)

    task = await leases.cancel(ground.pool, ground.workspace_id, task_id, PERSON)
    again = await leases.cancel(ground.pool, ground.workspace_id, task_id, PERSON)

    assert task.cancel_requested
    assert again == task
    assert (await leases.renew(ground.pool, ground.holder(granted, worker), Phase.AGENT, TIMING)).cancel_requested
    assert await ground.kinds(task_id) == ["task.claimed", "task.cancel_requested"]


@pytest.mark.parametrize("status", ["BACKLOG", "IN_REVIEW", "DONE", "BLOCKED", "IN_PROGRESS"])
async def test_what_no_agent_holds_cannot_be_cancelled(ground: Ground, status: str) -> None:
    task_id = await ground.task(status=status)

    with pytest.raises(Conflict) as refused:
        await leases.cancel(ground.pool, ground.workspace_id, task_id, PERSON)

    assert refused.value.code == "not_held"


async def test_a_foreign_task_cannot_be_cancelled(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.granted(worker)

    with pytest.raises(NotFound):
        await leases.cancel(ground.pool, uuid4(), task_id, PERSON)
