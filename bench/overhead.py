"""What `locus run` costs per task beside the agent's own time, and which of its steps costs how much.

The agent says itself when it began and when it was done. Everything else from the end of one task to the end of the
next is ours: the claim, a fresh tree, the prompt, starting and ending the agent, the check, the commit, the push over
file://, its proof, the report.
"""

import re
import resource
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

from bench.ground import Ground, Line, prepared
from bench.measure import Measure, at_most, median, percentile

ROUNDS = 2  # with the sandbox and without, in turn
TASKS = 10
THINKS = 0.2  # seconds
BOUND = 0.5  # seconds

_WORKED = re.compile(r"began (\S+) ended (\S+)")


@dataclass(frozen=True)
class Steps:
    """One task after another one, in seconds. The agent's own time is not in it."""

    claim: float
    prepare: float
    start: float
    end: float
    read: float
    check: float
    commit: float
    push: float
    report: float

    @property
    def total(self) -> float:
        return float(sum(astuple(self)))


WORDS = {
    "claim": "claim of the next task",
    "prepare": "fetch, clean tree, prompt",
    "start": "start of the agent",
    "end": "end of the agent and of all it started",
    "read": "reading what it changed",
    "check": "the check `true`",
    "commit": "commit",
    "push": "push, and proof that it is there",
    "report": "report",
}


async def measure(*, rounds: int = ROUNDS, tasks: int = TASKS, thinks: float = THINKS) -> list[Measure]:
    """Run `rounds` times `tasks` tasks with an agent that thinks for so many seconds, after one more that warms up."""
    async with prepared() as ground:
        steps, free, cpu = [], [], 0.0
        for _ in range(rounds):
            lines, seconds = await _run(ground, tasks, thinks)
            steps += taken(lines)
            cpu += seconds / len(done(lines)) / rounds
            if ground.sandboxed:
                free += taken((await _run(ground, tasks, thinks, sandboxed=False))[0])
    totals = [one.total for one in steps]
    beside = f"without the sandbox: {median([one.total for one in free]):.2f} s; " if free else ""
    return [
        Measure(
            "overhead per task",
            median(totals),
            "s",
            at_most(BOUND),
            baseline=f"{beside}the agent's own time, {thinks:.1f} s, is not in it",
            note=f"{ground.walls}; median of {len(totals)} tasks; 90 % take at most {percentile(totals, 0.9):.2f} s",
        ),
        Measure(
            "processor time per task",
            cpu,
            "s",
            note="of the worker and of everything it starts: git, agent, check; start and end of the run included",
        ),
        *(Measure(word, median([getattr(one, name) for one in steps]) * 1000, "ms") for name, word in WORDS.items()),
    ]


async def _run(ground: Ground, tasks: int, thinks: float, *, sandboxed: bool = True) -> tuple[list[Line], float]:
    """What a run on so many tasks, and one more, said, and how many seconds of processor it took with its children."""
    for at in range(tasks + 1):
        await ground.task(f"Note number {at}")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    async with ground.worker("--no-pr", thinks=thinks, sandboxed=sandboxed) as worker:
        await worker.to_its_end()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return worker.lines, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def done(lines: Sequence[Line]) -> list[str]:
    """The keys of the tasks that were done, in order. Raises RuntimeError when one ended otherwise."""
    ended = [line for line in lines if line.kind == "task_ended"]
    if bad := [line for line in ended if line.inner != "completed"]:
        raise RuntimeError(f"{bad[0].key} ended as {bad[0].inner}, so there is nothing to measure")
    return [line.key for line in ended]


def taken(lines: Sequence[Line]) -> list[Steps]:
    """The steps of every task but the first, from the lines of one run."""
    keys = done(lines)
    return [_steps(lines, key, since=_at(lines, before, "task_ended")) for before, key in pairwise(keys)]


def _steps(lines: Sequence[Line], key: str, *, since: float) -> Steps:
    began, ended = worked(lines, key)
    claimed, started = _at(lines, key, "task_claimed"), _at(lines, key, "agent_started")
    finished = _at(lines, key, "agent_event", "finished")
    check, checked = _at(lines, key, "check_started"), _at(lines, key, "check_finished")
    committed, pushed = _at(lines, key, "committed"), _at(lines, key, "pushed")
    return Steps(
        claim=claimed - since,
        prepare=started - claimed,
        start=began - started,
        end=finished - ended,
        read=check - finished,
        check=checked - check,
        commit=committed - checked,
        push=pushed - committed,
        report=_at(lines, key, "task_ended") - pushed,
    )


def worked(lines: Sequence[Line], key: str) -> tuple[float, float]:
    """When the agent of a task says that it began and was done, by `time.monotonic`."""
    for line in lines:
        if line.key == key and (found := _WORKED.search(line.text)):
            return float(found[1]), float(found[2])
    raise RuntimeError(f"the agent of {key} did not say when it worked")


def _at(lines: Sequence[Line], key: str, kind: str, inner: str = "") -> float:
    return next(line.at for line in lines if line.key == key and line.kind == kind and inner in ("", line.inner))
