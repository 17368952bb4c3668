"""The heartbeat on a real server: sleeps of the machine, parking, and a server that goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from tests.support.processes import until
from tests.support.server import RunningServer, running
from tests.support.workshop import Workshop, workshop

from locus.local.worker import told
from locus.local.worker.agent import registration
from locus.local.worker.clock import Moment
from locus.local.worker.heartbeat import SLEPT, Heartbeat
from locus.local.worker.stop import Stop, StopReason
from locus.server.settings import Timing
from locus.wire.agents import Agent, AgentLiveness
from locus.wire.work import Claim, Lease

T = TypeVar("T")
LONG = 600.0  # seconds between two beats: whatever comes sooner was not the interval


@dataclass
class Clock:
    """The clocks of a machine that can be put to sleep."""

    slept: float = 0.0

    def __call__(self) -> Moment:
        now = Moment.now()
        return Moment(now.wall + self.slept, now.boot + self.slept, now.awake)


@dataclass
class Beating:
    """An agent of a workshop whose heart beats."""

    shop: Workshop
    agent: Agent
    heartbeat: Heartbeat
    clock: Clock
    said: list[told.Told] = field(default_factory=list)

    async def now(self) -> Agent:
        return await self.shop.plane.agents.get(self.agent.id)

    async def becomes(self, liveness: AgentLiveness) -> Agent:
        async with asyncio.timeout(30):
            while (agent := await self.now()).liveness is not liveness:
                await asyncio.sleep(0.05)
        return agent

    def told(self, kind: type[T]) -> list[T]:
        return [one for one in self.said if isinstance(one, kind)]


async def beating(shop: Workshop, *, interval: float = LONG) -> Beating:
    work = shop.workplace(shop.agent("pass"))
    async with work.plane as plane:
        agent = await plane.agents.register(registration(work))
    clock, said = Clock(), list[told.Told]()
    heartbeat = Heartbeat(shop.connect, agent.id, interval=interval, tell=said.append, clock=clock)
    return Beating(shop, agent, heartbeat, clock, said)


@pytest.fixture
async def one(shop: Workshop) -> AsyncIterator[Beating]:
    made = await beating(shop)
    made.heartbeat.start()
    yield made
    made.heartbeat.end()


async def claim(shop: Workshop, agent: Agent) -> Lease:
    async with shop.connect() as plane:
        lease = (await plane.dispatch.claim(Claim(agent_id=agent.id))).lease
    assert lease is not None
    return lease


async def test_the_first_act_after_a_sleep_is_a_heartbeat_that_says_so(one: Beating) -> None:
    await one.becomes(AgentLiveness.LIVE)
    before = (await one.now()).last_heartbeat_at

    one.clock.slept += 3 * 3600

    agent = await one.becomes(AgentLiveness.ASLEEP)
    assert agent.last_heartbeat_at > before
    (slept,) = one.told(told.Slept)
    assert slept.seconds == pytest.approx(3 * 3600, abs=SLEPT)


async def test_a_lease_that_outlived_the_sleep_is_kept(one: Beating) -> None:
    await one.shop.task("Sleep")
    lease, stop = await claim(one.shop, one.agent), Stop()
    one.heartbeat.hold(lease, stop)
    await one.becomes(AgentLiveness.LIVE)

    one.clock.slept += 3600
    await one.becomes(AgentLiveness.ASLEEP)

    await until(one.heartbeat.confirmed, limit=30)
    assert not stop.asked


async def test_a_lease_that_ended_in_the_sleep_stops_the_work(one: Beating, server: RunningServer) -> None:
    task = await one.shop.task("Sleep")
    lease, stop = await claim(one.shop, one.agent), Stop()
    one.heartbeat.hold(lease, stop)
    await one.becomes(AgentLiveness.LIVE)

    await server.pool.execute("UPDATE tasks SET fence = fence + 1 WHERE id = $1", task.id)
    one.clock.slept += 3600

    await until(lambda: stop.asked, limit=30)
    assert stop.reason is StopReason.LEASE_LOST


async def test_a_clock_that_is_set_is_no_sleep() -> None:
    before = Moment(wall=1000.0, boot=50.0, awake=50.0)

    assert Moment(wall=9000.0, boot=51.0, awake=51.0).asleep_since(before) == 0.0
    assert Moment(wall=1010.0, boot=60.0, awake=51.0).asleep_since(before) == 9.0


async def test_a_server_that_goes_away_is_told_with_the_time_that_is_left_and_so_is_its_return(
    dsn: str, tmp_path: Path
) -> None:
    timing = Timing(lease_ms=60_000, heartbeat_ms=200, reap_ms=60_000)
    async with AsyncExitStack() as outage:
        server = await outage.enter_async_context(running(dsn, timing=timing))
        async with workshop(server, tmp_path / "shop") as shop:
            await shop.task("Wait")
            one = await beating(shop, interval=0.2)
            lease, stop = await claim(shop, one.agent), Stop()
            one.heartbeat.hold(lease, stop)
            one.heartbeat.start()
            await until(one.heartbeat.confirmed, limit=30)

            await outage.aclose()
            await until(lambda: one.told(told.ServerSilent) != [], limit=60)
            one.heartbeat.end(timeout=20.0)

    (silent,) = one.told(told.ServerSilent)
    assert silent.seconds is not None
    assert 0 < silent.seconds <= 40.0, "two thirds of the lease"
    assert not stop.asked, "the work goes on meanwhile"
