"""The product as a user has it, for measuring it from outside: a server that `locus up` started, a checkout with a bare
remote, and `locus run` as a child that prints JSON lines.
"""

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import msgspec

from locus.local import credentials, sandbox
from locus.wire.sprints import Sprint, SprintDraft
from locus.wire.tasks import Task, TaskDraft

AGENT = Path(__file__).with_name("agent.py")
LIMIT = 120.0  # seconds for one thing to happen; a measurement that hangs is none
LONGEST_LINE = 1 << 20  # bytes
T = TypeVar("T")
CONFIGURATION = """\
[checks.nothing]
run = "true"
"""
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class _Happening(msgspec.Struct):
    """What happened in or around an agent, as far as we look."""

    kind: str
    text: str = ""


class _Said(msgspec.Struct):
    kind: str
    key: str = ""
    event: _Happening | None = None
    outcome: _Happening | None = None


@dataclass(frozen=True)
class Line:
    """One JSON line of `locus run`, and when it came, by `time.monotonic`."""

    at: float
    kind: str
    key: str
    text: str
    """What an agent printed."""
    inner: str
    """Which event of an agent, or which outcome of a task."""


@dataclass
class Worker:
    """A running `locus run --json`."""

    process: asyncio.subprocess.Process
    lines: list[Line] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    async def until(self, kind: str, *, inner: str = "") -> Line:
        """Read on to the next line of that kind. Raises RuntimeError when the run ends before it comes."""
        async with asyncio.timeout(LIMIT):
            while (line := await self._next()) is not None:
                if line.kind == kind and inner in ("", line.inner):
                    return line
        raise RuntimeError(f"`locus run` ended with {await self.process.wait()} before {kind}:\n{self._end()}")

    async def to_its_end(self) -> float:
        """Read all that is left and return when the process had ended. Raises RuntimeError when it failed."""
        async with asyncio.timeout(LIMIT):
            while await self._next() is not None:
                pass
            code = await self.process.wait()
        ended = time.monotonic()
        if code != 0:
            raise RuntimeError(f"`locus run` ended with {code}:\n{self._end()}")
        return ended

    async def stop(self) -> None:
        """Have it end as Ctrl+C does."""
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.communicate()

    async def _next(self) -> Line | None:
        assert self.process.stdout is not None
        raw = await self.process.stdout.readline()
        if not raw:
            return None
        at = time.monotonic()
        said = msgspec.json.decode(raw, type=_Said)
        inner = said.event or said.outcome
        line = Line(at, said.kind, said.key, inner.text if inner else "", inner.kind if inner else "")
        self.lines.append(line)
        return line

    def _end(self) -> str:
        return "\n".join(str(line) for line in self.lines[-8:])


@dataclass(frozen=True)
class Ground:
    """A server with one workspace and an active sprint, and a repository to work on."""

    root: Path
    environment: dict[str, str]
    workspace: httpx.AsyncClient
    """A client of the API that is signed in; its addresses begin in the workspace."""
    sprint: Sprint
    server_pid: int
    sandboxed: bool
    """Whether agents and checks run in the sandbox: always, where this machine can make one."""

    @property
    def walls(self) -> str:
        return "in the sandbox" if self.sandboxed else "without a sandbox, which this machine cannot make"

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    async def task(self, title: str = "Note it", description: str = "") -> Task:
        """A new task in the active sprint."""
        draft = TaskDraft(title=title, description=description, sprint_id=self.sprint.id)
        return await post(self.workspace, "tasks", draft, Task)

    @asynccontextmanager
    async def worker(
        self, *arguments: str, thinks: float = 0.0, talks: int = 0, sandboxed: bool = True
    ) -> AsyncIterator[Worker]:
        """`locus run` on the checkout, with an agent that thinks for so many seconds and talks so many long lines."""
        walls = [] if sandboxed and self.sandboxed else ["--no-sandbox"]
        agent = [sys.executable, "-I", "-S", "-B", str(AGENT), str(thinks), str(talks)]
        process = await asyncio.create_subprocess_exec(
            *_locus("-C", str(self.checkout), "run", "--yes", "--json", "--provider", "command", *walls, *arguments),
            env={**self.environment, "LOCUS_AGENT_COMMAND": shlex.join(agent)},
            cwd=self.root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        worker = Worker(process)
        try:
            yield worker
        finally:
            await worker.stop()


@asynccontextmanager
async def prepared() -> AsyncIterator[Ground]:
    """A ground in a folder of its own, with nothing of the user's: the server ends and everything goes afterwards."""
    root = Path(mkdtemp(prefix="locus-bench-")).resolve()
    root.chmod(0o711)  # PostgreSQL runs as another account when this is root; it has to get through here
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(root / "home"),
        "LOCUS_CONFIG_DIR": str(root / "config"),
        "LOCUS_STATE_DIR": str(root / "state"),
        "LOCUS_DATA_DIR": str(root / "data"),
        "LOCUS_SANDBOX": "off",  # the figures are of Locus, on every machine
        **IDENTITY,
    }
    try:
        (root / "home").mkdir()
        _repository(root, environment)
        up = json.loads(_said(_locus("up", "--detach", "--port", "0", "--json"), environment, root))
        async with _signed_in(up["url"], environment) as workspace:
            sprint = await post(workspace, "sprints", SprintDraft(name="Measured"), Sprint)
            started = await post(workspace, f"sprints/{sprint.id}/start", None, Sprint)
            yield Ground(root, environment, workspace, started, up["pid"], await _can_sandbox(environment))
    finally:
        _said(_locus("down"), environment, root)
        shutil.rmtree(root, ignore_errors=True)


async def post(workspace: httpx.AsyncClient, path: str, body: msgspec.Struct | None, answer: type[T]) -> T:
    """POST a message and read what comes back. Raises httpx.HTTPStatusError when it is refused."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
    content = b"" if body is None else msgspec.json.encode(body)
    said = await workspace.post(path, content=content, headers=headers)
    return msgspec.json.decode(said.raise_for_status().content, type=answer)


def _signed_in(url: str, environment: dict[str, str]) -> httpx.AsyncClient:
    stored = credentials.stored(url, environ=environment)
    assert stored is not None, "`locus up` keeps a key of its server"
    base = f"{url}/api/v1/workspaces/{stored.workspace_id}/"
    return httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {stored.secret}"}, timeout=LIMIT)


async def _can_sandbox(environment: dict[str, str]) -> bool:
    try:
        await sandbox.probe(environment)
    except sandbox.NoSandbox:
        return False
    return True


def _repository(root: Path, environment: dict[str, str]) -> None:
    checkout, remote = root / "checkout", root / "remote.git"
    (checkout / ".locus").mkdir(parents=True)
    (checkout / ".locus" / "config.toml").write_text(CONFIGURATION)
    (checkout / "README.md").write_text("# Measured\n")
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "Begin"],
        ["clone", "--quiet", "--bare", ".", str(remote)],
        ["remote", "add", "origin", remote.as_uri()],
    ):
        _said(["git", *arguments], environment, checkout)


def _locus(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "locus", *arguments]


def _said(command: Sequence[str], environment: dict[str, str], cwd: Path) -> str:
    done: subprocess.CompletedProcess[Any] = subprocess.run(
        command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return str(done.stdout)
