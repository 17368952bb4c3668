"""Agents as the database's clock sees them."""

from uuid import uuid4

import pytest
from tests.server.dispatch.ground import TIMING, Ground, Worker, ground as new_ground

from locus.server.dispatch import agents
from locus.server.errors import NotFound
from locus.wire.agents import Agent, AgentLiveness as L, AgentState as S, Heartbeat


async def aged(ground: Ground, worker: Worker, state: S, seconds: float) -> Agent:
    """The agent after it was not heard of for so long."""
    await agents.beat(ground.pool, ground.workspace_id, worker.agent_id, worker.key_id, Heartbeat(state=state))
    await ground.pool.execute(
        "UPDATE agents SET last_heartbeat_at = clock_timestamp() - $1 * interval '1 second'", seconds
    )
    return await agents.get(ground.pool, ground.workspace_id, worker.agent_id, TIMING)


@pytest.mark.parametrize(
    ("state", "seconds", "liveness"),
    [
        (S.IDLE, 0, L.LIVE),
        (S.WORKING, 39, L.LIVE),
        (S.WORKING, 41, L.SILENT),
        (S.IDLE, 179, L.SILENT),
        (S.IDLE, 181, L.LOST),
        (S.PARKED, 0, L.PARKED),
        (S.PARKED, 100, L.PARKED),
        (S.PARKED, 181, L.LOST),
        (S.ASLEEP, 0, L.ASLEEP),
        (S.ASLEEP, 41, L.SILENT),
        (S.STOPPED, 0, L.STOPPED),
        (S.STOPPED, 9999, L.STOPPED),
    ],
)
async def test_silence_makes_an_agent_silent_then_lost(
    ground: Ground, worker: Worker, state: S, seconds: float, liveness: L
) -> None:
    assert (await aged(ground, worker, state, seconds)).liveness is liveness


async def test_an_agent_shows_the_task_it_holds_and_for_how_long(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.granted(worker)

    agent = await agents.get(ground.pool, ground.workspace_id, worker.agent_id, TIMING)

    assert (agent.task_id, agent.task_key) == (task_id, "WEB-1")
    assert agent.lease_expires_in_ms is not None
    assert TIMING.lease_ms - 5000 < agent.lease_expires_in_ms <= TIMING.lease_ms


async def test_a_lease_that_has_run_out_is_no_longer_shown(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    await ground.granted(worker)
    await ground.run_out(task_id)

    agent = await agents.get(ground.pool, ground.workspace_id, worker.agent_id, TIMING)

    assert (agent.task_id, agent.phase, agent.lease_expires_in_ms) == (None, None, None)


async def test_only_the_key_that_registered_an_agent_may_speak_for_it(ground: Ground, worker: Worker) -> None:
    before = await ground.everything()

    with pytest.raises(NotFound):
        await agents.beat(ground.pool, ground.workspace_id, worker.agent_id, uuid4(), Heartbeat(state=S.STOPPED))

    assert await ground.everything() == before


async def test_an_agent_of_another_workspace_is_not_found(ground: Ground, worker: Worker) -> None:
    other = await new_ground(ground.pool)

    with pytest.raises(NotFound):
        await agents.get(ground.pool, other.workspace_id, worker.agent_id, TIMING)
    with pytest.raises(NotFound):
        await agents.beat(ground.pool, other.workspace_id, worker.agent_id, worker.key_id, Heartbeat(state=S.IDLE))


async def test_only_a_change_of_state_is_an_event(ground: Ground, worker: Worker) -> None:
    for state in (S.IDLE, S.WORKING, S.WORKING, S.STOPPED):
        await agents.beat(ground.pool, ground.workspace_id, worker.agent_id, worker.key_id, Heartbeat(state=state))

    told = await ground.pool.fetch("SELECT detail ->> 'agent_state' AS state FROM events ORDER BY id")
    assert [row["state"] for row in told] == ["working", "stopped"]
