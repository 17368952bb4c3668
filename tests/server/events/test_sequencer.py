"""Events get their numbers once, without a gap, in the order in which a task's changes were committed."""

import asyncio
import random
from collections import Counter
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.server.dispatch.ground import Ground, ground as new_ground
from tests.server.events.conftest import beside
from tests.server.events.fold import numbered
from tests.support.polling import until

from locus.server.db import pool as pools
from locus.server.db.pool import Connection, Pool
from locus.server.events import sequencer
from locus.server.events.hub import CHANNEL, unpack
from locus.server.events.log import SYSTEM, Log, record
from locus.wire.events import EventDetail, EventKind

WRITERS = 32


async def write(db: Connection, ground: Ground, task_id: UUID | None = None, number: int = 0) -> None:
    detail = EventDetail(number=number)
    await record(db, ground.workspace_id, EventKind.TASK_EDITED, SYSTEM, task_id=task_id, detail=detail)


async def all_numbered(ground: Ground) -> bool:
    return not await ground.pool.fetchval("SELECT count(*) FROM events WHERE seq IS NULL")


async def test_an_event_that_is_committed_late_is_numbered_after_those_that_were_seen(
    ground: Ground, numbering: None
) -> None:
    async with ground.log.transaction() as late:
        await write(late, ground, number=1)
        async with ground.log.transaction() as early:
            await write(early, ground, number=2)
        await until(lambda: seen(ground, 1))
        first = await numbered(ground.pool, ground.workspace_id)
    await until(lambda: seen(ground, 2))

    assert [event.detail.number for event in first] == [2]
    assert [event.detail.number for event in await numbered(ground.pool, ground.workspace_id)] == [2, 1]
    # The control: who had asked for ids above the last one seen would never have met the late event.
    ids = await ground.pool.fetch("SELECT id FROM events ORDER BY seq")
    assert ids[0]["id"] > ids[1]["id"]


async def seen(ground: Ground, count: int) -> bool:
    return len(await numbered(ground.pool, ground.workspace_id)) == count


