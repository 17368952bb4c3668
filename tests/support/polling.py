"""Waiting for a fact, with a limit: never for a time."""

import asyncio
from collections.abc import Awaitable, Callable

LIMIT = 10.0  # seconds


async def until(fact: Callable[[], Awaitable[bool]], *, limit: float = LIMIT) -> None:
    """Ask again and again until the fact holds; TimeoutError after `limit` seconds."""
    async with asyncio.timeout(limit):
        while not await fact():
            await asyncio.sleep(0.01)
