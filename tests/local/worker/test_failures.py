"""Attempts that come to nothing: each ends in one named way, keeps its work, and is never "in review"."""

from textwrap import indent

import pytest
from tests.support.workshop import Ran, Workshop, one_of

from locus.local.project import Check, Project
from locus.local.worker import told
from locus.local.worker.inspection import PART
from locus.local.worker.outcome import Failed
from locus.wire.tasks import BlockedReason, ChecklistItemDraft, Status, StatusChange, Task
from locus.wire.work import FailReason

EDIT = "pathlib.Path('one.txt').write_text('done\\n')"


def meddling(shop: Workshop, path: str) -> str:
    """What an agent does that lets somebody else push first to the sprint's branch: a file of that name."""
    return (
        f"subprocess.run(['git', 'clone', '-q', {str(shop.remote)!r}, '../meddler'], check=True)\n"
        "git = lambda *a: subprocess.run(['git', '-C', '../meddler', *a], check=True)\n"
        "git('checkout', '-q', '-b', 'locus/sprint-1')\n"
        f"pathlib.Path('../meddler/{path}').write_text('theirs')\n"
        "git('add', '-A'); git('-c', 'user.name=Eve', '-c', 'user.email=eve@example.org', 'commit', '-qm', 'Theirs')\n"
        "git('push', '-q', 'origin', 'locus/sprint-1')"
    )


def failures(ran: Ran) -> list[Failed]:
    return [one.outcome for one in ran.of(told.TaskEnded) if isinstance(one.outcome, Failed)]


async def blocked(shop: Workshop, task: Task) -> BlockedReason | None:
    now = await shop.now(task)
    assert now.status is Status.BLOCKED
    assert now.commit is None
    return now.blocked_reason


def nothing_on_the_remote(shop: Workshop) -> bool:
    return "locus/sprint-1" not in shop.git("for-each-ref", "--format=%(refname:short)", cwd=shop.remote)


async def test_an_agent_that_changes_nothing_is_blocked_and_not_in_review(shop: Workshop) -> None:
    task = await shop.task("Do nothing")

    ran = await shop.run(shop.agent("pass"))

    assert one_of(failures(ran)).reason is FailReason.NO_CHANGE
    assert await blocked(shop, task) is BlockedReason.NO_CHANGE
    assert not ran.result.succeeded
    assert nothing_on_the_remote(shop)


async def test_nothing_is_compared_with_the_tasks_own_base_and_not_with_main(shop: Workshop) -> None:
    await shop.task("Add one")
    idle = await shop.task("Do nothing, as the second task of a run")

    await shop.run(shop.agent("if 'WEB-1' in prompt.splitlines()[0]: " + EDIT))

    assert await blocked(shop, idle) is BlockedReason.NO_CHANGE
    assert shop.on_remote() == ["WEB-1: Add one"]


async def test_changing_only_ignored_files_is_changing_nothing(shop: Workshop) -> None:
    (shop.root / ".gitignore").write_text("build/\n")
    shop.git("add", "--all")
    shop.git("commit", "--quiet", "--message", "Ignore")
    shop.git("push", "--quiet", "origin", "main")
    await shop.look_again()
    task = await shop.task("Build")

    await shop.run(shop.agent("os.mkdir('build'); pathlib.Path('build/out').touch()"))

    assert await blocked(shop, task) is BlockedReason.NO_CHANGE


async def test_a_failing_task_stops_after_three_attempts_and_the_run_with_it(shop: Workshop) -> None:
    task = await shop.task("Fail")
    await shop.task("Never reached")

    ran = await shop.run(shop.agent("sys.exit(7)"))

    assert [failure.reason for failure in failures(ran)] == [FailReason.AGENT_FAILED] * 3
    assert await blocked(shop, task) is BlockedReason.ATTEMPTS_EXHAUSTED
    assert "3 failures in a row" in ran.result.why
    assert [one.key for one in ran.of(told.TaskClaimed)] == ["WEB-1"] * 3


