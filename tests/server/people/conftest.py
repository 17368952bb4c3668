"""A server with a mail server beside it, shared by the tests of a file: each test has people of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import httpx
import pytest
from tests.support import mails, server as servers
from tests.support.mails import Postbox
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.wire.workspaces import Organization, Workspace


@dataclass
class Town:
    """A server where people come by invitation, another one on the same database where anybody may, and their mail."""

    server: RunningServer
    open: RunningServer
    postbox: Postbox
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def address(self, name: str = "somebody") -> str:
        """An e-mail address that nobody has used."""
        return f"{name}{next(self._numbers)}@example.org"

    async def organization(self) -> tuple[Organization, Workspace]:
        """An organization of a test's own, with one workspace."""
        workspace = await self.server.foreign()
        row = await self.server.pool.fetchrow(
            "SELECT id, name, created_at FROM organizations WHERE id = $1", workspace.organization_id
        )
        assert row is not None
        return Organization(**dict(row)), workspace

    def visitor(self, server: RunningServer | None = None) -> httpx.AsyncClient:
        """A browser of somebody who is not signed in. It sends what browsers send with a form."""
        client = (server or self.server).client()
        client.headers["Sec-Fetch-Site"] = "same-origin"
        return client


@pytest.fixture(scope="module")
async def town(databases: Databases) -> AsyncIterator[Town]:
    """The people's server."""
    async with (
        databases.one() as dsn,
        mails.taking() as (postbox, relay),
        servers.running(dsn, relay=relay) as server,
        servers.second(dsn, server, relay=relay, sign_up="open") as open_one,
    ):
        yield Town(server, open_one, postbox)
