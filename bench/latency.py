"""Latency: from the request that creates a task to the answer of the claim that waited for one."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import msgspec

from bench import control
from bench.control import Plane
from bench.measure import Measure, at_most, percentile

TASKS = 300
WAITING = (1, 50)  # workers that wait at once
WAIT_MS = 30_000


@dataclass
class Line:
    """A keep-alive connection with the least that HTTP needs."""

    plane: Plane
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, path: str, body: object) -> bytes:
        """The body of the answer.

        Raises:
            RuntimeError: the server refused; with what it said.
        """
        content = msgspec.json.encode(body)
        head = (
            f"POST {self.plane.path}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.plane.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.writer.write(head.encode() + content)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer[answer.index(b"content-length: ") + 16 :].split(b"\r\n", 1)[0])
        said = await self.reader.readexactly(length)
        if not answer.startswith(b"http/1.1 20"):
            raise RuntimeError(said.decode())
        return said


class Lease(msgspec.Struct):
    task_id: UUID


class Claimed(msgspec.Struct):
    lease: Lease | None


async def measure(*, tasks: int = TASKS, waiting: Sequence[int] = WAITING) -> list[Measure]:
    """For one idle worker, and for a crew of them; `tasks` times each."""
    found = []
    async with control.running() as plane:
        for workers in waiting:
            await plane.fill(0)
            taken = await _pickups(plane, workers, tasks)
            crew = "1 worker waits" if workers == 1 else f"{workers} workers wait"
            found += [
                Measure(f"new task to claimed task, {crew}, median", percentile(taken, 0.5) * 1000, "ms"),
                Measure(f"new task to claimed task, {crew}, p99", percentile(taken, 0.99) * 1000, "ms", at_most(500)),
            ]
    return found


async def _pickups(plane: Plane, workers: int, tasks: int) -> list[float]:
    arrived: asyncio.Queue[tuple[UUID, float]] = asyncio.Queue()

    async def work(agent: UUID) -> None:
        async with connected(plane) as line:
            while True:
                said = await line.post("/dispatch/claim", {"agent_id": agent, "wait_ms": WAIT_MS})
                claimed = msgspec.json.decode(said, type=Claimed)
                if claimed.lease is not None:
                    arrived.put_nowait((claimed.lease.task_id, time.perf_counter()))

    crew = [asyncio.create_task(work(agent)) for agent in plane.agents[:workers]]
    chance, taken = random.Random(1), []
    async with connected(plane) as person:
        for number in range(tasks):
            await asyncio.sleep(0.02 + chance.random() / 20)  # whoever worked has begun to wait again
            began = time.perf_counter()
            await person.post("/tasks", {"title": f"Task {number}", "sprint_id": plane.sprint_id})
            taken.append((await arrived.get())[1] - began)
    for one in crew:
        one.cancel()
    await asyncio.gather(*crew, return_exceptions=True)
    return taken


@asynccontextmanager
async def connected(plane: Plane) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(plane.host, plane.port)
    try:
        yield Line(plane, reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()
