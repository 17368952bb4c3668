"""What waits for people."""

import httpx
import msgspec
from tests.server.dashboard import rooms
from tests.server.dispatch.crew import ground_of, member, refused
from tests.server.tasks.planning import Planner, handed_in, held, told
from tests.support.server import RunningServer

from locus.wire.reports import NeedKind, Needs


async def needs(server: RunningServer, api: httpx.AsyncClient, **query: int) -> Needs:
    return told(await api.get(server.path("/needs"), params=query), Needs)


async def test_reviews_blocked_and_held_tasks_wait_the_longest_first(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    plan = Planner(server, api)
    review, blocked, policy, quiet = await plan.tasks(4)
    await handed_in(server.pool, review)
    await plan.status(blocked, "BLOCKED", reason="needs_input")
    await server.pool.execute("UPDATE tasks SET status = 'BLOCKED', blocked_reason = 'policy' WHERE id = $1", policy.id)
    for hours, task in enumerate((blocked, policy, review, quiet)):
        await server.pool.execute(
            "UPDATE tasks SET updated_at = now() - interval '1 day' + $2 * interval '1 hour' WHERE id = $1",
            task.id,
            hours,
        )

    found = await needs(server, api)

    assert [(one.kind, one.key) for one in found.items] == [
        (NeedKind.BLOCKED, blocked.key),
        (NeedKind.HELD, policy.key),
        (NeedKind.REVIEW, review.key),
    ]
    assert found.items[0].blocked_reason == "needs_input"
    assert found.total == 3
    assert len((await needs(server, api, limit=1)).items) == 1
    assert (await needs(server, api, limit=1)).total == 3


async def test_a_parked_agent_waits_until_a_time_and_a_lost_one_for_nobody(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    plan = Planner(server, api)
    parked = await held(server.pool, await plan.task())
    lost = await held(server.pool, await plan.task())
    await server.pool.execute(
        "UPDATE agents SET state = 'parked', parked_until = now() + interval '1 hour' WHERE id = ANY($1)",
        [parked, lost],
    )
    await server.pool.execute("UPDATE agents SET last_heartbeat_at = now() - interval '1 hour' WHERE id = $1", lost)

    found = await needs(server, api)

    assert [(one.kind, one.agent_id) for one in found.items] == [(NeedKind.PARKED, parked)]
    assert found.items[0].until is not None


async def test_a_spent_budget_stops_claims_only_where_the_workspace_says_so(server: RunningServer) -> None:
    ground = await ground_of(server)
    done, one, two = [await ground.task() for _ in range(3)]
    async with member(server) as worker:
        claimed = await worker.claim()
        assert claimed.lease is not None
        await worker.complete(done, claimed.lease.fence)
        await server.pool.execute(
            "UPDATE attempts SET numbers = $1", msgspec.json.encode({"provider": "claude", "usd_micros": 2_000_000})
        )
        await server.pool.execute("UPDATE workspaces SET daily_budget_usd_micros = 2000000")
        first = await worker.claim(key="one")
        await server.pool.execute("UPDATE workspaces SET budget_stops = true")

        refused(await worker.ask(), 409, "budget_spent")
        refused(await worker.ask(wait_ms=9000), 409, "budget_spent")  # waiting does not help
        again = await worker.claim(key="one")  # whoever has a task already hears of it again
        await server.pool.execute("UPDATE workspaces SET daily_budget_usd_micros = 2000001")
        second = await worker.claim()

    assert first.lease is not None and again.lease is not None and second.lease is not None
    assert (first.lease.task_id, again.lease.task_id, second.lease.task_id) == (one, one, two)


async def test_a_budget_that_is_spent_comes_first(server: RunningServer, api: httpx.AsyncClient) -> None:
    plan = Planner(server, api)
    task = await plan.task()
    await handed_in(server.pool, task)
    await server.pool.execute(
        "UPDATE attempts SET numbers = $1", msgspec.json.encode({"provider": "claude", "usd_micros": 2_000_000})
    )
    await server.pool.execute("UPDATE workspaces SET daily_budget_usd_micros = 2000001")
    assert [one.kind for one in (await needs(server, api)).items] == [NeedKind.REVIEW]

    await server.pool.execute("UPDATE workspaces SET daily_budget_usd_micros = 2000000")

    assert [one.kind for one in (await needs(server, api)).items] == [NeedKind.BUDGET, NeedKind.REVIEW]


async def test_plans_that_nobody_decided_about_wait_for_people(server: RunningServer, api: httpx.AsyncClient) -> None:
    waiting = await rooms.plan(server, server.workspace.id, "Search")
    decided = await rooms.plan(server, server.workspace.id, "Other")
    assert (await api.post(server.path(f"/plans/{decided}/cancel"))).status_code == 200

    found = await needs(server, api)

    assert [(one.kind, one.plan_id, one.title) for one in found.items] == [(NeedKind.PLAN, waiting, "Search")]
    assert found.total == 1