async def test_checks_that_stay_red_fail_the_attempt_and_keep_its_work(shop: Workshop) -> None:
    task = await shop.task("Break it")
    shop.checks.append(Check(name="unit", run="false"))

    ran = await shop.run(shop.agent(EDIT), check_rounds=1, max_tasks=1)

    failure = one_of(failures(ran))
    assert failure.reason is FailReason.CHECKS_FAILED
    assert failure.parked == f"refs/locus/parked/{shop.server.workspace.id}/WEB-1/1"
    git_dir = one_of(list((shop.state / "repositories").glob("*/1/git")))
    assert shop.git(f"--git-dir={git_dir}", "show", f"{failure.parked}:one.txt") == "done"
    assert (await shop.now(task)).status is Status.BACKLOG
    assert nothing_on_the_remote(shop)


async def test_the_next_attempt_hears_which_checks_were_red(shop: Workshop) -> None:
    task = await shop.task("Break it")
    shop.checks.append(Check(name="unit", run="grep -q mended one.txt"))
    await shop.run(shop.agent(EDIT), check_rounds=0, max_tasks=1)

    await shop.run(
        shop.agent("assert 'checks were still red (unit)' in prompt\npathlib.Path('one.txt').write_text('mended')")
    )

    assert (await shop.now(task)).status is Status.IN_REVIEW


async def test_what_a_failed_attempt_left_is_in_no_later_commit(shop: Workshop) -> None:
    await shop.task("Fail after an edit")
    await shop.run(shop.agent("pathlib.Path('half-done.txt').touch(); sys.exit(1)"), max_tasks=1)

    await shop.run(shop.agent("assert not os.path.exists('half-done.txt')\n" + EDIT))

    assert shop.git("diff", "--name-only", "main", "locus/sprint-1", cwd=shop.remote) == "one.txt"


@pytest.mark.parametrize(
    "path", ["AGENTS.md", ".locus/config.toml", ".github/workflows/ci.yml", ".claude/settings.json"]
)
async def test_a_change_to_a_protected_file_waits_for_a_person(shop: Workshop, path: str) -> None:
    task = await shop.task("Change the rules")

    ran = await shop.run(
        shop.agent(f"p = pathlib.Path({path!r}); p.parent.mkdir(parents=True, exist_ok=True); p.write_text('x')")
    )

    assert path in one_of(failures(ran)).detail
    assert await blocked(shop, task) is BlockedReason.POLICY
    assert nothing_on_the_remote(shop)


@pytest.mark.parametrize("waits", [True, False])
async def test_a_change_that_removes_much_of_the_repository_waits_for_a_person(shop: Workshop, waits: bool) -> None:
    for number in range(20):
        (shop.root / f"{number}.txt").write_text(f"{number}\n")
    shop.git("add", "-A")
    shop.git("commit", "-qm", "Files")
    shop.git("push", "-q", "origin", "main")
    there = len(shop.git("ls-files").splitlines())
    gone = int(there * PART) + waits
    task = await shop.task("Tidy up")

    ran = await shop.run(shop.agent(f"for n in range({gone}): os.remove(f'{{n}}.txt')"))

    if waits:
        assert f"removes {gone} of {there} files" in one_of(failures(ran)).detail
        assert await blocked(shop, task) is BlockedReason.POLICY
        assert nothing_on_the_remote(shop)
    else:
        assert ran.result.succeeded


async def test_a_repository_inside_of_the_repository_is_told_and_not_lost(shop: Workshop) -> None:
    await shop.task("Nest")

    ran = await shop.run(
        shop.agent(
            "subprocess.run(['git', 'init', '-q', 'inner'], check=True)\npathlib.Path('inner/file').write_text('x')"
        ),
        max_tasks=1,
    )

    failure = one_of(failures(ran))
    assert failure.reason is FailReason.UNSTAGEABLE
    assert "inner" in failure.detail


