"""Being stopped: by Ctrl+C, by a person, by a lease that is gone. No process survives, and no work is lost."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from copy import copy
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.fault_proxy import Act, between
from tests.support.processes import is_alive, until
from tests.support.server import running
from tests.support.workshop import Workshop, one_of, workshop

from locus.local.worker import told
from locus.local.worker.loop import JOURNAL, Result, Run
from locus.local.worker.outcome import Failed, Lost, Released
from locus.server.settings import Timing
from locus.wire.tasks import Status
from locus.wire.work import FailReason, Release, ReleaseReason

SHORT = Timing(lease_ms=3_000, heartbeat_ms=300, reap_ms=300)
# Writes a file, leaves a child in a session of its own, tells both, and hangs.
HANGS = (
    "pathlib.Path('half.txt').write_text('half')\n"
    "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
    "pathlib.Path(PIDS).write_text(f'{os.getpid()} {child.pid}')\n"
    "print('working', flush=True)\n"
    "time.sleep(600)"
)


def hanging(shop: Workshop) -> str:
    return f"PIDS = {str(shop.place / 'pids')!r}\n{HANGS}"


async def at_work(shop: Workshop) -> tuple[Run, "asyncio.Task[Result]", list[int]]:
    """A run whose agent hangs, and the processes of that agent."""
    run = shop.worker(shop.agent(hanging(shop)))
    going = asyncio.create_task(run.run())
    pids = shop.place / "pids"
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2, limit=30)
    return run, going, [int(pid) for pid in pids.read_text().split()]


def ended(shop: Workshop) -> told.TaskEnded:
    return one_of([one for one in shop.said if isinstance(one, told.TaskEnded)])


async def fact(holds: Callable[[], bool]) -> None:
    await until(holds, limit=30)


async def test_an_interrupted_run_gives_its_task_back_and_leaves_no_process(shop: Workshop) -> None:
    task = await shop.task("Hang")
    run, going, pids = await at_work(shop)

    run.interrupt("Ctrl+C")
    result = await going
    await run.work.plane.__aexit__(None, None, None)

    assert isinstance(ended(shop).outcome, Released)
    now = await shop.now(task)
    assert (now.status, now.attempts, now.agent_id) == (Status.BACKLOG, 0, None)
    assert not any(is_alive(pid) for pid in pids)
    assert not result.succeeded


async def test_interrupted_work_is_parked(shop: Workshop) -> None:
    await shop.task("Hang")
    run, going, _ = await at_work(shop)

    run.interrupt("Ctrl+C")
    await going
    await run.work.plane.__aexit__(None, None, None)

    outcome = ended(shop).outcome
    assert isinstance(outcome, Released)
    git_dir = one_of(list((shop.state / "repositories").glob("*/1/git")))
    assert shop.git(f"--git-dir={git_dir}", "show", f"{outcome.parked}:half.txt") == "half"


async def test_a_second_interrupt_ends_everything_at_once_and_still_gives_the_task_back(shop: Workshop) -> None:
    task = await shop.task("Hang")
    run, going, pids = await at_work(shop)

    going.cancel()
    await asyncio.wait({going}, timeout=10)
    await run.work.plane.__aexit__(None, None, None)

    assert going.cancelled()
    assert (await shop.now(task)).status is Status.BACKLOG
    assert not any(is_alive(pid) for pid in pids)


async def test_a_second_interrupt_while_the_result_is_told_says_nothing_else_of_it(shop: Workshop) -> None:
    task = await shop.task("Write one")
    with between(shop.server.url) as proxy:
        behind = copy(shop)
        behind.server = replace(shop.server, url=proxy.url)
        rule = proxy.rule(Act.HOLD_REQUEST, "POST .*/lease/complete")
        run = behind.worker(behind.agent("pathlib.Path('one.txt').write_text('one')"))
        going = asyncio.create_task(run.run())
        await fact(rule.there.is_set)

        run.interrupt("Ctrl+C")
        going.cancel()
        await asyncio.wait({going}, timeout=10)
        rule.lose()
    await run.work.plane.__aexit__(None, None, None)
    assert going.cancelled()
    assert (await shop.now(task)).status is Status.IN_REVIEW, "it was told once more, in a hurry"
    await shop.task("Write another one")
    ran = await shop.run(shop.agent("pathlib.Path('two.txt').write_text('two')"))

    assert ran.result.succeeded
    assert ((await shop.now(task)).status, (await shop.now(task)).fence) == (Status.IN_REVIEW, 1)


async def test_a_report_that_comes_after_another_one_holds_up_no_later_run(shop: Workshop) -> None:
    task = await shop.task("Write one")
    with between(shop.server.url) as proxy:
        behind = copy(shop)
        behind.server = replace(shop.server, url=proxy.url)
        rule = proxy.rule(Act.HOLD_REQUEST, "POST .*/lease/complete")
        run = behind.worker(behind.agent("pathlib.Path('one.txt').write_text('one')"))
        going = asyncio.create_task(run.run())
        await fact(rule.there.is_set)
        # Another end of the same attempt is told, as an earlier version of this program did in its hurry.
        await run.work.plane.dispatch.release(task.id, Release(fence=1, reason=ReleaseReason.INTERRUPTED))
        going.cancel()
        await asyncio.wait({going}, timeout=10)
        rule.lose()
    await run.work.plane.__aexit__(None, None, None)
    assert (await shop.now(task)).status is Status.BACKLOG, "the first report stands"
    with closing(sqlite3.connect(shop.state / JOURNAL)) as journal:
        assert journal.execute("SELECT count(*) FROM attempts").fetchone() == (0,), "nothing is left to be told"

    ran = await shop.run(shop.agent("raise SystemExit('the work was there already')"))

    assert ran.result.succeeded, "what was pushed is proved again, and no agent is asked"
    assert ((await shop.now(task)).status, (await shop.now(task)).fence) == (Status.IN_REVIEW, 2)


async def test_a_person_can_cancel_the_attempt_at_the_server(dsn: str, tmp_path: Path) -> None:
    async with (
        running(dsn, timing=SHORT) as quick,
        workshop(quick, tmp_path / "shop") as shop,
    ):
        task = await shop.task("Hang")
        run, going, pids = await at_work(shop)

        await shop.plane.dispatch.cancel(task.id)
        await fact(lambda: any(isinstance(one, told.TaskEnded) for one in shop.said))
        run.interrupt("test")
        await going
        await run.work.plane.__aexit__(None, None, None)

        outcome = ended(shop).outcome
        assert isinstance(outcome, Failed)
        assert outcome.reason is FailReason.CANCELLED
        assert not any(is_alive(pid) for pid in pids)
        assert (await shop.now(task)).status is not Status.IN_REVIEW


async def test_a_worker_whose_lease_was_given_away_stops_and_pushes_nothing(dsn: str, tmp_path: Path) -> None:
    async with (
        running(dsn, timing=SHORT) as quick,
        workshop(quick, tmp_path / "shop") as shop,
    ):
        task = await shop.task("Hang")
        run, going, pids = await at_work(shop)

        await quick.pool.execute(
            "UPDATE tasks SET fence = fence + 1, lease_agent_id = $2 WHERE id = $1", task.id, uuid4()
        )
        await fact(lambda: any(isinstance(one, told.TaskEnded) for one in shop.said))
        run.interrupt("test")
        await going
        await run.work.plane.__aexit__(None, None, None)

        assert isinstance(ended(shop).outcome, Lost)
        assert not any(is_alive(pid) for pid in pids)
        assert "locus/sprint-1" not in shop.git("for-each-ref", cwd=shop.remote)


async def test_a_worker_that_nobody_answers_fences_itself_off(dsn: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as outage:
        quick = await outage.enter_async_context(running(dsn, timing=SHORT))
        async with workshop(quick, tmp_path / "shop") as shop:
            await shop.task("Hang")
            run, going, pids = await at_work(shop)

            await outage.aclose()
            await fact(lambda: any(isinstance(one, told.TaskEnded) for one in shop.said))
            run.interrupt("test")
            await going
            await run.work.plane.__aexit__(None, None, None)

            assert isinstance(ended(shop).outcome, Lost)
            assert not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("act", [Act.SWALLOW, Act.HALF_ANSWER, Act.LOSE_ANSWER])
async def test_a_worker_whose_heartbeats_vanish_on_their_way_fences_itself_off(
    dsn: str, tmp_path: Path, act: Act
) -> None:
    async with running(dsn, timing=SHORT) as quick, workshop(quick, tmp_path / "shop") as shop:
        task = await shop.task("Hang")
        with between(quick.url) as proxy:
            behind = copy(shop)
            behind.server = replace(quick, url=proxy.url)
            run, going, pids = await at_work(behind)
            proxy.rule(act, "POST .*/heartbeat", left=1_000_000)
            await fact(lambda: any(isinstance(one, told.TaskEnded) for one in behind.said))
            assert not any(is_alive(pid) for pid in pids), "before the lease can be anybody else's"
            run.interrupt("test")
            proxy.heal()
            await going
        await run.work.plane.__aexit__(None, None, None)

        assert isinstance(ended(behind).outcome, Lost)
        assert (await shop.now(task)).status is not Status.IN_REVIEW
        assert "locus/sprint-1" not in shop.git("for-each-ref", cwd=shop.remote)
