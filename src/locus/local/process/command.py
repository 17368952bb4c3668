"""A command whose end is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from locus.local.process import tree
from locus.local.process.child import Child
from locus.local.process.enclosure import Enclosure
from locus.local.process.exits import Completed
from locus.local.process.pipes import Kept, collect

OUTPUT_LIMIT = 8 << 20  # bytes
GRACE = 2.0  # seconds a command has to remove its lock files when its time is up


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes | None = None,
    timeout: float,
    limit: int = OUTPUT_LIMIT,
    marker: str | None = None,
    enclosure: Enclosure | None = None,
) -> Completed:
    """Run a command to its end and return what it printed.

    `timeout` is in seconds; when it is over, the command and its descendants are ended. `limit` is in bytes, for
    stdout and stderr each. With a `marker` nothing that the command started outlives it; without one, daemons that
    it leaves behind (a credential cache, a shared ssh connection) live on.
    Raises CannotStart. When cancelled, the command and its descendants are ended first.
    """
    child = await Child.start(
        argv,
        cwd=cwd,
        env=env,
        stdin=stdin,
        marker=marker or tree.UNSUPERVISED,
        stderr_limit=limit,
        enclosure=enclosure,
    )
    stdout = Kept(limit)
    reading = asyncio.create_task(collect(child.stdout, stdout))
    timed_out = completed = False
    try:
        try:
            async with asyncio.timeout(timeout):
                exit_ = await child.wait()
        except TimeoutError:
            timed_out = True
            await child.end(grace=GRACE)
            exit_ = await child.wait()
        if marker is not None:
            await child.end(grace=0.0)
        await reading
        await child.stderr_read()
        completed = True
    finally:
        reading.cancel()
        if not completed:
            await child.end(grace=0.0)
        child.close()
    stderr = child.stderr
    return Completed(exit_, stdout.value(), stderr.value(), stdout.truncated or stderr.truncated, timed_out)
