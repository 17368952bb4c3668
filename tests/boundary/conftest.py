"""One day of a worker, recorded: five runs on a machine full of canaries, with a proxy between it and the server."""

import asyncio
import base64
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.boundary.canaries import Canaries, agent, on_machine, plant
from tests.boundary.oracle import Oracle
from tests.boundary.recording import Recording, recording
from tests.support import person as persons, server as servers
from tests.support.github import TOKEN, GitHubServer, running
from tests.support.person import Person
from tests.support.polling import until
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose

DONE = "pathlib.Path(f'{key}.done').write_text("
FIRST = "'wrong' if 'Checks are red' not in prompt else 'right'"


@dataclass(frozen=True)
class Day:
    """What was recorded, and what must not be in it."""

    recorded: Recording
    canaries: Canaries
    oracle: Oracle
    person: Person
    root: Path
    server: RunningServer
    said: list[str]  # by the runs, in order
    statuses: dict[str, str]

    @property
    def log(self) -> Path:
        return self.person.state / "egress"


class Runs:
    """`locus` on the person's machine, whose name is a canary where that is possible."""

    def __init__(self, person: Person, root: Path, host: list[str]) -> None:
        self._person = person
        self._root = root
        self._host = host

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._host, *persons.command(*arguments)],
            cwd=self._root,
            env=self._person.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    async def run(self, *arguments: str) -> str:
        child = self.start(*arguments)
        said, _ = await asyncio.to_thread(child.communicate, timeout=120)
        return said.decode()

    async def interrupted(self, *arguments: str, when: Callable[[], bool]) -> str:
        """A run that gets a Ctrl+C as soon as a fact holds."""
        child = self.start(*arguments)

        async def ready() -> bool:
            assert child.poll() is None, child.communicate()
            return when()

        try:
            await until(ready, limit=60)
            child.send_signal(signal.SIGINT)
            said, _ = await asyncio.to_thread(child.communicate, timeout=60)
        finally:
            child.kill()
        return said.decode()


