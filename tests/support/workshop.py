"""A worker's surroundings: the real server, a real repository with a bare remote, agents that are small programs."""

import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.support.nowhere import Nowhere
from tests.support.server import RunningServer

from locus.client.plane import ControlPlane
from locus.local.git import checkout
from locus.local.project import Check, Project
from locus.local.providers.base import Provider
from locus.local.providers.command import Command
from locus.local.worker import told
from locus.local.worker.loop import Result, Run
from locus.local.worker.workplace import Options, Workplace
from locus.wire.sprints import Sprint, SprintDraft
from locus.wire.tasks import Task, TaskDraft
from locus.wire.workspaces import Purpose

T = TypeVar("T")
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass
class Ran:
    """What one run came to, and all that it told."""

    result: Result
    said: list[told.Told]

    def of(self, kind: type[T]) -> list[T]:
        """What it told of one kind, in order."""
        return [one for one in self.said if isinstance(one, kind)]


@dataclass
class Workshop:
    """One workspace with an active sprint, and a user's checkout of a repository."""

    server: RunningServer
    plane: ControlPlane
    person_key: str
    worker_key: str
    place: Path
    sprint: Sprint
    environment: dict[str, str]
    checks: list[Check] = field(default_factory=list)
    said: list[told.Told] = field(default_factory=list)  # of the run that goes on

    @property
    def root(self) -> Path:
        return self.place / "checkout"

    @property
    def remote(self) -> Path:
        return self.place / "remote.git"

    @property
    def state(self) -> Path:
        return self.place / "state"

    async def task(self, title: str, **fields: Any) -> Task:
        """A new task in the active sprint."""
        return await self.plane.tasks.create(TaskDraft(title=title, sprint_id=self.sprint.id, **fields))

    async def now(self, task: Task) -> Task:
        return await self.plane.tasks.get(task.id)

    def agent(self, program: str, name: str = "agent") -> Command:
        """An agent that is a Python program; `prompt` is what it was told, and it stands in the tree."""
        path = self.place / f"{name}.py"
        path.write_text(f"import os, pathlib, subprocess, sys, time\nprompt = sys.stdin.read()\n{program}\n")
        return Command((sys.executable, "-B", str(path)))

    def worker(self, provider: Provider, **options: Any) -> Run:
        """A run that is ready to begin, on a connection of its own."""
        self.said = []
        return Run(self.workplace(provider, **options))

    def workplace(
        self, provider: Provider, *, project: Project | None = None, key: str | None = None, **options: Any
    ) -> Workplace:
        """A worker's surroundings; `key` is another one than that for workers."""
        return Workplace(
            plane=self.connect(key),
            connect=lambda: self.connect(key),
            checkout=self.checkout,
            project=project or Project(root=self.root, checks=tuple(self.checks)),
            provider=provider,
            provider_version=None,
            options=Options(**{"silence": 30.0, "wall": 60.0, **options}),
            environment=self.environment,
            state=self.state,
            tell=self.said.append,
        )

    async def run(self, provider: Provider, **options: Any) -> Ran:
        """Run a worker to its end."""
        run = self.worker(provider, **options)
        async with run.work.plane:
            result = await run.run()
        return Ran(result, list(self.said))

    def connect(self, key: str | None = None) -> ControlPlane:
        return ControlPlane(self.server.url, key or self.worker_key, self.server.workspace.id, egress=Nowhere())

    async def look_again(self) -> None:
        """Read the user's checkout anew, after the test has changed it."""
        self.checkout = await checkout.find(self.root, self.environment)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Plain git, as a person would use it."""
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def on_remote(self, branch: str | None = None) -> list[str]:
        """The subjects of the sprint's branch on the remote that the base does not have, oldest first."""
        name = branch or f"locus/sprint-{self.sprint.number}"
        return self.git("log", "--reverse", "--format=%s", f"main..{name}", cwd=self.remote).splitlines()

    def fingerprint(self) -> dict[str, str]:
        """A hash of every file of the user's checkout, git directory included."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


@asynccontextmanager
async def workshop(server: RunningServer, place: Path, files: dict[str, str] | None = None) -> AsyncIterator[Workshop]:
    """A workshop on a running server, with a repository of these files."""
    place.mkdir(parents=True, exist_ok=True)
    home = place / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **IDENTITY}
    key = await server.key(Purpose.MEMBER, workspace=server.workspace)
    worker_key = await server.key(Purpose.WORKER, workspace=server.workspace)
    async with ControlPlane(server.url, key, server.workspace.id, egress=Nowhere()) as plane:
        sprint = await plane.sprints.start((await plane.sprints.create(SprintDraft(name="Sign-in"))).id)
        made = Workshop(server, plane, key, worker_key, place, sprint, environment)
        made.root.mkdir()
        made.git("init", "--quiet", "--initial-branch=main")
        for name, text in (files or {"README.md": "# It\n"}).items():
            path = made.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message", "Begin")
        made.git("clone", "--quiet", "--bare", str(made.root), str(made.remote))
        made.git("remote", "add", "origin", str(made.remote))
        await made.look_again()
        yield made


def one_of(values: Sequence[T]) -> T:
    """The only one there is."""
    assert len(values) == 1, values
    return values[0]
