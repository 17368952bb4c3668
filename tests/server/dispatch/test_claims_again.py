"""A claim that is made twice is one claim."""

import asyncio

import asyncpg
import pytest
from tests.server.dispatch.ground import Ground, Worker, completion, failure, giving_back

from locus.server.db.errors import DatabaseDown
from locus.server.dispatch import outcomes
from locus.server.dispatch.claims import Granted, Over


async def test_the_same_claim_again_gets_the_same_lease(ground: Ground, worker: Worker) -> None:
    await ground.task()
    await ground.task()
    first = await ground.granted(worker, "one")

    again = await ground.granted(worker, "one")

    assert (again.lease.task_id, again.lease.fence, again.fresh) == (first.lease.task_id, first.lease.fence, False)
    assert again.lease.expires_in_ms <= first.lease.expires_in_ms
    assert again.snapshot == first.snapshot
    assert (await ground.granted(worker, "two")).lease.task_id != first.lease.task_id


async def test_the_same_claim_at_the_same_moment_gets_one_lease_or_is_refused_by_the_database(
    ground: Ground, worker: Worker
) -> None:
    for _ in range(4):
        await ground.task()

    replies = await asyncio.gather(*(ground.claim(worker, "one") for _ in range(8)), return_exceptions=True)

    granted = [reply for reply in replies if isinstance(reply, Granted)]
    assert len({(reply.lease.task_id, reply.lease.fence) for reply in granted}) == 1
    # Who waits for the winner's commit is told that the key is taken; on a busy machine, that the wait took too long.
    refused = (Granted, asyncpg.UniqueViolationError, DatabaseDown)
    assert all(isinstance(reply, refused) for reply in replies), replies
    assert [reply.fresh for reply in granted].count(True) == 1


@pytest.mark.parametrize("end", ["complete", "fail", "release", "expire", "reap"])
async def test_a_claim_repeated_after_its_lease_has_ended_gets_nothing_new(
    ground: Ground, worker: Worker, end: str
) -> None:
    await ground.task()
    await ground.task()
    granted = await ground.granted(worker, "one")
    holder = ground.holder(granted, worker)
    if end == "complete":
        await outcomes.complete(ground.pool, holder, completion(1))
    elif end == "fail":
        await outcomes.fail(ground.pool, holder, failure(1))
    elif end == "release":
        await outcomes.release(ground.pool, holder, giving_back(1))
    else:
        await ground.run_out(granted.lease.task_id)
        if end == "reap":
            await outcomes.reap(ground.pool)
    if end in ("fail", "release", "reap"):
        await ground.granted(await ground.worker(), "somebody else's")

    assert await ground.claim(worker, "one") == Over()


async def test_a_task_given_back_undelivered_can_be_claimed_with_the_same_key(ground: Ground, worker: Worker) -> None:
    await ground.task()
    lost = await ground.granted(worker, "one")

    assert await outcomes.give_back(ground.pool, ground.holder(lost, worker))
    again = await ground.granted(worker, "one")

    assert (again.lease.fence, again.lease.attempt, again.fresh) == (2, 1, True)
