"""A control plane to measure: the real server program on a PostgreSQL of its own, in a temporary place."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from locus.server.db import embedded

STARTING = 30.0  # seconds
AGENTS = 64
TABLES = "tasks, events, attempts, comments, docs, task_dependencies, task_docs, idempotency_keys"

REGISTER = """
    INSERT INTO agents (workspace_id, key_id, name, host_class, os_family, provider, locus_version)
    SELECT $1, (SELECT id FROM api_keys), 'bench ' || n, 'ci', 'linux', 'command', '1'
      FROM generate_series(1, $2::int) n
    RETURNING id, key_id
"""
START = "INSERT INTO sprints (workspace_id, number, name, status) VALUES ($1, 1, 'Bench', 'ACTIVE') RETURNING id"
FILL = """
    INSERT INTO tasks (workspace_id, number, sprint_id, title, position)
    SELECT $1, n, $2, 'Task ' || n, n FROM generate_series(1, $3::int) n
"""


class Workspace(msgspec.Struct, frozen=True):
    id: UUID


class Ready(msgspec.Struct, frozen=True):
    """The line that the server prints when it answers."""

    url: str
    key: str
    workspace: Workspace


@dataclass(frozen=True)
class Plane:
    """A running control plane with one active sprint and AGENTS registered agents of its only key."""

    host: str
    port: int
    secret: str
    key_id: UUID
    workspace_id: UUID
    sprint_id: UUID
    agents: list[UUID]
    pid: int  # of the server
    dsn: str
    socket: Path  # the directory of PostgreSQL's socket
    database: "asyncpg.Connection[asyncpg.Record]"

    @property
    def path(self) -> str:
        return f"/api/v1/workspaces/{self.workspace_id}"

    async def fill(self, tasks: int) -> None:
        """Leave exactly so many tasks, all of them in the backlog of the active sprint, and fresh statistics."""
        async with self.database.transaction():
            # Events may not be removed, and a trigger sees to it. Here every size should begin with empty tables.
            await self.database.execute("SET LOCAL session_replication_role = replica")
            await self.database.execute(f"TRUNCATE {TABLES} CASCADE")
        await self.database.execute(FILL, self.workspace_id, self.sprint_id, tasks)
        await self.database.execute("VACUUM ANALYZE tasks")
        await self.database.execute("VACUUM ANALYZE events")
        await self.database.execute("CHECKPOINT")


@asynccontextmanager
async def running() -> AsyncIterator[Plane]:
    """A control plane until the block ends."""
    place = Path(tempfile.mkdtemp(prefix="locus-bench-")).resolve()
    place.chmod(0o711)  # root's unprivileged account must be able to enter
    try:
        cluster = await embedded.ensure(place / "postgres", settings={"max_connections": "150"})
        try:
            database = await asyncpg.connect(cluster.dsn())
            server = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "locus.server", "serve", "--port", "0", "--bootstrap", "Bench"),
                env={**os.environ, "DATABASE_URL": cluster.dsn()},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                assert server.stdout is not None
                async with asyncio.timeout(STARTING):
                    ready = msgspec.json.decode(await server.stdout.readline(), type=Ready)
                agents = await database.fetch(REGISTER, ready.workspace.id, AGENTS)
                host, _, port = ready.url.removeprefix("http://").rpartition(":")
                yield Plane(
                    host=host,
                    port=int(port),
                    secret=ready.key,
                    key_id=agents[0]["key_id"],
                    workspace_id=ready.workspace.id,
                    sprint_id=await database.fetchval(START, ready.workspace.id),
                    agents=[row["id"] for row in agents],
                    pid=server.pid,
                    dsn=cluster.dsn(),
                    socket=cluster.home.sockets,
                    database=database,
                )
            finally:
                server.terminate()
                await server.wait()
                await database.close()
        finally:
            await cluster.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)
