"""How soon a waiting worker takes up a new task, and how soon a run ends when there is nothing left to do.

Both are what a person waits for: from the request that makes a task to the first line of the agent's program, with
claim, fresh tree and prompt between them; and from the report on the last task to the end of `locus run`.
"""

import time

from bench.ground import Ground, prepared
from bench.measure import Measure, at_most, median, percentile
from bench.overhead import worked

TASKS = 120
RUNS = 10
PICKED_UP = 0.5  # seconds
ENDED = 1.0  # seconds


async def measure(*, tasks: int = TASKS, runs: int = RUNS) -> list[Measure]:
    """Give `tasks` tasks to a worker that waits, one by one; before and after, have `runs` runs of one task end."""
    async with prepared() as ground:
        ends = [await _end(ground) for _ in range(runs)]
        waited = await _pick_up(ground, tasks)
        long_ends = [await _end(ground) for _ in range(runs)]
    return [
        Measure(
            "new task to started agent, p99",
            percentile(waited, 0.99),
            "s",
            at_most(PICKED_UP),
            note=f"{len(waited)} tasks, one at a time, for a worker that waits with --watch; {ground.walls}",
        ),
        Measure("new task to started agent, median", median(waited), "s"),
        Measure(
            "last task to the end of the run",
            max(ends),
            "s",
            at_most(ENDED),
            note=f"the longest of {len(ends)} runs, the description of the pull request included",
        ),
        Measure(
            f"the same, with {len(waited) + 2 * runs + 1} tasks in the sprint",
            max(long_ends),
            "s",
            at_most(ENDED),
            note="the description names every task, with its commit and what proved it",
        ),
    ]


async def _pick_up(ground: Ground, tasks: int) -> list[float]:
    """How long each task waited for its agent, in seconds. One more task than asked for warms up."""
    waited = []
    async with ground.worker("--watch", "--no-pr") as worker:
        await worker.until("waiting")
        for _ in range(tasks + 1):
            asked = time.monotonic()
            made = await ground.task()
            await worker.until("task_ended", inner="completed")
            began, _ = worked(worker.lines, made.key)
            waited.append(began - asked)
            await worker.until("waiting")
    return waited[1:]


async def _end(ground: Ground) -> float:
    """How long a run goes on after its last task was reported, in seconds."""
    await ground.task()
    async with ground.worker() as worker:
        last = await worker.until("task_ended", inner="completed")
        return await worker.to_its_end() - last.at