@pytest.fixture(scope="session")
async def day(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    """Done, sent back by red checks, failed, nothing changed, refused by the remote, interrupted; then drained."""
    canaries = Canaries(seed=int.from_bytes(os.urandom(4)))
    place = tmp_path_factory.mktemp("boundary") / canaries.new("place")
    place.mkdir()
    with running(place / "github") as github:
        async with databases.one() as dsn, servers.running(dsn) as server, recording(server.url) as recorded:
            yield await lived(canaries, place, github, server, recorded)


async def lived(
    canaries: Canaries, place: Path, github: GitHubServer, server: RunningServer, recorded: Recording
) -> Day:
    """Everything that happens in the day."""
    person = persons.new(place)
    root = plant(canaries, person)
    hub = on_forge(person, root, github)
    canaries.words["token"] = [TOKEN]
    host = canaries.new("host")
    machine = on_machine(host)
    if not machine:
        canaries.words["host"] = [socket.gethostname()]
    await plan(server)
    person.variables["LOCUS_SERVER"] = recorded.url
    person.variables["LOCUS_API_KEY"] = await server.key(Purpose.WORKER, workspace=server.workspace)
    person.variables["LOCUS_PROVIDER"] = "command"
    person.variables["LOCUS_SANDBOX"] = "off"  # the worst case: the agent sees and says everything
    runs = Runs(person, root, machine)

    def works(name: str, work: str) -> None:
        person.variables["LOCUS_AGENT_COMMAND"] = str(agent(canaries, person, name, work))

    said = []
    file = f"f' # {canaries.new('agentfile')}')"
    works("changes", f"{DONE}({FIRST}) + {file}")
    said.append(await runs.run("run", "--yes", "--max-tasks", "2"))
    works("fails", f"{DONE}{file}\nraise RuntimeError('{canaries.new('exception')}')")
    said.append(await runs.run("run", "--yes", "--once", "--json"))
    works("refuses", "pass")
    said.append(await runs.run("run", "--yes", "--once"))
    works("pushes", f"{DONE}'right' + {file}")
    hook = hub / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\necho {canaries.new('hook')} >&2\nexit 1\n")
    hook.chmod(0o755)
    said.append(await runs.run("run", "--yes", "--once"))
    hook.unlink()
    works("waits", "time.sleep(120)")
    before = at_work(recorded)
    said.append(await runs.interrupted("run", "--yes", "--once", when=lambda: at_work(recorded) > before))
    works("finishes", f"{DONE}'right' + {file}")
    said.append(await runs.run("run", "--yes", "--json", "--verbose"))
    said.append(await runs.run("status"))
    said.append(await runs.run("doctor"))
    oracle = Oracle(canaries.words, [root])
    for one in person.place.glob("*.py"):
        oracle.learn(one.read_bytes())
    oracle.words += [("machine", str(path).encode()) for path in (person.home, root, hub)]
    async with server.client(await server.key()) as api:
        tasks = (await api.get(server.path("/tasks"))).json()["items"]
    statuses = {task["key"]: task["status"] + (task["blocked_reason"] or "") for task in tasks}
    return Day(recorded, canaries, oracle, person, root, server, said, statuses)


GOOD = "Invoices now round each rate once, at the end. Nobody has to press the button twice any more."


@dataclass(frozen=True)
class Spoken(Day):
    """A day of a workspace that takes summaries; `messages` are what the agents said last, by task."""

    messages: dict[str, str]


@pytest.fixture(scope="session")
async def spoken(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Spoken]:
    """Summaries are switched on, and agents say last whatever they have seen, beside some words of their own."""
    canaries = Canaries(seed=int.from_bytes(os.urandom(4)))
    place = tmp_path_factory.mktemp("boundary") / canaries.new("place")
    place.mkdir()
    person = persons.new(place)
    root = plant(canaries, person)
    async with databases.one() as dsn, servers.running(dsn) as server, recording(server.url) as recorded:
        await plan(server)
        async with server.client(await server.key()) as api:
            await api.patch(server.path(), json={"summaries": True}, headers={"If-Match": "*"})
            tasks = (await api.get(server.path("/tasks"))).json()["items"]
        person.variables["LOCUS_SERVER"] = recorded.url
        person.variables["LOCUS_API_KEY"] = await server.key(Purpose.WORKER, workspace=server.workspace)
        person.variables["LOCUS_PROVIDER"] = "command"
        person.variables["LOCUS_SANDBOX"] = "off"
        runs, said, messages = Runs(person, root, []), [], {}
        written = "Written by the agent itself and then said again"
        for task, message in zip(tasks, last_words(canaries, root, written), strict=True):
            messages[task["key"]] = message
            work = (
                f"{DONE}'right, too. ' + {written!r})\n"
                f"print({message!r}.replace('PROMPT', prompt.splitlines()[0]))\nsys.exit(0)"
            )
            person.variables["LOCUS_AGENT_COMMAND"] = str(agent(canaries, person, task["key"], work))
            said.append(await runs.run("run", "--yes", "--once", "--no-pr"))
        async with server.client(await server.key()) as api:
            tasks = (await api.get(server.path("/tasks"))).json()["items"]
        statuses = {task["key"]: task["status"] + (task["blocked_reason"] or "") for task in tasks}
        oracle = Oracle(canaries.words, [root])
        oracle.learn(written.encode())
        oracle.words += [("machine", str(path).encode()) for path in (person.home, root)]
        yield Spoken(recorded, canaries, oracle, person, root, server, said, statuses, messages)


def last_words(canaries: Canaries, root: Path, written: str) -> list[str]:
    """A message for each of the five tasks: lines of files as sentences, paths, planted words, encodings of them."""
    lines = [line.strip("# ").capitalize() for path in sorted(root.rglob("*.*")) for line in prose_of(path)]
    planted = [word for words in canaries.words.values() for word in words[:3]]
    paths = [str(path.relative_to(root)) for path in sorted(root.rglob("*.py"))[:40]]
    letters = " ".join(word[: len("cnrybody")] for word in planted)
    hidden = [base64.b64encode(lines[0].encode()).decode(), lines[1].encode().hex(), quote_all(lines[2])]
    return [
        GOOD,
        f"{'. '.join(lines[:10])}. {GOOD} {'. '.join(lines[10:400])}.",
        f"See {' and '.join(paths)}. {GOOD} {written}. It also has {' '.join(planted)}. Then there is {letters}.",
        f"{' '.join(f'It is {word} that counts here.' for word in [*planted, *hidden])} {GOOD}",
        ". ".join(lines[:40]) + ".",
    ]


def prose_of(path: Path) -> list[str]:
    """The lines of a file that are nothing but words."""
    if not path.is_file() or ".git" in path.parts:
        return []
    return [line for line in path.read_text(errors="replace").splitlines() if line.startswith("# ")]


def quote_all(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def on_forge(person: Person, root: Path, github: GitHubServer) -> Path:
    """Move the repository's remote to a forge; returns where it is there."""
    there = github.repositories / "acme" / "shop.git"
    there.parent.mkdir(parents=True, exist_ok=True)
    person.git("clone", "--quiet", "--bare", str(person.bare()), str(there), cwd=root)
    person.git("config", "http.receivepack", "true", cwd=there)
    person.git("remote", "set-url", "origin", f"{github.url}/acme/shop.git", cwd=root)
    forge = {"LOCUS_FORGE": "github", "LOCUS_FORGE_API": github.api(), "GITHUB_TOKEN": TOKEN}
    person.variables.update(forge)
    return there


def at_work(recorded: Recording) -> int:
    """How often a heartbeat has told that an agent works."""
    return recorded.traffic.count(b'"phase":"agent"')


async def plan(server: RunningServer) -> None:
    """A sprint of five tasks, written by somebody else on another machine."""
    async with server.client(await server.key()) as api:
        sprint = (await api.post(server.path("/sprints"), json={"name": "One"})).json()["id"]
        for number in range(1, 6):
            body = {"title": f"Task number {number}", "sprint_id": sprint}
            assert (await api.post(server.path("/tasks"), json=body)).status_code == 201
        assert (await api.post(server.path("/sprints/1/start"))).status_code < 300
