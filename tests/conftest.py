"""Fixtures for everybody: a database of one's own."""

import signal
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.support import postgres, server as servers
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.server.db import pool as pools
from locus.server.db.pool import Pool
from locus.wire.workspaces import Purpose, Workspace

# A shell starts what it puts into the background with SIGINT ignored, nohup with SIGHUP, and children inherit that:
# every test that presses Ctrl+C or closes a terminal would wait for nothing.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    """The test session's cluster."""
    async with postgres.session() as databases:
        yield databases


@pytest.fixture
async def dsn(databases: Databases) -> AsyncIterator[str]:
    """An empty, migrated database of this test's own."""
    async with databases.one() as dsn:
        yield dsn


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """Connections to this test's database."""
    pool = await pools.connect(dsn, size=10)
    yield pool
    await pool.close()


@pytest.fixture
async def server(dsn: str) -> AsyncIterator[RunningServer]:
    """The real application on this test's database, over HTTP."""
    async with servers.running(dsn) as server:
        yield server


@pytest.fixture
async def api(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key that may do everything in the server's organization."""
    async with server.client(await server.key(Purpose.ADMIN)) as client:
        yield client


@pytest.fixture
def workspace(server: RunningServer) -> Workspace:
    """The server's workspace, WEB."""
    return server.workspace
