"""Reading contents in children: a grammar that crashes or hangs on a file costs that file, and nothing else."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from locus.local import process
from locus.local.codemap.digest import UNREADABLE, Digest, Source
from locus.local.process import base_environment

CHILDREN = 2  # at once
BATCH = 2 << 20  # bytes of content for one child
MOST = 1_000  # contents for one child
PATIENCE = 30.0  # seconds for one child
ANSWER = 64 << 20  # bytes

Batch = Sequence[tuple[bytes, Source]]


async def digests(sources: Batch) -> AsyncIterator[list[tuple[bytes, Digest]]]:
    """Read contents, each under a key; what is done comes in parts, in no certain order."""
    batches = _batches(sources)
    free = asyncio.Semaphore(CHILDREN)

    async def one(batch: Batch) -> list[tuple[bytes, Digest]]:
        async with free:
            return await _read(batch)

    tasks = [asyncio.create_task(one(batch)) for batch in batches]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(batch: Batch) -> list[tuple[bytes, Digest]]:
    """Read a batch in a child; when that fails, its halves, down to the content that is to blame."""
    done = await process.run(
        [sys.executable, "-I", "-m", "locus.local.codemap.digest"],
        cwd=Path("/"),
        env=base_environment(os.environ),
        stdin=msgspec.msgpack.encode([source for _, source in batch]),
        timeout=PATIENCE,
        limit=ANSWER,
    )
    if done.ok and not done.truncated:
        found = msgspec.msgpack.decode(done.stdout, type=list[Digest])
        return [(key, digest) for (key, _), digest in zip(batch, found, strict=True)]
    if len(batch) == 1:
        return [(batch[0][0], Digest(note=UNREADABLE))]
    half = len(batch) // 2
    return [*await _read(batch[:half]), *await _read(batch[half:])]


def _batches(sources: Batch) -> Sequence[Batch]:
    batches: list[list[tuple[bytes, Source]]] = []
    size = BATCH
    for key, source in sources:
        if size >= BATCH or len(batches[-1]) >= MOST:
            batches.append([])
            size = 0
        batches[-1].append((key, source))
        size += len(source.content)
    return batches
