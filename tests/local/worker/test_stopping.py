"""Being stopped: by Ctrl+C, by a person, by a lease that is gone. No process survives, and no work is lost."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from tests.support.processes import is_alive, until
from tests.support.server import running
from tests.support.workshop import Workshop, one_of, workshop

from locus.local.worker import told
from locus.local.worker.loop import Result, Run
from locus.local.worker.outcome import Failed, Lost, Released
from locus.server.settings import Timing
from locus.wire.tasks import Status
from locus.wire.work import FailReason

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
