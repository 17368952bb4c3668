"""A workshop for every test of the worker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.server import RunningServer
from tests.support.workshop import Workshop, workshop


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Workshop]:
    """An active sprint, a repository with a remote, and agents that are small programs."""
    async with workshop(server, tmp_path / "shop") as made:
        yield made
