"""Changes that are held for a person: let through exactly as they were looked at, or held as before."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.polling import until
from tests.support.workshop import Ran, Workshop, one_of

from locus.client.errors import Conflict
from locus.local.git.clone import parked
from locus.local.project import Check, Project
from locus.local.providers.nobody import Nobody
from locus.local.worker import held, told
from locus.local.worker.approval import Approval
from locus.local.worker.held import Held
from locus.local.worker.outcome import Completed, Failed
from locus.wire.tasks import BlockedReason, Status, StatusChange, Task
from locus.wire.work import FailReason

RULES = "pathlib.Path('.locus').mkdir(exist_ok=True); pathlib.Path('.locus/config.toml').write_text('# new rules\\n')"
ADA = "Ada <ada@example.org>"


async def held_task(shop: Workshop) -> Task:
    """A task whose agent changed what only a person may change."""
    task = await shop.task("Change the rules")
    await shop.run(shop.agent(RULES))
    now = await shop.now(task)
    assert (now.status, now.blocked_reason) == (Status.BLOCKED, BlockedReason.POLICY)
    return now


async def found(shop: Workshop, task: Task) -> Held:
    return await held.one(shop.plane, await parked(shop.checkout, shop.state), task.key)


async def approval(shop: Workshop, task: Task) -> Approval:
    """What a person begins who has looked at the change, with a key of theirs."""
    shop.said = []
    work = shop.workplace(Nobody(), sprint=str(shop.sprint.id), name="approval", key=shop.person_key)
    return Approval(work, await found(shop, task), by=ADA)


async def approve(shop: Workshop, task: Task) -> Ran:
    run = await approval(shop, task)
    async with run.work.plane:
        return Ran(await run.run(), list(shop.said))


def there(path: Path) -> Callable[[], Awaitable[bool]]:
    async def exists() -> bool:
        return path.exists()

    return exists


def ended(ran: Ran) -> object:
    return one_of(ran.of(told.TaskEnded)).outcome


async def test_a_held_change_is_shown_with_its_reasons_and_every_line(shop: Workshop) -> None:
    task = await held_task(shop)
    one = await found(shop, task)

    look = await held.look(shop.checkout, Project(root=shop.root), one.here())

    assert look.inspection.held == ("only a person may change .locus/config.toml",)
    assert "+# new rules" in look.diff
    assert look.changes.paths == (".locus/config.toml",)


async def test_what_a_person_lets_through_is_proved_pushed_and_bears_their_name(shop: Workshop) -> None:
    shop.checks.append(Check(name="unit", run="grep -q new .locus/config.toml"))
    task = await held_task(shop)
    change = (await found(shop, task)).here()

    ran = await approve(shop, task)

    assert isinstance(ended(ran), Completed)
    assert shop.on_remote() == ["WEB-1: Change the rules"]
    assert shop.git("rev-parse", "locus/sprint-1^{tree}", cwd=shop.remote) == shop.git(
        "rev-parse", f"{change.commit}^{{tree}}", cwd=change.git_dir
    )
    trailers = shop.git("log", "-1", "--format=%(trailers)", "locus/sprint-1", cwd=shop.remote)
    assert f"Held-approved-by: {ADA}" in trailers
    assert "Agent: command-" in trailers
    assert "Evidence: unit: green" in trailers
    now = await shop.now(task)
    assert now.status is Status.IN_REVIEW
    assert now.commit == shop.git("rev-parse", "locus/sprint-1", cwd=shop.remote)
    assert await parked(shop.checkout, shop.state) == ()
    assert one_of(ran.of(told.PullRequestReady)).path is not None


async def test_a_change_that_an_earlier_version_held_is_found_and_let_through(shop: Workshop) -> None:
    task = await held_task(shop)
    change = (await found(shop, task)).here()
    git = f"--git-dir={change.git_dir}"
    shop.git(git, "update-ref", "refs/locus/parked/WEB-1/1", change.commit)
    shop.git(git, "update-ref", "-d", change.ref)

    ran = await approve(shop, task)

    assert isinstance(ended(ran), Completed)
    assert await parked(shop.checkout, shop.state) == ()


async def test_a_held_change_goes_on_top_of_what_was_pushed_since_and_is_proved_there(shop: Workshop) -> None:
    task = await held_task(shop)
    await shop.task("Another")
    await shop.run(shop.agent("pathlib.Path('another.txt').touch()"))
    shop.checks.append(Check(name="unit", run="test -e another.txt && test -e .locus/config.toml"))

    ran = await approve(shop, task)

    assert isinstance(ended(ran), Completed)
    assert shop.on_remote() == ["WEB-2: Another", "WEB-1: Change the rules"]


async def test_a_held_change_that_is_red_is_held_as_before_and_not_pushed(shop: Workshop) -> None:
    task = await held_task(shop)
    change = (await found(shop, task)).here()
    shop.checks.append(Check(name="unit", run="echo no; false"))

    ran = await approve(shop, task)

    outcome = ended(ran)
    assert isinstance(outcome, Failed)
    assert "unit (exit code 1) red on it" in outcome.detail
    assert not ran.result.succeeded
    assert "locus/sprint-1" not in shop.git("branch", "--list", cwd=shop.remote)
    now = await shop.now(task)
    assert (now.status, now.blocked_reason, now.fence) == (Status.BLOCKED, BlockedReason.POLICY, 2)
    again = (await found(shop, task)).here()
    assert (again.commit, again.ref) == (change.commit, f"refs/locus/parked/{shop.server.workspace.id}/WEB-1/2")
    attempt = await anext(shop.plane.tasks.attempts(task.id))
    assert [(one.check, one.passed, one.commit) for one in attempt.evidence] == [("unit", False, change.commit)]


async def test_a_held_change_that_does_not_fit_any_more_is_held_as_before(shop: Workshop) -> None:
    task = await held_task(shop)
    other = shop.place / "other"
    shop.git("clone", "--quiet", str(shop.remote), str(other), cwd=shop.place)
    (other / ".locus").mkdir()
    (other / ".locus" / "config.toml").write_text("# other rules\n")
    shop.git("checkout", "--quiet", "-b", "locus/sprint-1", cwd=other)
    shop.git("add", "--all", cwd=other)
    shop.git("commit", "--quiet", "-m", "Other rules", cwd=other)
    shop.git("push", "--quiet", "origin", "locus/sprint-1", cwd=other)

    ran = await approve(shop, task)

    outcome = ended(ran)
    assert isinstance(outcome, Failed)
    assert outcome.detail == "it conflicts with what was pushed since: .locus/config.toml"
    assert (await shop.now(task)).blocked_reason is BlockedReason.POLICY
    assert shop.on_remote() == ["Other rules"]
    assert (await found(shop, task)).parked is not None


async def test_an_interrupted_approval_leaves_the_change_held(shop: Workshop) -> None:
    task = await held_task(shop)
    began = shop.place / "began"
    shop.checks.append(Check(name="slow", run=f"touch {began}; sleep 600"))
    run = await approval(shop, task)

    async with run.work.plane:
        working = asyncio.create_task(run.run())
        await until(there(began), limit=60)
        run.interrupt("Ctrl+C")
        await working

    assert (await shop.now(task)).blocked_reason is BlockedReason.POLICY
    assert (await found(shop, task)).parked is not None


async def test_an_approval_that_must_end_at_once_leaves_the_change_held(shop: Workshop) -> None:
    task = await held_task(shop)
    began = shop.place / "began"
    shop.checks.append(Check(name="slow", run=f"touch {began}; sleep 600"))
    run = await approval(shop, task)

    async with run.work.plane:
        working = asyncio.create_task(run.run())
        await until(there(began), limit=60)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    assert (await shop.now(task)).blocked_reason is BlockedReason.POLICY
    assert (await found(shop, task)).parked is not None


async def test_a_change_that_was_made_anew_since_the_look_is_not_let_through(shop: Workshop) -> None:
    task = await held_task(shop)
    run = await approval(shop, task)
    await shop.plane.tasks.set_status(task.id, StatusChange(status=Status.BACKLOG))
    await shop.run(shop.agent(RULES.replace("new rules", "worse rules")))
    assert (await shop.now(task)).blocked_reason is BlockedReason.POLICY

    async with run.work.plane:
        with pytest.raises(Conflict, match="was tried again since"):
            await run.run()

    assert "locus/sprint-1" not in shop.git("branch", "--list", cwd=shop.remote)


async def test_rejected_work_is_done_again_by_an_agent_that_hears_why(shop: Workshop) -> None:
    task = await held_task(shop)
    await shop.plane.tasks.set_status(
        task.id, StatusChange(status=Status.BACKLOG, feedback="Leave the rules as they are.")
    )

    await shop.run(shop.agent("assert 'Leave the rules as they are.' in prompt\npathlib.Path('one.txt').touch()"))

    assert (await shop.now(task)).status is Status.IN_REVIEW
    reasons = [one.fail_reason async for one in shop.plane.tasks.attempts(task.id)]
    assert reasons == [None, FailReason.POLICY]
