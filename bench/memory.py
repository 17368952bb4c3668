"""What stays in memory: the worker beside its agent, and the server, idle and after hard work.

Resident memory is what tools show, with every shared library counted in full; its peak comes from the kernel, so that
no moment is missed. The proportional share (PSS) divides what several processes share among them.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil

from bench.ground import Ground, post, prepared
from bench.measure import Measure, at_most
from locus.version import VERSION
from locus.wire.agents import Agent, AgentRegistration, HostClass, OsFamily, ProviderName
from locus.wire.work import Claim, Claimed

WORKER_BOUND = 80.0  # MB
SERVER_BOUND = 150.0  # MB
TASKS = 4
TALKS = 2000  # lines of 10,000 characters, which is 20 MB
ROUNDS = 2000
CLIENTS = 32
STREAMS = 8
MB = 1e6


@dataclass(frozen=True)
class Held:
    """What a process holds, in MB: resident now, at most since its start, and its proportional share."""

    resident: float
    peak: float
    share: float

    def __str__(self) -> str:
        return f"{self.resident:.1f} MB now, {self.share:.1f} MB as its proportional share (PSS)"


async def measure(*, tasks: int = TASKS, talks: int = TALKS, rounds: int = ROUNDS) -> list[Measure]:
    """Look at a worker over `tasks` tasks, then at the server before and after `rounds` rounds of requests.

    Raises RuntimeError where there is no /proc to ask.
    """
    if sys.platform != "linux":
        raise RuntimeError("Peaks of memory are read from /proc, which is Linux's.")
    async with prepared() as ground:
        idle = held(ground.server_pid)
        quiet = await _worker(ground, tasks, talks=0)
        talked = await _worker(ground, 1, talks=talks)
        await _work_hard(ground, rounds)
        busy = held(ground.server_pid)
        database = _database(ground)
    bare = await _bare_python()
    python = f"bare Python: {bare.peak:.1f} MB"
    characters = f"{talks * 10_000 / MB:.0f} MB"
    return [
        Measure("worker, peak", quiet.peak, "MB", at_most(WORKER_BOUND), python, f"{tasks} tasks; {quiet}"),
        Measure(
            "worker, peak, with an agent that talks",
            talked.peak,
            "MB",
            at_most(WORKER_BOUND),
            note=f"its agent prints {characters}; {talked}",
        ),
        Measure("server, idle, without its PostgreSQL", idle.resident, "MB", at_most(SERVER_BOUND), note=str(idle)),
        Measure(
            "server, peak under load",
            busy.peak,
            "MB",
            at_most(SERVER_BOUND),
            note=f"{rounds} rounds of write, list and claim by {CLIENTS} clients, {STREAMS} streams of events; {busy}",
        ),
        Measure("its PostgreSQL after that", database, "MB", note="proportional share of all its processes"),
    ]


def held(pid: int) -> Held:
    """What a living process holds."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    resident, peak = (int(fields[name].split()[0]) * 1024 / MB for name in ("VmRSS", "VmHWM"))
    return Held(resident, peak, psutil.Process(pid).memory_full_info().pss / MB)


async def _worker(ground: Ground, tasks: int, *, talks: int) -> Held:
    """What a worker holds when it has done its tasks and waits for more."""
    async with ground.worker("--watch", "--no-pr", talks=talks) as worker:
        await worker.until("waiting")
        for _ in range(tasks):
            await ground.task()
            await worker.until("task_ended", inner="completed")
            await worker.until("waiting")
        return held(worker.pid)


async def _bare_python() -> Held:
    """What Python holds that only waits."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "print('here', flush=True); input()"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        return held(process.pid)
    finally:
        await process.communicate(b"\n")


async def _work_hard(ground: Ground, rounds: int) -> None:
    """Have many clients write, list and claim at once, while others read the events."""
    registration = AgentRegistration(
        name="load",
        host_class=HostClass.UNKNOWN,
        os_family=OsFamily.OTHER,
        provider=ProviderName.COMMAND,
        locus_version=VERSION,
    )
    agent = await post(ground.workspace, "agents", registration, Agent)
    left = iter(range(rounds))
    streams = [asyncio.create_task(_listen(ground)) for _ in range(STREAMS)]
    try:
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(_requests(ground, agent.id, left))
    finally:
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


async def _requests(ground: Ground, agent: UUID, left: Iterator[int]) -> None:
    """Rounds of one client: a task with a text of some length, a page of the list, a claim."""
    for number in left:
        await ground.task(f"Task {number}", "word " * 400)
        (await ground.workspace.get("tasks", params={"limit": 200})).raise_for_status()
        await post(ground.workspace, "dispatch/claim", Claim(agent_id=agent), Claimed)


async def _listen(ground: Ground) -> None:
    async with ground.workspace.stream("GET", "events/stream") as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_bytes():
            pass


def _database(ground: Ground) -> float:
    """The proportional share of all of PostgreSQL's processes, in MB."""
    cluster = str(ground.root / "data" / "server" / "cluster")
    running = psutil.process_iter(["cmdline"])
    postmaster = next(process for process in running if cluster in (process.info["cmdline"] or ()))
    return sum(each.memory_full_info().pss for each in (postmaster, *postmaster.children())) / MB
