"""The hub wakes everybody who waits for what happened, and nobody else."""

import asyncio
from uuid import UUID, uuid4

from hypothesis import given, strategies as st
from tests.server.dispatch.ground import Ground
from tests.server.events.conftest import beside
from tests.support.polling import until

from locus.server.events.hub import Bell, Hub, News, pack, unpack
from locus.server.events.log import SYSTEM, record
from locus.wire.events import EventKind

NEWS = st.builds(News, st.uuids(), st.integers(1, 2**62), st.booleans())


@given(st.lists(NEWS, max_size=100))
def test_news_survive_the_way_through_a_notification_which_they_fit(news: list[News]) -> None:
    payload = pack(news)

    assert unpack(payload) == news
    assert len(payload) < 8000


async def test_a_ring_between_looking_and_waiting_is_not_missed() -> None:
    bell = Bell()
    heard = bell.rings
    bell.ring()

    async with asyncio.timeout(1):
        assert await bell.wait(heard, 60)


async def test_a_ring_wakes_everybody_who_waits() -> None:
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait(0, 10)) for _ in range(3)]
    await asyncio.sleep(0)

    bell.ring()

    assert await asyncio.gather(*waiting) == [True, True, True]


async def test_without_a_ring_waiting_ends_with_its_time() -> None:
    assert not await Bell().wait(0, 0.01)


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(0, 10))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    bell.ring()

    assert bell.rings == 1


async def test_events_that_make_no_work_ring_for_readers_only() -> None:
    hub, workspace = Hub(), uuid4()
    events, work = hub.events(workspace), hub.work(workspace)

    hub.tell([News(workspace, 1, work=False), News(uuid4(), 1, work=True)])

    assert (events.rings, work.rings) == (1, 0)


async def test_what_another_process_numbered_is_heard(ground: Ground, hub: Hub, numbering: None) -> None:
    bell = hub.work(ground.workspace_id)
    await until(lambda: rung(bell, 1))  # it listens: the first ring tells that something may have been missed
    before = bell.rings
    async with ground.log.transaction() as db:
        await record(db, ground.workspace_id, EventKind.TASK_CREATED, SYSTEM)

    assert await bell.wait(before, 5)


async def rung(bell: Bell, times: int) -> bool:
    return bell.rings >= times


async def test_after_a_lost_connection_everybody_is_woken_and_news_are_heard_again(
    ground: Ground, dsn: str, numbering: None
) -> None:
    hub = Hub()
    bell = hub.events(ground.workspace_id)
    async with beside(hub.listen(dsn)):
        await until(lambda: rung(bell, 1))
        await ground.pool.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'locus-hub' AND datname = current_database()
            """
        )
        async with ground.log.transaction() as db:
            await record(db, ground.workspace_id, EventKind.DOC_EDITED, SYSTEM)
        await until(lambda: rung(bell, 2), limit=3)
        before = bell.rings
        async with ground.log.transaction() as db:
            await record(db, ground.workspace_id, EventKind.DOC_EDITED, SYSTEM)

        assert await bell.wait(before, 5)


async def test_closing_sends_everybody_home(ground: Ground) -> None:
    hub = Hub()
    bells = [hub.events(UUID(int=1)), hub.work(UUID(int=2))]
    waiting = [asyncio.create_task(bell.wait(0, 10)) for bell in bells]
    await asyncio.sleep(0)

    hub.close()

    assert await asyncio.gather(*waiting) == [True, True]
    assert hub.closed
