"""A machine with a bot for each test; the server's database is the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support import telegram_bot
from tests.support.server import RunningServer
from tests.support.telegram_bot import Rig


@pytest.fixture
async def rig(tmp_path: Path, server: RunningServer) -> AsyncIterator[Rig]:
    """A bot that is set up, with one person on its list; not started."""
    async with telegram_bot.rig(tmp_path, server) as rig:
        yield rig


@pytest.fixture
async def bot(rig: Rig) -> Rig:
    """The same, at work."""
    await rig.start()
    return rig
