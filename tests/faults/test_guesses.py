"""Guesses at a code that arrive all at once: as many are looked at as the code allows, and not one more."""

from __future__ import annotations

import asyncio
from typing import Any

from locus.server.auth import codes
from locus.server.db.pool import Pool, transaction

GUESSES = 300


class Counting:
    """The database, and how many guesses it let anybody compare with the code."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.compared = 0

    async def fetchrow(self, *arguments: Any) -> Any:
        row = await self._pool.fetchrow(*arguments)
        self.compared += row is not None and "code" in row
        return row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


async def test_of_hundreds_of_guesses_at_once_only_five_are_compared(pool: Pool) -> None:
    async with transaction(pool) as connection:
        asked = await codes.ask(connection, "ada@example.org", address="127.0.0.1")
    db = Counting(pool)

    proved = await asyncio.gather(*(codes.prove(db, asked.request, f"{n:08d}") for n in range(GUESSES)))  # type: ignore[arg-type]

    assert proved == [None] * GUESSES
    assert db.compared == codes.TRIES == 5
    assert await codes.prove(pool, asked.request, asked.code) is None, "the right one comes too late"
