"""A used-up allowance: real agents whose scripted service says so, and a worker that waits, switches or stops."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.agent_rigs import CodexRig, Rig, SubscribedClaudeRig
from tests.support.model_server import Fails, ModelServer, Says, Step
from tests.support.processes import until
from tests.support.workshop import IDENTITY, Ran, Workshop, one_of

from locus.local.worker import told
from locus.local.worker.outcome import Failed
from locus.local.worker.parking import OnLimit, Patience
from locus.wire.agents import Agent, AgentLiveness
from locus.wire.tasks import Status
from locus.wire.work import FailReason

pytestmark = pytest.mark.real_agent
QUICK = Patience(jitter=0.0, shortest=0.1, unknown=0.2)
LONG = Patience(jitter=0.0, shortest=6.0, unknown=6.0)  # time for somebody else to do something
RIGS = {"claude": SubscribedClaudeRig, "codex": CodexRig}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, shop: Workshop) -> Rig:
    return RIGS[request.param](shop.place / "agent")


@contextmanager
def model(shop: Workshop, rig: Rig, *script: Step) -> Iterator[ModelServer]:
    """The model of a rig, for the agents of the workshop."""
    with rig.server(script) as served:
        shop.environment |= {**rig.environment(served.url), **IDENTITY}
        yield served


def soon(seconds: float = 2.0) -> int:
    return int(time.time() + seconds)


def limits(ran: Ran) -> list[Failed]:
    ended = [one.outcome for one in ran.of(told.TaskEnded)]
    return [one for one in ended if isinstance(one, Failed) and one.reason is FailReason.USAGE_LIMIT]


async def the_agent(shop: Workshop) -> Agent:
    return one_of([agent async for agent in shop.plane.agents.all()])


async def test_the_same_session_goes_on_with_its_work_when_the_limit_has_ended(shop: Workshop, rig: Rig) -> None:
    task = await shop.task("Write two files")
    script = (rig.runs("echo 1 > one.txt"), rig.used_up(soon()), rig.runs("cat one.txt > two.txt"), Says("Done."))

    with model(shop, rig, *script) as served:
        ran = await shop.run(rig.provider, patience=QUICK)

    now = await shop.now(task)
    assert ran.result.succeeded
    assert (now.status, now.attempts) == (Status.IN_REVIEW, 1)
    assert shop.git("show", "locus/sprint-1:two.txt", cwd=shop.remote) == "1"
    assert one_of(limits(ran)).resets_at is not None
    assert one_of(ran.of(told.WentOn)).fence == 1
    sent = json.dumps(served.requests[-1].body)
    assert "You were interrupted" in sent and "Write two files" in sent, "one conversation"
    assert "refs/locus/parked" not in shop.git("for-each-ref", cwd=parked_in(shop)), "what was parked is in the commit"


def parked_in(shop: Workshop) -> Path:
    return one_of(list((shop.state / "repositories").glob("*/1/git")))


async def test_who_waits_holds_no_task_and_says_until_when(shop: Workshop) -> None:
    rig = SubscribedClaudeRig(shop.place / "agent")
    task = await shop.task("Write a file")
    resets_at = soon(600)

    with model(shop, rig, rig.used_up(resets_at)):
        run = shop.worker(rig.provider, patience=QUICK)
        going = asyncio.create_task(run.run())
        await until(lambda: any(isinstance(one, told.Parked) for one in shop.said), limit=60)
        waiting = one_of([one for one in shop.said if isinstance(one, told.Parked)])
        async with asyncio.timeout(30):
            while (await the_agent(shop)).liveness is not AgentLiveness.PARKED:
                await asyncio.sleep(0.05)
        agent, there = await the_agent(shop), await shop.now(task)
        began = time.monotonic()
        run.interrupt("Ctrl+C")
        result = await going
        took = time.monotonic() - began
    await run.work.plane.__aexit__(None, None, None)

    assert (there.status, there.attempts, there.agent_id) == (Status.BACKLOG, 0, None)
    assert agent.parked_until == waiting.until
    assert waiting.until.timestamp() == pytest.approx(resets_at, abs=1.0)
    assert (result.succeeded, result.why) == (False, "Interrupted.")
    assert took < 30, "Ctrl+C does not wait for the end of the limit"


async def test_work_that_was_kept_stands_on_top_of_what_others_pushed_meanwhile(shop: Workshop) -> None:
    rig = SubscribedClaudeRig(shop.place / "agent")
    await shop.task("Write a file")
    await shop.task("Never reached")

    with model(shop, rig, rig.runs("echo 1 > one.txt"), rig.used_up(soon()), Says("Done.")):
        run = shop.worker(rig.provider, patience=LONG, max_tasks=1)
        going = asyncio.create_task(run.run())
        await until(lambda: any(isinstance(one, told.Parked) for one in shop.said), limit=60)
        clone = shop.place / "others"
        shop.git("clone", "--quiet", str(shop.remote), str(clone))
        shop.git("checkout", "--quiet", "-b", "locus/sprint-1", cwd=clone)
        (clone / "theirs.txt").write_text("theirs\n")
        shop.git("add", "--all", cwd=clone)
        shop.git("commit", "--quiet", "--message", "Theirs", cwd=clone)
        shop.git("push", "--quiet", "origin", "locus/sprint-1", cwd=clone)
        await going
    await run.work.plane.__aexit__(None, None, None)

    assert one_of([one for one in shop.said if isinstance(one, told.WentOn)]).moved
    assert shop.on_remote() == ["Theirs", "WEB-1: Write a file"]


async def test_a_task_that_people_spoke_about_meanwhile_begins_again(shop: Workshop) -> None:
    rig = SubscribedClaudeRig(shop.place / "agent")
    task = await shop.task("Write a file")

    with model(shop, rig, rig.used_up(soon()), rig.runs("echo 1 > one.txt"), Says("Done.")) as served:
        run = shop.worker(rig.provider, patience=LONG)
        going = asyncio.create_task(run.run())
        await until(lambda: any(isinstance(one, told.Parked) for one in shop.said), limit=60)
        await shop.plane.tasks.comment(task.id, "Call it one.txt.")
        await going
    await run.work.plane.__aexit__(None, None, None)

    assert not any(isinstance(one, told.WentOn) for one in shop.said)
    assert "Call it one.txt." in json.dumps(served.requests[-1].body)
    assert (await shop.now(task)).status is Status.IN_REVIEW


async def test_another_provider_goes_on_where_the_run_may_switch(shop: Workshop) -> None:
    first, second = SubscribedClaudeRig(shop.place / "first"), CodexRig(shop.place / "second")
    task = await shop.task("Write a file")

    with (
        model(shop, first, first.runs("echo half > one.txt"), first.used_up(soon(3600))),
        model(shop, second, second.runs("echo 1 > two.txt"), Says("Done.")),
    ):
        shop.environment["HOME"] = str(second.root / "home")
        ran = await shop.run(first.provider, patience=QUICK, on_limit=OnLimit.SWITCH)

    assert ran.result.succeeded
    assert one_of(ran.of(told.Switched)) == told.Switched(before="claude", now="codex")
    assert ran.of(told.Parked) == []
    assert [one.provider for one in ran.of(told.RunStarted)] == ["claude", "codex"]
    assert (await shop.now(task)).status is Status.IN_REVIEW
    assert shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote) == "two.txt"


async def test_a_second_provider_that_cannot_be_used_leaves_the_run_waiting_for_the_first(shop: Workshop) -> None:
    first, second = SubscribedClaudeRig(shop.place / "first"), CodexRig(shop.place / "second")
    await shop.task("Write a file")

    with (
        model(shop, first, first.used_up(soon(8)), first.runs("echo 1 > one.txt"), Says("Done.")),
        model(shop, second, Fails(401)),
    ):
        shop.environment["HOME"] = str(second.root / "home")
        ran = await shop.run(first.provider, patience=QUICK, on_limit=OnLimit.SWITCH)

    assert ran.result.succeeded, ran.result.why
    assert [one.now for one in ran.of(told.Switched)] == ["codex", "claude"]


async def test_a_run_that_is_to_stop_says_until_when_and_costs_no_attempt(shop: Workshop, rig: Rig) -> None:
    task = await shop.task("Write a file")
    resets_at = soon(3600)

    with model(shop, rig, rig.used_up(resets_at)):
        ran = await shop.run(rig.provider, on_limit=OnLimit.STOP)

    now = await shop.now(task)
    assert not ran.result.succeeded
    assert time.strftime("%H:%M", time.localtime(resets_at)) in ran.result.why
    assert (now.status, now.attempts) == (Status.BACKLOG, 0)
    assert ran.result.tally.failed == []
