"""A sequencer and a hub beside the tests' database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.server.dispatch.ground import Ground, Worker, ground as new_ground

from locus.server.db.pool import Pool
from locus.server.events import sequencer
from locus.server.events.hub import Hub


@contextlib.asynccontextmanager
async def beside(*works: object) -> AsyncIterator[None]:
    """Keep these coroutines running for the block; one that ends is an error."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        yield
        assert not any(task.done() for task in tasks), tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def ground(pool: Pool) -> Ground:
    """A workspace with an active sprint and no tasks."""
    return await new_ground(pool)


@pytest.fixture
async def worker(ground: Ground) -> Worker:
    """An agent with a key of its own."""
    return await ground.worker()


@pytest.fixture
async def numbering(ground: Ground, dsn: str) -> AsyncIterator[None]:
    """A sequencer that numbers what the test's own log writes."""
    async with beside(sequencer.run(ground.log, dsn)):
        yield


@pytest.fixture
async def hub(ground: Ground, dsn: str) -> AsyncIterator[Hub]:
    """A hub that listens."""
    hub = Hub()
    async with beside(hub.listen(dsn)):
        yield hub
        hub.close()
