"""Starting a child of Python code in a test, and waiting for it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

from locus.local.process import Child, base_environment

ENVIRONMENT = base_environment(os.environ)


@asynccontextmanager
async def child(code: str, cwd: Path, marker: str, stdin: bytes | None = None) -> AsyncIterator[Child]:
    """Start Python code as a child, and end it whatever the test does."""
    started = await Child.start(
        [sys.executable, "-c", dedent(code)], cwd=cwd, env=ENVIRONMENT, stdin=stdin, marker=marker
    )
    try:
        yield started
    finally:
        await started.end(grace=0)
        started.close()


async def within(seconds: float, work: Awaitable[object]) -> float:
    """Await something, fail when it takes longer, and return how long it took."""
    begin = time.monotonic()
    async with asyncio.timeout(seconds):
        await work
    return time.monotonic() - begin


async def all_lines(child: Child) -> list[bytes]:
    return [line async for line in child.lines()]
