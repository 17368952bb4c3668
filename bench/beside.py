"""What `locus exec` costs beside the agent's own time, and how long it takes to make a plan of fifty tasks a sprint."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.ground import AGENT, IDENTITY, post, prepared
from bench.measure import Measure, at_most, median, percentile
from bench.startup import Took
from locus.local import sandbox
from locus.local.errors import LocalError
from locus.wire.plans import PlanApproval, PlanApproved, PlanDraft, PlanTask
from locus.wire.tasks import ChecklistItemDraft

ROUNDS = 20
PLANS = 20
TASKS = 50
EXEC_BOUND = 150.0  # ms
APPROVE_BOUND = 200.0  # ms


async def measure(*, rounds: int = ROUNDS, plans: int = PLANS) -> list[Measure]:
    """Run an agent that says one word `rounds` times with and without `locus exec`, and approve `plans` plans."""
    try:
        await sandbox.probe(os.environ)
        walls = "in the sandbox"
    except LocalError:
        walls = "without a sandbox, which this machine cannot make"
    with TemporaryDirectory(prefix="locus-bench-") as place:
        bare, libraries, ours = _runs(Path(place), rounds, sandboxed=walls == "in the sandbox")
    alone = median([one.wall for one in bare])
    python = median([one.wall for one in libraries])
    added = median([one.wall for one in ours]) - alone
    cpu = median([one.cpu for one in ours]) - median([one.cpu for one in bare])
    approved = await _approvals(plans)
    return [
        Measure(
            "`locus exec` adds",
            added * 1000,
            "ms",
            at_most(EXEC_BOUND),
            baseline=f"the agent alone: {alone * 1000:.0f} ms; "
            f"Python with asyncio, Click and msgspec and nothing of ours: {python * 1000:.0f} ms",
            note=f"{walls}; median of {rounds}; of processor time {cpu * 1000:.0f} ms",
        ),
        Measure(
            f"approval of a plan of {TASKS} tasks",
            median(approved) * 1000,
            "ms",
            at_most(APPROVE_BOUND),
            note=f"one request; 90 % take at most {percentile(approved, 0.9) * 1000:.0f} ms, of {plans}",
        ),
    ]


def _runs(place: Path, rounds: int, *, sandboxed: bool) -> tuple[list[Took], list[Took], list[Took]]:
    """What the agent alone took, Python with what any such program needs, and `locus exec`.

    In turn, so that other load falls on all of them.
    """
    shop = place / "shop"
    shop.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=shop, check=True, env={**os.environ, **IDENTITY})
    agent = [sys.executable, "-I", "-S", "-B", str(AGENT), "0", "0"]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "LANG": "C.UTF-8",
        "LOCUS_STATE_DIR": str(place / "state"),
        "LOCUS_CONFIG_DIR": str(place / "config"),
        "LOCUS_PROVIDER": "command",
        "LOCUS_AGENT_COMMAND": shlex.join(agent),
        "LOCUS_SANDBOX": "on" if sandboxed else "off",
    }
    through = [sys.executable, "-m", "locus", "exec", "Go", "--yes", "--quiet"]
    python = [sys.executable, "-c", "import asyncio, click, msgspec"]
    bare: list[Took] = []
    libraries: list[Took] = []
    ours: list[Took] = []
    for at in range(-1, rounds):  # the first one is for the caches
        for argv, took in ((agent, bare), (python, libraries), (through, ours)):
            one = _time(argv, shop, env)
            if at >= 0:
                took.append(one)
    return bare, libraries, ours


def _time(argv: list[str], cwd: Path, env: dict[str, str]) -> Took:
    began = time.perf_counter()
    child = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{argv[0]} ended with {child.returncode}")
    return Took(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


async def _approvals(plans: int) -> list[float]:
    item = ChecklistItemDraft(text="It works")
    tasks = [
        PlanTask(
            ref=f"t{at}",
            title=f"Task {at}",
            description="What, where, how and the boundaries. " * 10,
            checklist=[item] * 4,
            depends_on=[f"t{before}" for before in range(max(0, at - 2), at)],
        )
        for at in range(TASKS)
    ]
    took = []
    async with prepared() as ground:
        for at in range(plans):
            approval = PlanApproval(plan=PlanDraft(name=f"Plan {at}", tasks=tasks))
            began = time.perf_counter()
            made = await post(ground.workspace, f"plans/{uuid4()}/approve", approval, PlanApproved)
            took.append(time.perf_counter() - began)
            assert len(made.tasks) == TASKS
    return took
