"""The real application over real HTTP on a loopback port, and keys of every kind for it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvicorn

from locus.server.app import create_app
from locus.server.auth import store as keys
from locus.server.auth.secrets import hashed, hint, new_secret
from locus.server.db import pool as pools
from locus.server.db.pool import Pool
from locus.server.events.hub import Hub
from locus.server.settings import Settings, Timing
from locus.server.workspaces import store
from locus.wire.workspaces import Organization, Purpose, Workspace

STARTING = 10.0  # seconds at most


@dataclass(frozen=True)
class RunningServer:
    """A server that answers at `url`, with one organization and one workspace of it, WEB."""

    url: str
    pool: Pool
    organization: Organization
    workspace: Workspace

    async def key(
        self,
        purpose: Purpose = Purpose.ADMIN,
        *,
        workspace: Workspace | None = None,
        organization: Organization | None = None,
        days: int | None = 1,
        name: str | None = None,
    ) -> str:
        """The secret of a new key, straight from the database: for one workspace, or for the whole organization."""
        secret = new_secret()
        await keys.create(
            self.pool,
            workspace.organization_id if workspace else (organization or self.organization).id,
            workspace.id if workspace else None,
            name=name or f"test {purpose.value}",
            purpose=purpose,
            key_hash=hashed(secret),
            hint=hint(secret),
            days=days,
        )
        return secret

    async def foreign(self) -> Workspace:
        """A workspace of another organization, with the same prefix."""
        other = await store.create_organization(self.pool, "Somebody else")
        workspace = await store.create(self.pool, other.id, name="Theirs", prefix=self.workspace.prefix)
        assert workspace is not None
        return workspace

    def client(self, secret: str | None = None) -> httpx.AsyncClient:
        """A client with that key, or none. Close it, or use it as a context."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)

    def path(self, rest: str = "", workspace_id: UUID | None = None) -> str:
        """The address of something in the workspace: path("/tasks")."""
        return f"/api/v1/workspaces/{workspace_id or self.workspace.id}{rest}"


@asynccontextmanager
async def running(
    dsn: str, *, timing: Timing | None = None, pool_size: int = 10, body_seconds: float = 30.0, **options: Any
) -> AsyncIterator[RunningServer]:
    """A server on the migrated database `dsn`, from its first answer to its orderly end; `options` are settings."""
    pool = await pools.connect(dsn, size=pool_size)
    try:
        organization = await store.create_organization(pool, "Test")
        workspace = await store.create(pool, organization.id, name="Web", prefix="WEB")
        assert workspace is not None
        async with listening(dsn, pool, timing or Timing(), body_seconds, **options) as url:
            yield RunningServer(url=url, pool=pool, organization=organization, workspace=workspace)
    finally:
        await pool.close()


@asynccontextmanager
async def second(
    dsn: str, first: RunningServer, *, timing: Timing | None = None, **options: Any
) -> AsyncIterator[RunningServer]:
    """Another server on the database of `first`, as another process would be: they share nothing else."""
    pool = await pools.connect(dsn, size=5)
    try:
        async with listening(dsn, pool, timing or Timing(), **options) as url:
            yield replace(first, url=url, pool=pool)
    finally:
        await pool.close()


@asynccontextmanager
async def listening(
    dsn: str, pool: Pool, timing: Timing, body_seconds: float = 30.0, **options: Any
) -> AsyncIterator[str]:
    """The address of an application that answers."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as `serving.listen` does
    settings = Settings(
        data=Path("/nonexistent"),
        database_url=dsn,
        timing=timing,
        body_seconds=body_seconds,
        port=bound.getsockname()[1],
        **options,
    )
    hub = Hub()
    config = uvicorn.Config(
        create_app(settings, pool, dsn, hub=hub),
        log_config=None,
        access_log=False,
        lifespan="on",
        http="httptools",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve(sockets=[bound]))  # without its signal handlers
    try:
        async with asyncio.timeout(STARTING):
            while not server.started:
                if serving.done():
                    await serving
                    raise RuntimeError("the server ended while it started")
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        hub.close()
        server.should_exit = True
        await serving
        bound.close()