async def test_a_remote_that_refuses_the_push_leaves_the_task_out_of_review(shop: Workshop) -> None:
    task = await shop.task("Add one")
    hook = shop.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on my watch' >&2\nexit 1\n")
    hook.chmod(0o755)

    ran = await shop.run(shop.agent(EDIT))

    failure = one_of(failures(ran))
    assert failure.reason is FailReason.PUSH_REFUSED
    assert "not on my watch" in failure.detail
    assert failure.parked is not None
    assert await blocked(shop, task) is BlockedReason.PUSH_REFUSED


async def test_a_branch_that_moved_is_rebased_on_checked_again_and_never_forced(shop: Workshop) -> None:
    await shop.task("Add one")
    shop.checks.append(Check(name="unit", run="test -e one.txt"))

    ran = await shop.run(shop.agent(f"{meddling(shop, 'theirs.txt')}\n{EDIT}"))

    assert ran.result.succeeded
    assert shop.on_remote() == ["Theirs", "WEB-1: Add one"]
    assert one_of(ran.of(told.Pushed)).rebased
    assert len(ran.of(told.CheckFinished)) == 2


async def test_a_change_that_no_longer_fits_is_done_again_on_top_of_what_was_pushed(shop: Workshop) -> None:
    task = await shop.task("Add one")
    agent = shop.agent(f"if not os.path.exists('../meddler'):\n{indent(meddling(shop, 'one.txt'), '    ')}\n{EDIT}")

    ran = await shop.run(agent)

    failure = one_of(failures(ran))
    assert failure.reason is FailReason.CONFLICT
    assert failure.parked is not None
    assert shop.on_remote() == ["Theirs", "WEB-1: Add one"]
    assert (await shop.now(task)).status is Status.IN_REVIEW


async def test_an_agent_that_says_nothing_is_ended(shop: Workshop) -> None:
    await shop.task("Hang")

    ran = await shop.run(shop.agent("time.sleep(600)"), silence=0.5, max_tasks=1)

    assert one_of(failures(ran)).reason is FailReason.AGENT_SILENT


async def test_an_agent_that_never_ends_is_ended(shop: Workshop) -> None:
    await shop.task("Chatter")

    ran = await shop.run(shop.agent("while True: print('busy', flush=True); time.sleep(0.05)"), wall=1.0, max_tasks=1)

    assert one_of(failures(ran)).reason is FailReason.WALL_LIMIT


async def test_a_check_that_nobody_defined_ends_the_attempt_before_the_agent_begins(shop: Workshop) -> None:
    await shop.task("Prove it", checklist=[ChecklistItemDraft(text="x", check="imaginary")])

    ran = await shop.run(shop.agent(EDIT), max_tasks=1)

    assert "imaginary" in one_of(failures(ran)).detail
    assert ran.of(told.AgentStarted) == []


async def test_a_set_up_that_fails_says_what_it_printed(shop: Workshop) -> None:
    await shop.task("Add one")
    project = Project(root=shop.root, setup=("echo no such package; exit 4",))

    ran = await shop.run(shop.agent(EDIT), project=project, max_tasks=1)

    failure = one_of(failures(ran))
    assert failure.reason is FailReason.SETUP_FAILED
    assert "no such package" in failure.detail


async def test_an_agent_that_is_not_installed_stops_the_run_and_costs_no_attempt(shop: Workshop) -> None:
    task = await shop.task("Add one")
    agent = shop.agent(EDIT)
    missing = type(agent)(("/nonexistent/agent",))

    ran = await shop.run(missing)

    assert one_of(failures(ran)).reason is FailReason.AGENT_UNUSABLE
    now = await shop.now(task)
    assert (now.status, now.attempts) == (Status.BACKLOG, 0)


async def test_a_person_can_send_an_exhausted_task_back_to_work(shop: Workshop) -> None:
    task = await shop.task("Fail")
    await shop.run(shop.agent("sys.exit(7)"))

    await shop.plane.tasks.set_status(task.id, StatusChange(status=Status.BACKLOG))
    await shop.run(shop.agent(EDIT))

    assert (await shop.now(task)).status is Status.IN_REVIEW
