"""Clusters for the tests of the embedded PostgreSQL: fresh directories, other processes, and ways to die."""

import asyncio
import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest

from locus.server.db import postmaster
from locus.server.db.embedded import Cluster
from locus.server.db.home import Home

# Starts or finds the cluster, says so in one line, and uses it until its standard input ends.
USER = """
import asyncio, json, sys
from pathlib import Path
from locus.server.db import embedded

async def main():
    cluster = await embedded.ensure(Path(sys.argv[1]))
    print(json.dumps({"dsn": cluster.dsn(), "started": cluster.started}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await cluster.close()

asyncio.run(main())
"""


# So that any Python of our version finds what this one does.
IMPORTS = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@dataclass(frozen=True)
class User:
    """Another process that uses a cluster."""

    process: asyncio.subprocess.Process
    dsn: str
    started: bool

    async def leave(self) -> None:
        """It closes the cluster and ends."""
        await self.process.communicate(b"")
        assert self.process.returncode == 0

    async def kill(self) -> None:
        """It has no chance to close anything."""
        self.process.kill()
        await self.process.wait()


async def another_user(
    data: Path,
    *,
    environment: Mapping[str, str] | None = None,
    uid: int | None = None,
    python: str = sys.executable,
) -> User:
    """Start a process that uses the cluster in `data`, and wait until it does."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-c", USER, str(data)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **IMPORTS, **(environment or {})},
        user=uid,
        cwd="/",
    )
    assert process.stdout
    line = await process.stdout.readline()
    assert line, "it ended without an answer; its standard error is above"
    return User(process, **json.loads(line))


async def value(dsn: str, query: str) -> object:
    """The one value a query answers with, over a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def remember(cluster: Cluster) -> None:
    """Commit a row."""
    await value(cluster.dsn(), "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS n")


async def remembered(cluster: Cluster) -> bool:
    """Whether the row is there."""
    return await value(cluster.dsn(), "SELECT n FROM kept") == 42


def server(home: Home) -> psutil.Process:
    """The postmaster of a cluster that runs."""
    found = postmaster.recorded(home)
    assert found
    assert postmaster.serves(found.pid, home)
    return psutil.Process(found.pid)


def runs(home: Home) -> bool:
    """Whether the cluster has a living postmaster."""
    found = postmaster.recorded(home)
    return found is not None and postmaster.serves(found.pid, home)


def programs_at_work(data: Path) -> list[str]:
    """The names of the processes whose command line names something in `data`."""
    every = psutil.process_iter(["name", "cmdline"])
    return [process.name() for process in every if any(str(data) in word for word in process.info["cmdline"] or [])]


def kill_server(home: Home, *, children: bool) -> None:
    """kill -9 of the postmaster, and of all its children if asked."""
    process = server(home)
    family = process.children(recursive=True) if children else []
    for victim in [process, *family]:
        victim.send_signal(signal.SIGKILL)


def write_pid_file(home: Home, pid: int) -> None:
    """What a killed server leaves behind when its id is then given to process `pid`, or kept by its zombie."""
    lines = [pid, home.cluster, 1700000000, 5432, home.sockets, "", "  5432001         0", "ready   "]
    path = home.cluster / "postmaster.pid"
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o600)
    if home.account:
        os.chown(path, home.account.uid, home.account.gid)


def nobody_who_can_run_us() -> tuple[int, str]:
    """The id of an unprivileged user and a Python it can run us with; skips the test when there is none."""
    uid = pwd.getpwnam("nobody").pw_uid
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        try:
            answer = subprocess.run(
                [python, "-c", "import locus.server.db.embedded"], user=uid, cwd="/", env=IMPORTS, check=False
            )
        except OSError:
            continue
        if answer.returncode == 0:
            return uid, python
    pytest.skip("an unprivileged user cannot reach this checkout and its Python")
