"""How long a claim waits, and for whom."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import httpx
import pytest
from tests.server.dispatch.crew import (
    Member,
    completed,
    ground_of,
    member,
    told,
)
from tests.server.dispatch.ground import Ground
from tests.support.polling import until
from tests.support.server import RunningServer

from locus.wire.tasks import Status, Task
from locus.wire.work import Claimed
from locus.wire.workspaces import Purpose


@pytest.fixture
async def ground(server: RunningServer) -> Ground:
    return await ground_of(server)


@pytest.fixture
async def worker(server: RunningServer, ground: Ground) -> AsyncIterator[Member]:
    async with member(server) as worker:
        yield worker


class Watch:
    """Sees from outside what the server asks of the database."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def waiting(self, worker: Member) -> "asyncio.Task[Claimed]":
        """A claim that has looked for a task in vain and waits for one."""
        since = await self._connection.fetchval("SELECT clock_timestamp()")
        claim = asyncio.create_task(worker.claim(wait_ms=20_000))

        async def looked() -> bool:
            # Nothing else in the server's pool is committed meanwhile.
            return await self._connection.fetchval(
                """
                SELECT count(*) > 0 FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'locus' AND query LIKE 'COMMIT%'
                   AND state = 'idle' AND query_start >= $1
                """,
                since,
            )

        await until(looked)
        assert not claim.done()
        return claim


@pytest.fixture
async def watch(dsn: str) -> AsyncIterator[Watch]:
    connection = await asyncpg.connect(dsn)
    yield Watch(connection)
    await connection.close()


@pytest.mark.parametrize("wait_ms", [0, 5000])
async def test_a_sprint_that_is_not_here_is_not_found_at_once(
    ground: Ground, worker: Member, server: RunningServer, wait_ms: int
) -> None:
    foreign = await server.foreign()
    theirs = await ground.pool.fetchval(
        "INSERT INTO sprints (workspace_id, number, name) VALUES ($1, 1, 'x') RETURNING id", foreign.id
    )
    async with asyncio.timeout(2):
        answers = [await worker.ask(sprint_id=sprint, wait_ms=wait_ms) for sprint in (theirs, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


async def test_a_new_task_ends_the_wait_for_one_within_half_a_second(
    ground: Ground, worker: Member, watch: Watch
) -> None:
    async with member(worker.server, Purpose.MEMBER) as person:
        for _ in range(3):
            waiting = await watch.waiting(worker)
            began = time.monotonic()
            body = {"title": "Next", "sprint_id": ground.sprint_id}
            task = told(await person.post("/tasks", body), Task, 201)

            claimed = await waiting

            assert claimed.lease is not None
            assert claimed.lease.task_id == task.id
            assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("what", ["reject", "start", "finish", "assign", "release"])
async def test_what_makes_a_task_claimable_ends_the_wait(
    ground: Ground, worker: Member, watch: Watch, what: str
) -> None:
    async with member(worker.server, Purpose.MEMBER) as person:
        if what == "reject":
            task = await ground.task(status="IN_REVIEW")
            act = person.post(f"/tasks/{task}/status", {"status": "BACKLOG", "feedback": "The empty list."})
        elif what == "start":
            await ground.pool.execute("UPDATE sprints SET status = 'PLANNED'")
            task = await ground.task()
            act = person.post(f"/sprints/{ground.sprint_id}/start")
        elif what == "assign":
            task = await ground.task(assignee="Ada")
            edit = {"assignee": None}
            path = person.server.path(f"/tasks/{task}")
            act = person.client.patch(path, json=edit, headers={"If-Match": "*"})
        else:
            needed = await ground.task()
            task = needed if what == "release" else await ground.task(after=[needed])
            await person.claim()
            body = {"fence": 1, "reason": "stopped"} if what == "release" else completed(1)
            act = person.lease(needed, "release" if what == "release" else "complete", body)
        waiting = await watch.waiting(worker)
        began = time.monotonic()

        response = await act
        claimed = await waiting

    assert response.status_code == 200, response.text
    assert claimed.lease is not None
    assert claimed.lease.task_id == task
    assert time.monotonic() - began < 1


async def test_a_wait_for_nothing_ends_when_its_time_is_up(ground: Ground, worker: Member) -> None:
    began = time.monotonic()

    claimed = await worker.claim(wait_ms=300)

    assert claimed.lease is None
    assert claimed.progress is not None
    assert 0.3 <= time.monotonic() - began < 2


async def test_who_stops_waiting_gets_no_task_and_the_next_one_does(ground: Ground, worker: Member) -> None:
    async with member(worker.server) as other:
        with pytest.raises(httpx.ReadTimeout):
            await other.client.post(
                other.server.path("/dispatch/claim"),
                json={"agent_id": str(other.agent.id), "wait_ms": 20_000},
                timeout=0.3,
            )
        task_id = await ground.task()

        claimed = await worker.claim(wait_ms=5000)

    assert claimed.lease is not None
    assert claimed.lease.task_id == task_id


async def test_a_claim_in_flight_whose_requester_went_away_is_given_back(ground: Ground, worker: Member) -> None:
    task_id = await ground.task()
    async with ground.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("LOCK TABLE events IN EXCLUSIVE MODE")  # the claim's statement has to wait
        with pytest.raises(httpx.ReadTimeout):
            await worker.client.post(
                worker.server.path("/dispatch/claim"), json={"agent_id": str(worker.agent.id)}, timeout=0.3
            )
        await transaction.rollback()

    async def back() -> bool:
        return await ground.kinds(task_id) == ["task.claimed", "task.released"]

    await until(back)
    task = await ground.read(task_id)
    assert (task.status, task.attempts) == (Status.BACKLOG, 0)
