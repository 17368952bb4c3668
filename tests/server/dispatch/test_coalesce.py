"""Claims that arrive together share a statement, and none of them pays for another."""

import asyncio
from uuid import UUID, uuid4

import pytest
from tests.server.dispatch.ground import TIMING, Ground, Worker, completion
from tests.support.polling import until

from locus.server.db import pool as pools
from locus.server.dispatch import outcomes
from locus.server.dispatch.claims import Ask, Granted, Nothing, Reply, Unknown
from locus.server.dispatch.coalesce import Desks
from locus.server.dispatch.leases import Holder
from locus.server.errors import Unavailable
from locus.server.events.hub import Hub, News
from locus.wire.tasks import Status


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def desks(ground: Ground, hub: Hub) -> Desks:
    return Desks(ground.log, hub, TIMING)


async def statements(ground: Ground) -> int:
    """How many claims are in the events, grouped by the transaction that wrote them."""
    return await ground.pool.fetchval("SELECT count(DISTINCT xmin::text) FROM events WHERE kind = 'task.claimed'")


async def test_claims_that_wait_together_are_answered_by_one_statement(ground: Ground, desks: Desks) -> None:
    workers = [await ground.worker() for _ in range(40)]
    tasks = [await ground.task() for _ in range(40)]

    replies = await asyncio.gather(*(desks.claim(ground.workspace_id, None, one.ask()) for one in workers))

    assert [reply.lease.task_id for reply in replies if isinstance(reply, Granted)] == tasks
    assert await statements(ground) < 5


async def test_each_gets_the_answer_to_their_own_claim(ground: Ground, desks: Desks, worker: Worker) -> None:
    task_id = await ground.task()
    asks = [Ask(uuid4(), uuid4(), None), worker.ask(), worker.ask(), Ask(uuid4(), uuid4(), None)]

    replies = await asyncio.gather(*(desks.claim(ground.workspace_id, None, ask) for ask in asks))

    assert isinstance(replies[1], Granted)
    assert replies[1].lease.task_id == task_id
    assert [replies[0], replies[2], replies[3]] == [Unknown(), Nothing(), Unknown()]


async def test_a_claim_that_breaks_its_statement_does_not_break_the_others(
    ground: Ground, desks: Desks, worker: Worker
) -> None:
    others = [await ground.worker() for _ in range(5)]
    for _ in range(7):
        await ground.task()
    # Twice the same key in one statement: the unique index refuses the whole statement.
    asks = [worker.ask("one"), *(one.ask() for one in others), worker.ask("one")]

    replies = await asyncio.gather(*(desks.claim(ground.workspace_id, None, ask) for ask in asks))

    granted = [reply.lease for reply in replies if isinstance(reply, Granted)]
    assert len(granted) == 7
    assert granted[0].task_id == granted[-1].task_id
    assert len({lease.task_id for lease in granted}) == 6


async def test_a_task_for_somebody_who_has_gone_away_is_given_back_at_once(
    ground: Ground, desks: Desks, worker: Worker
) -> None:
    task_id = await ground.task()
    async with ground.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        # The claim cannot be finished yet: the sprint's workspace is being renumbered, say, and its event waits.
        await other.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        asking = asyncio.create_task(desks.claim(ground.workspace_id, None, worker.ask("one")))
        await until(lambda: waits_for_lock(ground))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await transaction.rollback()

    async def back() -> bool:
        return await ground.kinds(task_id) == ["task.claimed", "task.released"]

    await until(back)
    task = await ground.read(task_id)
    assert (task.status, task.attempts, task.fence) == (Status.BACKLOG, 0, 1)
    again = await desks.claim(ground.workspace_id, None, worker.ask("one"))
    assert isinstance(again, Granted)
    assert again.fresh


async def waits_for_lock(ground: Ground) -> bool:
    return bool(
        await ground.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def first(ground: Ground, desks: Desks, worker: Worker) -> UUID:
    reply: Reply = await desks.claim(ground.workspace_id, None, worker.ask())
    assert isinstance(reply, Granted), reply
    return reply.lease.task_id


async def test_a_task_that_came_before_the_last_claimed_one_is_found_once_the_hub_knows(
    ground: Ground, desks: Desks, hub: Hub, worker: Worker
) -> None:
    await ground.task()
    await ground.task()
    await first(ground, desks, worker)
    urgent = await ground.task(priority="CRITICAL")
    hub.tell([News(ground.workspace_id, 1, work=True)])

    assert await first(ground, desks, worker) == urgent


async def test_a_task_before_the_last_claimed_one_is_found_when_nothing_comes_after(
    ground: Ground, desks: Desks, worker: Worker
) -> None:
    await ground.task()
    await first(ground, desks, worker)
    urgent = await ground.task(priority="CRITICAL")

    assert await first(ground, desks, worker) == urgent


async def test_a_task_that_no_event_told_of_is_overlooked_for_a_moment_only(
    ground: Ground, desks: Desks, worker: Worker
) -> None:
    for _ in range(500):
        await ground.task()
    await first(ground, desks, worker)
    urgent = await ground.task(priority="CRITICAL")

    taken = [await first(ground, desks, worker)]
    async with asyncio.timeout(5):
        while taken[-1] != urgent:
            taken.append(await first(ground, desks, worker))

    # The hint was in use (the first claim went past the urgent task), and it ended by itself.
    assert taken[0] != urgent
    assert len(taken) < 499


async def test_a_dependency_that_was_finished_makes_an_earlier_task_claimable(
    ground: Ground, desks: Desks, hub: Hub, worker: Worker
) -> None:
    needed = await ground.task(position=1)
    waiting = await ground.task(position=0, after=[needed])
    for _ in range(3):
        await ground.task()
    assert await first(ground, desks, worker) == needed
    await outcomes.complete(ground.pool, Holder(ground.workspace_id, needed, 1, worker.key_id), completion(1))
    hub.tell([News(ground.workspace_id, 1, work=True)])

    assert await first(ground, desks, worker) == waiting


async def test_who_waits_is_told_when_the_database_is_gone(dsn: str, ground: Ground, hub: Hub, worker: Worker) -> None:
    pool = await pools.connect(dsn, size=1)
    await pool.close()
    ground.log.pool = pool
    desks = Desks(ground.log, hub, TIMING)

    async with asyncio.timeout(5):
        replies = await asyncio.gather(
            *(desks.claim(ground.workspace_id, None, worker.ask()) for _ in range(3)), return_exceptions=True
        )

    assert all(isinstance(reply, Unavailable) for reply in replies), replies
