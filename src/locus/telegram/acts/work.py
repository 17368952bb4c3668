"""Letting agents work: runs and other long commands as jobs, listed, read, paused and stopped."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from locus.client.errors import PlaneError
from locus.local.text import duration
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Notice, Order
from locus.telegram.jobs import Job
from locus.telegram.markup import Block, Line, bold, code, link, plain, prose, tail
from locus.telegram.news import tell
from locus.telegram.presses import Run
from locus.telegram.progress import Progress
from locus.telegram.projects import Site

CALM = 2.0  # seconds between two edits of a run's message
TICK = 15.0  # seconds after which its time is shown anew although nothing was told
OUTPUT = 3500  # characters of output that one message shows
ANSWER = 12_000  # characters of an agent's answer
QUIET = frozenset({"agent_event", ""})  # lines that alone are no reason to show the message anew


def locus(root: Path, *arguments: str) -> list[str]:
    """The command line of our own command in a project."""
    return [sys.executable, "-m", "locus", "-C", str(root), *arguments]


def run_command(root: Path, sprint: int | None) -> list[str]:
    """The command line of a run."""
    return locus(root, "run", "--json", *([f"--sprint={sprint:d}"] if sprint is not None else []))


# ---- runs


class Screen:
    """The one message of a run, edited in place while its lines come."""

    def __init__(self, asked: Asked, site: Site) -> None:
        self.progress = Progress()
        self._desk, self._chat, self._person = asked.desk, asked.person.chat, asked.person.user
        self._site = site
        self._shown = 0.0
        self._asking: asyncio.Task[None] | None = None
        self.job = 0

    def read(self, line: str) -> None:
        """Take a line of the run and show what is new, not more often than every two seconds."""
        kind = self.progress.feed(line)
        if kind in ("run_started", "task_claimed", "task_ended"):
            self._ask_counts()
        if kind not in QUIET or time.monotonic() - self._shown > TICK:
            self.show()

    def show(self, state: str = "running") -> None:
        wait = max(0.0, self._shown + CALM - time.monotonic()) if state == "running" else 0.0
        self._shown = time.monotonic() + wait
        told = self.progress.lines(now=time.time(), job=self.job, state=state)
        # Without buttons: those for stopping are commands, which are always at hand and ask once.
        self._desk.outbox.show(self._chat, f"job:{self.job}", told, after=wait)

    def _ask_counts(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self.count())

    async def count(self) -> None:
        """Ask how far the sprint is. A message without a bar is better than none."""
        number = self.progress.sprint.removeprefix("Sprint ").partition(":")[0]
        if not number.isdigit():
            return
        try:
            self.progress.counts = (await self._site.plane.sprints.get(number)).tasks
        except PlaneError:
            return
        if not self.progress.over:
            self.show()

    async def finished(self, job: Job, _: bool) -> None:
        """The run has ended: show how, and say so in a message of its own."""
        if self._asking is not None:
            await asyncio.gather(self._asking, return_exceptions=True)
        await self.count()
        if job.said and not self.progress.why:
            self.progress.why = job.said
        self.show(job.state)
        told = self.progress.lines(now=time.time(), job=job.id, state=job.state)[:1]
        told += prose(self.progress.why or job.said or "It ended.", most=600)
        if self.progress.pull_request:
            told.append(link("Pull request", self.progress.pull_request))
        tell(self._desk, self._chat, Notice.FINISHED, told, once=f"run-over:{job.id}")


async def _run(asked: Asked, order: Order) -> None:
    site = await asked.site()
    screen = Screen(asked, site)
    job = await asked.desk.jobs.start(
        run_command(site.root, order.number),
        cwd=site.root,
        project=site.name,
        kind="run",
        title=f"Run{f' of sprint {order.number}' if order.number else ''}",
        person=asked.person.user,
        chat=asked.person.chat,
        read=lambda line: screen.read(line),
        finished=screen.finished,
        alone=True,
    )
    screen.job = job.id
    asked.desk.store.put(_paused(site.name), None)
    screen.show()


async def _pause(asked: Asked, _: Order) -> None:
    site = await asked.site()
    job = next(iter(asked.desk.jobs.running(project=site.name, kind="run")), None)
    if job is None:
        asked.say("No run is at work. /run starts one.")
        return
    number = job.title.removeprefix("Run of sprint ") if " of sprint " in job.title else ""
    asked.desk.store.put(_paused(site.name), number)
    asked.say(f"‖ Run {job.id} parks its work and gives its task back. /resume goes on.")
    await asked.desk.jobs.stop(job.id)


async def _resume(asked: Asked, _: Order) -> None:
    site = await asked.site()
    paused = asked.desk.store.get(_paused(site.name))
    if paused is None:
        asked.say("No run is paused. /run starts one.")
        return
    await _run(asked, Order(verb="run", number=int(paused) if paused.isdigit() else None))


def _paused(project: str) -> str:
    return f"paused:{project}"


# ---- jobs of all kinds


async def _stop(asked: Asked, order: Order) -> None:
    running = asked.desk.jobs.running()
    if order.number is None:
        running = [job for job in running if job.project == asked.project] or running
    else:
        running = [job for job in running if job.id == order.number]
    if not running:
        asked.say("Nothing of that is at work. /jobs")
        return
    if order.number is None and len(running) > 1:
        rows = [
            [asked.button(f"■ {job.id} {job.title}"[:40], Run(Order(verb="stop", number=job.id), asked.project or ""))]
            for job in running
        ]
        asked.say("Which one?", buttons=rows)
        return
    job = running[0]
    wish = msgspec.structs.replace(order, number=job.id)
    if not asked.confirmed:
        kept = " Its work is parked, and its task is given back." if job.kind == "run" else ""
        asked.confirm(f"Stop job {job.id}, {bold(job.title)}?{kept}", "Stop", wish)
        return
    asked.desk.store.put(_paused(job.project), None)
    asked.say(f"■ Stopping job {job.id}.")
    await asked.desk.jobs.stop(job.id)


async def _jobs(asked: Asked, _: Order) -> None:
    marks = {"running": "◐", "done": "✓", "failed": "✗", "stopped": "■", "lost": "✗"}
    told: list[Line] = [
        f"{marks.get(job.state, '·')} {job.id} · {plain(job.title)} · {plain(job.project)} · {duration(job.seconds)}"
        for job in asked.desk.jobs.all()
    ]
    asked.say(told or ["Nothing was started from here yet."])


async def _logs(asked: Asked, order: Order) -> None:
    jobs = asked.desk.jobs
    job = jobs.get(order.number) if order.number else next(iter(jobs.all(most=1)), None)
    if job is None:
        asked.say("There is no such job. /jobs")
        return
    head = f"Job {job.id} · {plain(job.title)} · {plain(job.state)}"
    log = jobs.log(job.id)
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    if job.kind == "run":
        asked.say([head, Block(tail("\n".join(run_log(text.splitlines())), most=OUTPUT))])
    elif "code" in asked.desk.account().switches:
        asked.say([head, Block(tail(text, most=OUTPUT))])
    else:
        asked.say([head, f"Its output stays on the machine: {code(str(log), most=300)}"])


def run_log(lines: Sequence[str]) -> list[str]:
    """What a run has told, a few words for each line, and nothing of what the agent said or wrote."""
    told: list[str] = []
    for line in lines:
        try:
            one = msgspec.json.decode(line)
            kind = one["kind"]
        except (msgspec.DecodeError, KeyError, TypeError):
            continue
        if kind == "agent_event":
            event = one.get("event") or {}
            if event.get("kind") == "tool_started":
                told.append(f"    {event.get('name')}")
            continue
        result = one.get("result") or {}
        check = (one.get("check") or result.get("check") or {}).get("name")
        code_ = f"exit code {result['exit_code']}" if "exit_code" in result else None
        outcome = (one.get("outcome") or {}).get("kind")
        parts = [one.get("key"), kind.replace("_", " "), check, code_, outcome, one.get("why"), one.get("text")]
        told.append(" ".join(str(part) for part in parts if part))
    return told or ["(nothing yet)"]


HANDLERS: Mapping[str, Handler] = {
    "run": _run,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "jobs": _jobs,
    "logs": _logs,
}
