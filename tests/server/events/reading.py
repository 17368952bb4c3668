"""A reader of the event stream over real HTTP, as a browser is one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import msgspec

from locus.wire.events import Event


@dataclass
class Reader:
    """What arrives on one stream. `last` is what a browser would send as Last-Event-ID."""

    lines: AsyncIterator[str]
    last: int = 0

    async def __anext__(self) -> Event:
        """The next event; StopAsyncIteration when the server has ended the stream."""
        seq, data = 0, ""
        async for line in self.lines:
            if line.startswith("id: "):
                seq = int(line[4:])
            elif line.startswith("data: "):
                data = line[6:]
            elif line == "" and seq:
                self.last = seq
                if data:
                    event = msgspec.json.decode(data, type=Event)
                    assert event.seq == seq
                    return event
                seq = 0
        raise StopAsyncIteration

    def __aiter__(self) -> "Reader":
        return self

    async def line(self) -> str:
        """The next line as it is."""
        return await anext(self.lines)


@asynccontextmanager
async def reading(
    client: httpx.AsyncClient, path: str, *, after: int | None = None, last: int | None = None
) -> AsyncIterator[Reader]:
    """An open stream; leaving the block breaks the connection."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    params = {} if after is None else {"after": after}
    async with client.stream("GET", path, params=params, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Reader(response.aiter_lines())