async def test_thirty_two_writers_with_rollbacks_leave_no_gap_and_lose_and_reorder_nothing(
    dsn: str, ground: Ground, numbering: None
) -> None:
    pool = await pools.connect(dsn, size=WRITERS)
    log = Log(pool)
    tasks = [uuid4() for _ in range(8)]
    locks = {task: asyncio.Lock() for task in tasks}
    expected: dict[UUID, list[int]] = {task: [] for task in tasks}
    read: list[int] = []
    writing = True

    async def follow() -> None:
        """A reader that asks for what comes after the last number it saw, as everybody does."""
        while writing or not await all_numbered(ground) or len(read) < sum(map(len, expected.values())):
            found = await ground.pool.fetch(
                "SELECT seq FROM events WHERE workspace_id = $1 AND seq > $2 ORDER BY seq",
                ground.workspace_id,
                read[-1] if read else 0,
            )
            read.extend(row["seq"] for row in found)
            await asyncio.sleep(0)

    async def writer(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(20):
            task = chance.choice(tasks)
            # As with a row lock: one change of a task at a time, the changes of different tasks in any order.
            async with locks[task]:
                with_rollback = chance.random() < 0.1
                try:
                    async with log.transaction() as db:
                        await write(db, ground, task, seed * 1000 + number)
                        await db.execute("SELECT pg_sleep($1)", chance.random() / 100)
                        if with_rollback:
                            raise RuntimeError("rolled back on purpose")
                except RuntimeError:
                    continue
                expected[task].append(seed * 1000 + number)

    following = asyncio.create_task(follow())
    await asyncio.gather(*(writer(seed) for seed in range(WRITERS)))
    writing = False
    async with asyncio.timeout(20):
        await following
    await pool.close()

    events = await numbered(ground.pool, ground.workspace_id)
    committed = sum(map(len, expected.values()))
    assert 0 < committed < WRITERS * 20
    assert [event.seq for event in events] == list(range(1, committed + 1)) == read
    for task in tasks:
        assert [event.detail.number for event in events if event.task_id == task] == expected[task]
    assert await ground.pool.fetchval("SELECT seq FROM event_heads") == committed


async def test_every_workspace_has_numbers_of_its_own(ground: Ground, numbering: None) -> None:
    others = [ground, *[await new_ground(ground.pool) for _ in range(3)]]
    for count, one in enumerate(others, start=1):
        for _ in range(count):
            async with ground.log.transaction() as db:
                await write(db, one)
    await until(lambda: all_numbered(ground))

    for count, one in enumerate(others, start=1):
        assert [event.seq for event in await numbered(ground.pool, one.workspace_id)] == list(range(1, count + 1))


async def test_more_events_than_a_batch_are_numbered_in_the_order_of_their_commits(ground: Ground, dsn: str) -> None:
    await ground.pool.execute(
        """
        INSERT INTO events (workspace_id, kind, actor_kind, actor_name, detail)
        SELECT $1, 'task.edited', 'system', 'locus', jsonb_build_object('number', n) FROM generate_series(1, 2500) n
        """,
        ground.workspace_id,
    )
    async with beside(sequencer.run(ground.log, dsn)):
        await until(lambda: all_numbered(ground))

    events = await numbered(ground.pool, ground.workspace_id)
    assert [event.detail.number for event in events] == list(range(1, 2501))


async def test_what_another_process_wrote_is_numbered_without_being_told(ground: Ground, numbering: None) -> None:
    other = Log(ground.pool)
    async with other.transaction() as db:
        await write(db, ground)

    await until(lambda: seen(ground, 1), limit=2)


async def test_a_batch_is_announced_once_whatever_its_size(ground: Ground, dsn: str) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(dsn)
    await listener.add_listener(CHANNEL, lambda *said: heard.append(str(said[3])))
    workspaces = [ground, await new_ground(ground.pool)]
    async with ground.log.transaction() as db:
        for _ in range(40):
            for one in workspaces:
                await write(db, one)
    async with beside(sequencer.run(ground.log, dsn)):
        await until(lambda: all_numbered(ground))
        await until(lambda: told(heard, 2))
    await listener.close()

    assert len(heard) == 1
    assert {(news.workspace_id, news.seq) for news in unpack(heard[0])} == {
        (one.workspace_id, 40) for one in workspaces
    }


async def told(heard: list[str], workspaces: int) -> bool:
    return sum(len(unpack(payload)) for payload in heard) >= workspaces


async def test_more_workspaces_than_fit_into_one_notification_are_all_announced(ground: Ground, dsn: str) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(dsn)
    await listener.add_listener(CHANNEL, lambda *said: heard.append(str(said[3])))
    await ground.pool.execute(
        """
        WITH made AS (
            INSERT INTO workspaces (organization_id, name, prefix)
            SELECT organization_id, 'Many', 'M' || n FROM workspaces, generate_series(1, 250) n RETURNING id)
        INSERT INTO events (workspace_id, kind, actor_kind, actor_name)
        SELECT id, 'doc.edited', 'system', 'locus' FROM made
        """
    )
    async with beside(sequencer.run(ground.log, dsn)):
        await until(lambda: told(heard, 250))
    await listener.close()

    assert len({news.workspace_id for payload in heard for news in unpack(payload)}) == 250


@pytest.mark.parametrize("kind", EventKind)
async def test_those_who_wait_for_work_are_woken_by_what_may_have_made_some(
    ground: Ground, dsn: str, kind: EventKind
) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(dsn)
    await listener.add_listener(CHANNEL, lambda *said: heard.append(str(said[3])))
    async with ground.log.transaction() as db:
        await record(db, ground.workspace_id, kind, SYSTEM)
    connection = await pools.dedicated(dsn, application_name="test")
    await sequencer.number(connection)
    await until(lambda: told(heard, 1))
    await connection.close()
    await listener.close()

    [news] = unpack(heard[0])
    quiet = {"task.claimed", "task.cancel_requested", "task.linked", "sprint.created", "sprint.edited"}
    assert news.work == (kind.value.startswith(("task.", "sprint.")) and kind.value not in quiet)


async def backends(pool: Pool) -> list[int]:
    """The sessions of sequencers, the elected one first."""
    found = await pool.fetch(
        """
        SELECT a.pid FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory'
         WHERE a.application_name = 'locus-sequencer' AND a.datname = current_database()
         ORDER BY l.pid IS NULL
        """
    )
    return [row["pid"] for row in found]


async def test_who_is_not_elected_numbers_nothing(ground: Ground, dsn: str) -> None:
    elected = await pools.dedicated(dsn, application_name="test")
    await elected.fetchval("SELECT pg_advisory_lock($1)", sequencer.LOCK)
    async with ground.log.transaction() as db:
        await write(db, ground)

    async def refused() -> bool:
        return await elected.fetchval(
            """
            SELECT count(*) > 0 FROM pg_stat_activity
             WHERE application_name = 'locus-sequencer' AND datname = current_database()
               AND query LIKE '%pg_try_advisory_lock%' AND state = 'idle'
            """
        )

    async with beside(sequencer.run(ground.log, dsn)):
        await until(refused)
        assert not await all_numbered(ground)
        await elected.close()
        await until(lambda: all_numbered(ground))


async def test_of_many_sequencers_one_numbers_and_the_others_wait(ground: Ground, dsn: str) -> None:
    logs = [Log(ground.pool) for _ in range(3)]

    async def writer(seed: int) -> None:
        for _ in range(20):
            async with logs[seed % 3].transaction() as db:
                await write(db, ground)

    async with beside(*(sequencer.run(log, dsn) for log in logs)):
        await asyncio.gather(*map(writer, range(9)))
        await until(lambda: all_numbered(ground))

    counted = Counter(event.seq for event in await numbered(ground.pool, ground.workspace_id))
    assert counted == Counter(range(1, 181))


async def test_when_the_elected_sequencer_dies_another_one_goes_on_without_a_gap(ground: Ground, dsn: str) -> None:
    async def writer(count: int) -> None:
        for number in range(count):
            async with ground.log.transaction() as db:
                await write(db, ground, number=number)

    async with beside(sequencer.run(ground.log, dsn), sequencer.run(Log(ground.pool), dsn)):

        async def both() -> bool:
            return len(await backends(ground.pool)) == 2

        for _ in range(3):
            await until(both)
            writing = asyncio.create_task(writer(50))
            await ground.pool.execute("SELECT pg_terminate_backend($1)", (await backends(ground.pool))[0])
            await writing
        await until(lambda: seen(ground, 150))

    counted = Counter(event.seq for event in await numbered(ground.pool, ground.workspace_id))
    assert counted == Counter(range(1, 151))


async def test_a_workspace_that_is_being_deleted_is_passed_over_and_holds_nobody_up(ground: Ground, dsn: str) -> None:
    """Both lock what the workspace has: in another order, each would wait for the other until one is broken off."""
    other = await new_ground(ground.pool)
    connection = await pools.dedicated(dsn, application_name="test", lock_timeout=1)
    for one in (ground, other):
        async with one.log.transaction() as db:
            await write(db, one)

    with pytest.raises(RuntimeError, match="thought better of it"):
        async with ground.log.transaction() as deleting:
            await deleting.execute("DELETE FROM workspaces WHERE id = $1", ground.workspace_id)
            assert await sequencer.number(connection) == 1
            assert await sequencer.number(connection) == 0
            raise RuntimeError("thought better of it")
    assert await numbered(ground.pool, ground.workspace_id) == []
    assert await sequencer.number(connection) == 1
    await connection.close()

    assert [len(await numbered(one.pool, one.workspace_id)) for one in (ground, other)] == [1, 1]


async def test_workspaces_are_deleted_while_their_events_are_numbered(ground: Ground, numbering: None) -> None:
    for _ in range(20):
        going = await new_ground(ground.pool)
        for _ in range(3):
            async with ground.log.transaction() as db:  # its end wakes the sequencer
                await write(db, going)
        await ground.pool.execute("DELETE FROM workspaces WHERE id = $1", going.workspace_id)
        async with ground.log.transaction() as db:
            await write(db, ground)

    await until(lambda: seen(ground, 20))
