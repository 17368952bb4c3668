"""A worker that a test kills, and what can be seen of it from outside."""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from tests.support import person as persons
from tests.support.person import Person

LIMIT = 60.0  # seconds to wait for a fact


def up(person: Person) -> None:
    """Start the server, always at the same address, so that the key stays the same."""
    if "LOCUS_SERVER" not in person.variables:
        person.variables["LOCUS_SERVER"] = f"http://127.0.0.1:{free_port()}"
    port = person.variables["LOCUS_SERVER"].rsplit(":", 1)[1]
    assert person.locus("up", "--detach", "--port", port, cwd=person.home / "shop").code == 0


def free_port() -> int:
    """A port that nothing uses, below those that the system gives to whoever asks for any."""
    while True:
        port = random.randrange(20_000, 30_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


def agent(person: Person, script: str) -> None:
    person.variables["LOCUS_AGENT_COMMAND"] = str(person.program("agent", f"cat > /dev/null\n{script}"))
    person.variables["LOCUS_PROVIDER"] = "command"


def start(person: Person, *arguments: str) -> "subprocess.Popen[bytes]":
    """A run that the test will kill."""
    return subprocess.Popen(
        persons.command("run", "--yes", *arguments),
        cwd=person.home / "shop",
        env=person.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(worker: "subprocess.Popen[bytes]") -> None:
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()


def appears(path: Path) -> None:
    end = time.monotonic() + LIMIT
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


def hook(person: Person, name: str) -> Path:
    """Make the remote stop in a hook until the test lets it go on; returns the file that shows that it is there."""
    there, go = person.place / "there", person.place / "go"
    path = person.bare() / "hooks" / name
    path.write_text(f"#!/bin/sh\n: > {there}\nwhile ! test -e {go}; do sleep 0.1; done\n")
    path.chmod(0o755)
    return there


def release(person: Person) -> None:
    (person.place / "go").touch()


def task(person: Person) -> dict[str, object]:
    told = json.loads(person.locus("tasks", "show", "SHOP-1", "--json").out)
    found = told.get("task") or told
    assert isinstance(found, dict)
    return found


def commits(person: Person) -> list[str]:
    log = person.git("log", "--format=%s", "main..locus/sprint-1", cwd=person.bare())
    return log.splitlines()


def run(person: Person, *arguments: str) -> persons.Said:
    return person.locus("run", "--yes", *arguments, cwd=person.home / "shop")


def step(journal: Path) -> str | None:
    """How far the only attempt of the journal has come."""
    with closing(sqlite3.connect(journal)) as db:
        row = db.execute("SELECT step FROM attempts").fetchone()
    return str(row[0]) if row else None
