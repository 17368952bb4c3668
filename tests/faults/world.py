"""A world to break: one server with its PostgreSQL, one bare remote, and machines on which workers run.

Everything in it is a program of its own: the server, `locus run`, git, the agent. Processes of a machine carry its
folder in their environment (HOME, PATH), which is how the oracle finds them without knowing how Locus marks them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.faults.machines import Machine, Trap
from tests.faults.oracle import fingerprint
from tests.faults.scripts import AGENT, AT, CONFIG, CONFIG_IN_SANDBOX, GIT
from tests.support import person as persons, wrappers
from tests.support.fault_proxy import between
from tests.support.github import TOKEN, GitHubServer, running as github

SCALE = 30  # all times of a lease are divided by this, unless a world says otherwise
BRANCH = "locus/sprint-1"
SOURCE = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}  # of another copy of the product


@dataclass
class World:
    """See the module. `place` is a folder that the database's account can enter."""

    place: Path
    in_sandbox: bool = False
    scale: int = SCALE
    variables: dict[str, str] = field(default_factory=dict)
    database_url: str | None = None
    port: int = 0
    key: str = ""
    workspace: str = ""
    github: GitHubServer | None = None
    sprint: str = ""
    server: subprocess.Popen[bytes] | None = None
    machines: list[Machine] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bare(self) -> Path:
        return self.github.repositories / "acme" / "shop.git" if self.github else self.place / "shop.git"

    @property
    def remote(self) -> str:
        return f"{self.github.url}/acme/shop.git" if self.github else str(self.bare)

    # ---- the server

    def serve(self) -> None:
        """Start the server, always at the same address, with the same database."""
        arguments = ["serve", "--port", str(self.port), "--bootstrap", "Shop"]
        arguments += [] if self.key else ["--mint"]
        environment = {
            "HOME": str(self.place / "server-home"),
            "PATH": os.environ["PATH"],
            "LOCUS_SERVER_DATA": str(self.place / "server"),
            "LOCUS_SERVER_LEASE_MS": str(180_000 // self.scale),
            "LOCUS_SERVER_HEARTBEAT_MS": str(20_000 // self.scale),
            "LOCUS_SERVER_REAP_MS": str(10_000 // self.scale),
            **({"DATABASE_URL": self.database_url} if self.database_url else {}),
            **SOURCE,
        }
        with (self.place / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "locus.server", *arguments],
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self.server.stdout is not None
        line = self.server.stdout.readline()
        self.server.stdout.close()
        assert line, (self.place / "server.log").read_text()[-2000:]
        ready = json.loads(line)
        self.port = int(ready["url"].rsplit(":", 1)[1])
        self.key = ready["key"] or self.key
        if ready["workspace"]:
            self.workspace = ready["workspace"]["id"]

    def kill_server(self) -> None:
        assert self.server is not None
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def postmaster(self) -> list[str]:
        """The lines of the file in which a running PostgreSQL of our own says where it is."""
        return (self.place / "server" / "cluster" / "postmaster.pid").read_text().splitlines()

    @property
    def dsn(self) -> str:
        """The database, for whoever asks it directly."""
        if self.database_url:
            return self.database_url
        lines = self.postmaster()
        return f"postgresql://locus@/locus?host={lines[4]}&port={lines[3]}&sslmode=disable"

    def kill_database(self) -> None:
        """End PostgreSQL with all its children, as a machine does that is out of memory."""
        os.kill(int(self.postmaster()[0]), signal.SIGKILL)

    def revive(self) -> None:
        """What an operator does whose database was killed: start the server again."""
        self.kill_server()
        self.serve()

    def oracle(self, **question: object) -> dict[str, Any]:
        """Ask the oracle, which is a program of its own; its judgements and what it counted."""
        asked = {
            "dsn": self.dsn,
            "workspace": self.workspace,
            "bare": str(self.bare),
            "branch": BRANCH,
            "places": [str(machine.person.place) for machine in self.machines],
            "checkouts": {str(machine.checkout): machine.before for machine in self.machines},
            "pulls": [{"head": pull["head"]["ref"]} for pull in self.github.pulls] if self.github else [],
            **question,
        }
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("oracle.py"))],
            input=json.dumps(asked),
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def close(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    # ---- the plan

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the server as a person would, with plain HTTP."""
        address = f"{self.url}/api/v1/workspaces/{self.workspace}{path}"
        said = httpx.request(
            method, address, json=body, headers={"Authorization": f"Bearer {self.key}"}, timeout=30, trust_env=False
        )
        assert said.status_code < 300, f"{method} {path}: {said.status_code} {said.text}"
        return said.json() if said.content else None

    def ask_workspace(self, change: dict[str, object]) -> None:
        """Change a setting of the workspace."""
        address = f"{self.url}/api/v1/workspaces/{self.workspace}"
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(headers=headers, timeout=30, trust_env=False) as http:
            tag = http.get(address).headers.get("ETag", "")
            said = http.patch(address, json=change, headers={"If-Match": tag} if tag else {})
        assert said.status_code == 200, said.text

    def begin_sprint(self) -> None:
        sprint = self.ask("POST", "/sprints", {"name": "First"})
        self.sprint = sprint["id"]
        self.ask("POST", f"/sprints/{self.sprint}/start")

    def add_task(self, title: str = "Write a file", description: str = "") -> str:
        made = self.ask("POST", "/tasks", {"title": title, "description": description, "sprint_id": self.sprint})
        self.tasks.append(made["key"])
        return str(made["key"])

    def task(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/tasks/{key}")
        return found

    def statuses(self) -> dict[str, str]:
        """The status of every task, by its key."""
        with_page = self.ask("GET", "/tasks?limit=200")
        return {task["key"]: task["status"] for task in with_page["items"]}

    # ---- the remote

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.bare,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.place / "server-home"),
                "GIT_CONFIG_NOSYSTEM": "1",
                **PEER,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def hook(self, name: str, script: str) -> Path:
        path = self.bare / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def teammate_pushes(self, name: str) -> None:
        """Somebody else is faster: a commit on the sprint's branch, or the branch itself."""
        place = self.place / "teammate"
        if not place.exists():
            self.git("clone", "-q", str(self.bare), str(place), cwd=self.place)
        self.git("fetch", "-q", "origin", cwd=place)
        heads = self.git("for-each-ref", "--format=%(refname)", f"refs/heads/{BRANCH}")
        self.git("checkout", "-q", "-B", "work", f"origin/{BRANCH}" if heads else "origin/main", cwd=place)
        (place / name).write_text(f"{name}\n")
        self.git("add", name, cwd=place)
        self.git("commit", "-qm", f"Add {name}", cwd=place)
        self.git("push", "-q", "origin", f"work:refs/heads/{BRANCH}", cwd=place)

    # ---- machines

    def machine(self, name: str, stack: ExitStack) -> Machine:
        """Another machine of the same person, with a checkout of its own."""
        place = self.place / name
        place.mkdir()
        trap = Trap(place / "trap")
        proxy = stack.enter_context(between(self.url))
        variables = dict(self.variables)
        forge = None
        if self.github is not None:
            forge = stack.enter_context(between(self.github.url))
            variables |= {"LOCUS_FORGE": "github", "LOCUS_FORGE_API": f"{forge.url}/api/v3", "GITHUB_TOKEN": TOKEN}
        person = persons.new(
            place,
            LOCUS_SERVER=proxy.url,
            LOCUS_API_KEY=self.key,
            LOCUS_WORKSPACE="SHOP",
            **({"LOCUS_SANDBOX": "on"} if self.in_sandbox else {}),
            **variables,
            **SOURCE,
        )
        if self.in_sandbox:
            wrappers.put_on_path(person)
        (person.bin / "mv").symlink_to(str(shutil.which("mv")))
        real = shutil.which("git")
        (person.bin / "git").unlink()
        person.program("git", GIT.format(trap=trap.place, git=real))
        person.program("at", AT.format(trap=trap.place))
        person.program("agent", AGENT)
        made = Machine(person, self, proxy, trap, forge)
        self.git("clone", "-q", self.remote, str(made.checkout), cwd=self.place)
        made.before = fingerprint(made.checkout)
        self.machines.append(made)
        return made


PEER = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Grace",
    "GIT_AUTHOR_EMAIL": "grace@example.org",
    "GIT_COMMITTER_NAME": "Grace",
    "GIT_COMMITTER_EMAIL": "grace@example.org",
}


@contextmanager
def world(
    place: Path,
    *,
    in_sandbox: bool = False,
    database_url: str | None = None,
    machines: Sequence[str] = ("a",),
    pull_requests: bool = False,
    scale: int = SCALE,
) -> Iterator[World]:
    """A world with a running server, an active sprint and machines, until the end of the block."""
    made = World(place, in_sandbox=in_sandbox, scale=scale, database_url=database_url)
    (place / "server-home").mkdir()
    with ExitStack() as stack:
        if pull_requests:
            (place / "github" / "acme").mkdir(parents=True)
            made.github = stack.enter_context(github(place / "github"))
        made.serve()
        stack.callback(made.close)
        made.begin_sprint()
        _repository(made, place / "a" / "bin")
        for name in machines:
            made.machine(name, stack)
        yield made


def _repository(made: World, bin_: Path) -> None:
    root = made.place / "seed"
    root.mkdir()
    config = CONFIG_IN_SANDBOX if made.in_sandbox else CONFIG.format(bin=bin_)
    for name, text in {"README.md": "A shop.\n", ".gitignore": "*.log\n", ".locus/config.toml": config}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    made.git("init", "-q", "-b", "main", cwd=root)
    made.git("add", ".", cwd=root)
    made.git("commit", "-qm", "Begin", cwd=root)
    made.git("clone", "-q", "--bare", "--template=", str(root), str(made.bare), cwd=made.place)
    made.git("config", "http.receivepack", "true")
    for name in ("pre-receive", "post-receive"):
        # A remote that is a folder runs its hooks on the machine that pushes; another one on none.
        made.hook(name, f"at={bin_}/at; command -v at > /dev/null && at=at; exec $at {name}")
