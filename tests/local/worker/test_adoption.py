"""A commit that an attempt pushed and could not report is adopted by the next one, after it was proved again."""

import asyncio

from tests.support.polling import until
from tests.support.workshop import Workshop, one_of

from locus.local.project import Check
from locus.local.worker import told
from locus.local.worker.agent import registration
from locus.local.worker.outcome import Completed
from locus.wire.tasks import Status, StatusChange, Task
from locus.wire.work import Claim, Release, ReleaseReason

NEVER = "raise SystemExit('the agent must not be started')"


async def pushed_unreported(shop: Workshop, text: str = "done\n", *, trailers: str = "", more: bool = False) -> Task:
    """A task whose first attempt has pushed a commit, as a worker does, and was never heard of again."""
    task = await shop.task("Add one")
    worker = shop.workplace(shop.agent(NEVER))
    async with worker.plane as plane:
        agent = await plane.agents.register(registration(worker))
        claimed = await plane.dispatch.claim(Claim(agent_id=agent.id))
        assert claimed.lease is not None
        fence = claimed.lease.fence
        await plane.dispatch.release(task.id, Release(fence=fence, reason=ReleaseReason.SELF_FENCED))
    other = shop.place / "other"
    shop.git("clone", "--quiet", str(shop.remote), str(other), cwd=shop.place)
    shop.git("checkout", "--quiet", "-b", "locus/sprint-1", cwd=other)
    (other / "one.txt").write_text(text)
    shop.git("add", "--all", cwd=other)
    said = trailers or f"Task: WEB-1\nAttempt: {fence}\nAgent: command-0000"
    shop.git("commit", "--quiet", "-m", f"WEB-1: Add one\n\n{said}", cwd=other)
    if more:
        shop.git("commit", "--quiet", "--allow-empty", "-m", "Somebody else's", cwd=other)
    shop.git("push", "--quiet", "origin", "locus/sprint-1", cwd=other)
    return task


def head(shop: Workshop, ref: str = "locus/sprint-1") -> str:
    return shop.git("rev-parse", ref, cwd=shop.remote)


async def test_a_pushed_commit_that_nobody_reported_is_proved_again_and_reported_without_an_agent(
    shop: Workshop,
) -> None:
    task = await pushed_unreported(shop, more=True)
    shop.checks.append(Check(name="unit", run="grep -q done one.txt && echo 3 passed in 0.01s"))
    before = head(shop)

    ran = await shop.run(shop.agent(NEVER))

    assert isinstance(one_of(ran.of(told.TaskEnded)).outcome, Completed)
    assert ran.of(told.AgentStarted) == []
    assert head(shop) == before
    now = await shop.now(task)
    assert (now.status, now.commit, now.fence) == (Status.IN_REVIEW, head(shop, "locus/sprint-1^"), 2)
    attempt = await anext(shop.plane.tasks.attempts(task.id))
    assert [(one.check, one.passed, one.commit, one.tests) for one in attempt.evidence] == [
        ("unit", True, now.commit, 3)
    ]
    assert attempt.numbers is not None
    assert attempt.numbers.files == 1


async def test_a_pushed_commit_that_is_red_goes_to_the_agent_with_what_the_checks_printed(shop: Workshop) -> None:
    task = await pushed_unreported(shop, "wrong\n")
    shop.checks.append(Check(name="unit", run="grep -q done one.txt || { echo not yet $((6*7)); false; }"))

    ran = await shop.run(
        shop.agent("assert 'not yet 42' in prompt\npathlib.Path('one.txt').write_text('done')"),
    )

    assert ran.result.succeeded
    assert shop.on_remote() == ["WEB-1: Add one", "WEB-1: Add one"]
    assert (await shop.now(task)).commit == head(shop)


async def test_a_commit_that_was_reported_and_rejected_is_not_adopted(shop: Workshop) -> None:
    task = await shop.task("Add one")
    await shop.run(shop.agent("pathlib.Path('one.txt').touch()"))
    await shop.plane.tasks.set_status(task.id, StatusChange(status=Status.BACKLOG, feedback="Not like this."))

    ran = await shop.run(shop.agent("pathlib.Path('two.txt').touch()"))

    assert len(ran.of(told.AgentStarted)) == 1
    assert len(shop.on_remote()) == 2


async def test_who_takes_over_is_told_what_is_on_the_branch_and_who_still_holds_what(shop: Workshop) -> None:
    await pushed_unreported(shop)
    gone = shop.workplace(shop.agent(NEVER), name="gone")
    async with gone.plane as plane:
        agent = await plane.agents.register(registration(gone))
        assert (await plane.dispatch.claim(Claim(agent_id=agent.id))).lease is not None
    run = shop.worker(shop.agent(NEVER), resume=True)

    async with run.work.plane:
        working = asyncio.create_task(run.run())
        await until(lambda: said(shop, "WEB-1 is with gone-"), limit=60)
        run.interrupt("Ctrl+C")
        await working

    assert await said(shop, f"locus/sprint-1 has work on WEB-1 already, up to {head(shop)[:7]}.")
    assert len(shop.on_remote()) == 1


async def said(shop: Workshop, text: str) -> bool:
    return any(isinstance(one, told.Note) and text in one.text for one in shop.said)


async def test_a_commit_that_no_ended_attempt_can_have_made_is_not_adopted(shop: Workshop) -> None:
    task = await pushed_unreported(shop, trailers="Task: WEB-1\nAttempt: 9")

    ran = await shop.run(shop.agent("pathlib.Path('two.txt').touch()"))

    assert len(ran.of(told.AgentStarted)) == 1
    assert (await shop.now(task)).commit == head(shop)
    assert len(shop.on_remote()) == 2
