"""Long commands as jobs: children with a number that can be listed, read and stopped while the bot goes on answering.

A job is written down before it starts and ends with the bot. What a killed bot has left running is ended by the next
one, and nothing is ever started again by itself.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.process import Child, sweep
from locus.telegram.store import Store
from locus.wire.problems import Problem

GRACE = 60.0  # seconds that a run has to park its work and give its task back
LAST_GRACE = 15.0  # seconds, when the bot itself ends
LOG_LIMIT = 2 << 20  # bytes of output that are kept of a job
AT_ONCE = 4  # jobs of all projects together
LINE_KEPT = 20_000  # characters of one line of output

Reader = Callable[[str], None]
Finished = Callable[["Job", bool], Awaitable[None]]


class Busy(LocalError):
    """Something of the kind runs already, or too much does."""


class Job(Struct, frozen=True, kw_only=True):
    """A job as the store knows it. `state` is running, done, failed, stopped or lost."""

    id: int
    project: str
    kind: str
    title: str
    person: int
    chat: int
    marker: str
    state: str
    began: float
    ended: float | None
    said: str | None  # how it ended, in a sentence

    @property
    def seconds(self) -> float:
        return (self.ended or time.time()) - self.began


class Jobs:
    """Starts, follows and ends jobs. `logs` is the directory of their output, which `redact` goes over."""

    def __init__(
        self, store: Store, logs: Path, redact: Callable[[str], str], environ: Mapping[str, str] = os.environ
    ) -> None:
        self._redact = redact
        self._store = store
        self._logs = logs
        self._environ = environ
        self._children: dict[int, Child] = {}
        self._following: dict[int, asyncio.Task[None]] = {}
        self._stopped: set[int] = set()

    # ---- looking

    def all(self, *, most: int = 10) -> list[Job]:
        """The newest jobs, newest first."""
        return [_job(row) for row in self._store.db.execute("SELECT * FROM jobs ORDER BY id DESC LIMIT ?", (most,))]

    def get(self, number: int) -> Job | None:
        row = self._store.db.execute("SELECT * FROM jobs WHERE id = ?", (number,)).fetchone()
        return None if row is None else _job(row)

    def running(self, *, project: str | None = None, kind: str | None = None) -> list[Job]:
        """Jobs that run now, oldest first."""
        found = self._store.db.execute("SELECT * FROM jobs WHERE state = 'running' ORDER BY id")
        jobs = [_job(row) for row in found]
        return [job for job in jobs if project in (None, job.project) and kind in (None, job.kind)]

    def log(self, number: int) -> Path:
        return self._logs / f"{number}.log"

    # ---- doing

    async def start(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        project: str,
        kind: str,
        title: str,
        person: int,
        chat: int,
        read: Reader | None = None,
        finished: Finished | None = None,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        limit: float | None = None,
        alone: bool = False,
    ) -> Job:
        """Start a program as a job. `read` gets each line it prints, `finished` is awaited once when it has ended.

        `env` is its whole environment; left out, it is that of `locus` as a person would start it. After `limit`
        seconds it is ended. With `alone` there is one job of the kind in a project at a time.
        Raises Busy, CannotStart.
        """
        if alone and (same := self.running(project=project, kind=kind)):
            raise Busy(f"{same[0].title} is at work already, as job {same[0].id}.", remedy=f"/stop {same[0].id}")
        if len(self.running()) >= AT_ONCE:
            raise Busy(f"{AT_ONCE} jobs are at work already.", remedy="Wait for one, or stop one: /jobs")
        job = self._written(argv, project=project, kind=kind, title=title, person=person, chat=chat)
        try:
            child = await Child.start(argv, cwd=cwd, env=env or self.environment(), stdin=stdin, marker=job.marker)
        except BaseException as e:
            self._end(job, "failed", str(e))
            raise
        self._children[job.id] = child
        self._following[job.id] = asyncio.create_task(self._follow(job, child, limit, read, finished))
        return job

    async def stop(self, number: int, *, grace: float = GRACE) -> bool:
        """End a job and everything it started; false when it is not running. A second time shortens the first."""
        child, following = self._children.get(number), self._following.get(number)
        if child is None or following is None:
            return False
        self._stopped.add(number)
        await child.end(grace=grace, first=signal.SIGINT)
        await asyncio.wait({following})
        return True

    async def close(self) -> None:
        """End all jobs, in an orderly way where they are quick enough."""
        await asyncio.gather(*(self.stop(number, grace=LAST_GRACE) for number in list(self._children)))

    async def recover(self) -> list[Job]:
        """End what a killed bot has left running, and return those jobs as they are now."""
        left = self.running()
        for job in left:
            await sweep(job.marker)
            self._end(job, "lost", "It ended with the bot.")
        return [job for job in map(self.get, (job.id for job in left)) if job is not None]

    # ---- within

    def _written(self, argv: Sequence[str], *, project: str, kind: str, title: str, person: int, chat: int) -> Job:
        row = self._store.db.execute(
            "INSERT INTO jobs (project, kind, title, argv, person, chat, marker, state, began)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?) RETURNING *",
            (
                project,
                kind,
                title,
                msgspec.json.encode(list(argv)).decode(),
                person,
                chat,
                f"telegram-{uuid4().hex}",
                time.time(),
            ),
        ).fetchone()
        return _job(row)

    def environment(self) -> dict[str, str]:
        """The environment of our own commands."""
        # The child is `locus`, which chooses itself what an agent may see. A marker of ours is not inherited.
        return {name: value for name, value in self._environ.items() if not name.startswith("LOCUS_TELEGRAM_")}

    async def _follow(
        self, job: Job, child: Child, limit: float | None, read: Reader | None, finished: Finished | None
    ) -> None:
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        written, too_long = 0, False

        async def watch() -> None:
            nonlocal too_long
            await asyncio.sleep(limit or 0.0)
            too_long = True
            await child.end(grace=2.0)

        watching = asyncio.create_task(watch()) if limit is not None else None
        with os.fdopen(os.open(self.log(job.id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            async for line in child.lines():
                text = line.decode("utf-8", "replace")
                if written < LOG_LIMIT:
                    written += log.write(self._redact(text[:LINE_KEPT]).encode() + b"\n")
                    log.flush()
                if read is not None:
                    read(text)
            ended = await child.wait()
            await child.stderr_read()
            if said := child.stderr_tail.strip():
                log.write(self._redact(said).encode() + b"\n")
        if watching is not None and not too_long:
            watching.cancel()
        # What it left running ends with it.
        await child.end(grace=0.0)
        stopped = job.id in self._stopped
        state = "stopped" if stopped else "done" if ended.ok else "failed"
        self._children.pop(job.id, None)
        self._end(job, state, _why(child, limit if too_long else None, state))
        try:
            if finished is not None and (now := self.get(job.id)) is not None:
                await finished(now, ended.ok)
        finally:
            self._following.pop(job.id, None)
            self._stopped.discard(job.id)

    def _end(self, job: Job, state: str, said: str | None) -> None:
        self._store.db.execute(
            "UPDATE jobs SET state = ?, ended = ?, said = ? WHERE id = ?", (state, time.time(), said, job.id)
        )


def _why(child: Child, limit: float | None, state: str) -> str | None:
    """Why a job failed: our own commands say on stderr what happened and what to do."""
    if limit is not None:
        return f"It did not end within {limit:g} s."
    lines = [line.strip() for line in child.stderr_tail.strip().splitlines() if line.strip()]
    if not lines or state != "failed":
        return None
    try:
        # With --json they say it as a document.
        return msgspec.json.decode(lines[-1], type=Problem).detail
    except msgspec.DecodeError:
        return "\n".join(lines[-4:])


def _job(row: Any) -> Job:
    return Job(**{name: row[name] for name in Job.__struct_fields__})
