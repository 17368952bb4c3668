"""Open pages: how soon a change is at every one of very many event streams of one server, and what they weigh.

The reader of all streams is one Python process beside the server, so that its work on an event is in the times, too.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from bench import control
from bench.control import Plane
from bench.latency import connected
from bench.measure import Measure, at_most, percentile
from bench.memory import held
from locus.server.auth import store
from locus.server.auth.secrets import hashed, hint, new_secret
from locus.wire.workspaces import Purpose

STREAMS = 1000
CHANGES = 50
PER_KEY = 10  # streams that one key may have open
PAUSE = 0.1  # seconds between two changes
OPENING = 60.0  # seconds in which all must stand
ARRIVING = 30.0  # seconds in which a change must be everywhere
CREATED = b"event: task.created"


@dataclass
class Arrivals:
    """When each change was seen, by the clock of the measurement."""

    expected: int
    seen: list[float] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self) -> None:
        self.seen.append(time.perf_counter())
        if len(self.seen) == self.expected:
            self.complete.set()

    def next(self) -> None:
        self.seen, self.complete = [], asyncio.Event()


async def measure(*, streams: int = STREAMS, changes: int = CHANGES) -> list[Measure]:
    """Open `streams` streams, then create `changes` tasks, one after another."""
    taken: list[float] = []
    async with control.running() as plane, AsyncExitStack() as open_streams:
        before = held(plane.pid)
        arrivals = Arrivals(streams)
        secrets = [await key(plane) for _ in range(-(-streams // PER_KEY))]
        async with asyncio.timeout(OPENING):
            for number in range(streams):
                reader = await open_streams.enter_async_context(stream(plane, secrets[number // PER_KEY]))
                task = asyncio.create_task(follow(reader, arrivals))
                open_streams.callback(task.cancel)
        writer = await open_streams.enter_async_context(connected(plane))
        for number in range(changes):
            await asyncio.sleep(PAUSE)
            began = time.perf_counter()
            await writer.post("/tasks", {"title": f"Task {number}", "sprint_id": plane.sprint_id})
            async with asyncio.timeout(ARRIVING):
                await arrivals.complete.wait()
            taken += [seen - began for seen in arrivals.seen]
            arrivals.next()
        after = held(plane.pid)
    many = f"{streams:,} streams"
    return [
        Measure(f"change to {many}, median", percentile(taken, 0.5) * 1000, "ms"),
        Measure(
            f"change to {many}, p99",
            percentile(taken, 0.99) * 1000,
            "ms",
            at_most(500),
            note=f"{changes} changes, each seen by every stream; from before its request is sent",
        ),
        Measure(f"server with {many}, peak", after.peak, "MB", at_most(200), f"without any: {before.resident:.1f} MB"),
    ]


async def key(plane: Plane) -> str:
    """The secret of one more key that may read the workspace."""
    secret = new_secret()
    organization = await plane.database.fetchval("SELECT organization_id FROM workspaces LIMIT 1")
    await store.create(
        plane.database,
        organization,
        plane.workspace_id,
        name="reader",
        purpose=Purpose.READ,
        key_hash=hashed(secret),
        hint=hint(secret),
        days=1,
    )
    return secret


@asynccontextmanager
async def stream(plane: Plane, secret: str) -> AsyncIterator[asyncio.StreamReader]:
    """An event stream that stands.

    Raises:
        RuntimeError: the server refused it.
    """
    reader, writer = await asyncio.open_connection(plane.host, plane.port)
    try:
        head = f"GET {plane.path}/events/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(answer.decode(errors="replace"))
        await reader.readuntil(b"id: ")
        yield reader
    finally:
        writer.close()


async def follow(reader: asyncio.StreamReader, arrivals: Arrivals) -> None:
    """Note every task that a stream tells of."""
    while True:
        line = await reader.readline()
        if not line:
            return
        if line.startswith(CREATED):
            arrivals.note()
