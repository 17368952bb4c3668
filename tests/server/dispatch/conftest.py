"""Ground for the tests of dispatch."""

import pytest
from tests.server.dispatch.ground import Ground, Worker, ground as new_ground

from locus.server.db.pool import Pool


@pytest.fixture
async def ground(pool: Pool) -> Ground:
    """A workspace with an active sprint and no tasks."""
    return await new_ground(pool)


@pytest.fixture
async def worker(ground: Ground) -> Worker:
    """An agent with a key of its own."""
    return await ground.worker()
