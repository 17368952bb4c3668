"""Work beside the requests: each task runs until the server ends, and is started again when it fails."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

logger = logging.getLogger("locus.background")

FIRST_PAUSE = 0.5  # seconds before a failed task is started again; doubled with every failure
LONGEST_PAUSE = 15.0

Work = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def running(works: Mapping[str, Work]) -> AsyncIterator[None]:
    """Keep every work going inside the block, and end all of them after it."""
    tasks = [asyncio.create_task(keep(name, work), name=name) for name, work in works.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def keep(name: str, work: Work) -> None:
    pause = FIRST_PAUSE
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await work()
            return
        except Exception:
            # The edge of the server: a failure here has no request that could be told of it.
            logger.exception("%s failed and is started again", name)
        if asyncio.get_running_loop().time() - began > LONGEST_PAUSE:
            pause = FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
