"""One browser for every test of the dashboard, and a furnished workspace for each module."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext
from tests.support import browser as browsers, server as servers, showroom
from tests.support.browser import Watched
from tests.support.people import SomebodySignedIn, somebody
from tests.support.postgres import Databases
from tests.support.server import RunningServer
from tests.support.showroom import Showroom

from locus.wire.workspaces import MemberRole


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser of this test session; Chromium must be installed."""
    async with browsers.chromium() as browser:
        yield browser


@dataclass(frozen=True)
class Ground:
    """A server with a workspace in the middle of a sprint, its owner, and the browser."""

    server: RunningServer
    browser: Browser
    ada: SomebodySignedIn
    room: Showroom

    def open(
        self, who: SomebodySignedIn | None = None, **options: Any
    ) -> AbstractAsyncContextManager[tuple[BrowserContext, Watched]]:
        """A browser of Ada's, or of somebody else; `options` are Playwright's."""
        return browsers.context(self.browser, self.server, who or self.ada, **options)

    async def join(self, name: str, role: MemberRole = MemberRole.MEMBER) -> SomebodySignedIn:
        """Another person in the organization, signed in."""
        return await somebody(self.server, role, name=name)


@pytest.fixture(scope="module")
async def ground(databases: Databases, browser: Browser) -> AsyncIterator[Ground]:
    """One furnished workspace for the tests of a module: each uses tasks of its own."""
    async with databases.one() as dsn, servers.running(dsn) as server:
        ada = await somebody(server)
        async with ada.client(server) as api:
            room = await showroom.furnish(server, api)
        yield Ground(server, browser, ada, room)
