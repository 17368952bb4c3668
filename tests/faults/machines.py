"""A user's machine in a world, the workers that are started on it, and the trap at which their children stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import person as persons
from tests.support.fault_proxy import FaultProxy
from tests.support.person import Person

if TYPE_CHECKING:
    from tests.faults.world import World

LIMIT = 60.0  # seconds to wait for a fact; a machine may be busy


class Trap:
    """A place at which a worker's child stops until it may go on. Each time has a number of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.number = 0
        place.mkdir()

    def arm(self, point: str, *, after: str | None = None) -> None:
        """Stop at a point; `after` is a point to pass first."""
        self.disarm()
        self.number += 1
        (self.place / "new").write_text(f"{point} {self.number}\n")
        (self.place / "new").rename(self.place / ("armed" if after is None else f"then-{after}"))

    def disarm(self) -> None:
        """Stop nobody any more."""
        for path in (self.place / "armed", *self.place.glob("then-*")):
            path.unlink(missing_ok=True)

    @property
    def there(self) -> bool:
        return (self.place / f"there-{self.number}").exists()

    def release(self) -> None:
        """Let everybody go on who has stopped so far."""
        for number in range(1, self.number + 1):
            (self.place / f"go-{number}").touch()


@dataclass
class Worker:
    """One `locus run` as a process."""

    process: subprocess.Popen[bytes]
    out: Path
    began: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self) -> list[dict[str, Any]]:
        """What it has told so far, with `--json`."""
        told = []
        for line in self.out.read_text(errors="replace").splitlines():
            try:
                told.append(json.loads(line))
            except ValueError:
                continue  # the last one may be half written
        return told

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("kind") == kind]

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> bool:
        """Kill it and wait for its end; says whether there was anything to kill."""
        if self.ended:
            return False
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        return True

    def wait(self, limit: float = LIMIT) -> int:
        return self.process.wait(limit)


@dataclass
class Machine:
    """A user's machine with a checkout, from which workers are started."""

    person: Person
    world: World
    proxy: FaultProxy
    trap: Trap
    forge: FaultProxy | None = None  # in front of the host of pull requests, if there is one
    runs: int = 0
    before: str = ""  # the fingerprint of the checkout, before any run

    @property
    def checkout(self) -> Path:
        return self.person.home / "shop"

    def start(self, *arguments: str, agent: str = "none", program: Path | None = None, **variables: str) -> Worker:
        """Start `locus run`. `agent` is where its agent stops; `program` is another agent."""
        self.runs += 1
        out = self.person.place / f"run-{self.runs}.jsonl"
        command = [*persons.command("run", "--yes", "--json", *arguments)]
        with out.open("wb") as file, out.with_suffix(".err").open("wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=self.checkout,
                env=self.environment(agent, program, **variables),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=errors,
                start_new_session=True,
            )
        return Worker(process, out, time.monotonic())

    def environment(self, agent: str = "none", program: Path | None = None, **variables: str) -> dict[str, str]:
        words = [str(program)] if program else [str(self.person.bin / "agent"), agent]
        given = {"LOCUS_AGENT_COMMAND": " ".join(words), "LOCUS_PROVIDER": "command", **variables}
        return self.person.environment() | given

    def stopped_agents(self) -> list[Path]:
        """The trees in which an agent has stopped."""
        return [path.parent for path in (self.person.state / "repositories").glob("*/*/tree/*/there.log")]

    def forget_agents(self) -> None:
        """Remove what stopped agents have left, so that the next one can be told from them."""
        for name in ("there.log", "go.log"):
            for path in (self.person.state / "repositories").glob(f"*/*/tree/*/{name}"):
                path.unlink()

    def release(self) -> None:
        """Let everything go on that has stopped."""
        self.trap.release()
        for tree in self.stopped_agents():
            (tree / "go.log").touch()
        self.proxy.heal()
        if self.forge is not None:
            self.forge.heal()
