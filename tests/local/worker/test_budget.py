"""The workspace's budget of the day: a run ends with the reason when no task is handed out because of it."""

from tests.support.workshop import Workshop

from locus.wire.tasks import Status

SPENT = """UPDATE attempts SET numbers = '{"provider": "command", "usd_micros": 3000000}'"""


async def test_a_run_ends_when_the_workspace_has_spent_its_budget_and_says_why(shop: Workshop) -> None:
    await shop.task("Write one")
    second = await shop.task("Write two")
    agent = shop.agent("pathlib.Path('one.txt').touch()")
    assert (await shop.run(agent, max_tasks=1)).result.succeeded
    await shop.server.pool.execute(SPENT)
    await shop.server.pool.execute("UPDATE workspaces SET daily_budget_usd_micros = 3000000, budget_stops = true")

    ran = await shop.run(agent)

    assert not ran.result.succeeded
    assert ran.result.why.startswith("Stopped. The workspace has spent its budget of 24 hours")
    assert (await shop.now(second)).status is Status.BACKLOG
