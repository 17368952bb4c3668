"""A proxy between a machine and a server that keeps every byte of the machine. Shares no code with the product."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Recorded:
    """One request as it crossed."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Recording:
    """Everything that was sent to `url`, connection by connection."""

    url: str = ""
    connections: list[bytearray] = field(default_factory=list)

    @property
    def traffic(self) -> bytes:
        """All bytes. The requests of one connection stand behind each other as they were sent."""
        return b"\n\x00\n".join(bytes(one) for one in self.connections)

    def requests(self) -> list[Recorded]:
        return [request for one in self.connections for request in parsed(bytes(one))]


@asynccontextmanager
async def recording(server: str) -> AsyncIterator[Recording]:
    """Listen on loopback and pass everything on to `server`."""
    kept = Recording()
    there = urlsplit(server)
    open_: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = bytearray()
        kept.connections.append(sent)
        upstream_reader, upstream_writer = await asyncio.open_connection(there.hostname, there.port)
        await asyncio.gather(pass_on(reader, upstream_writer, sent), pass_on(upstream_reader, writer, None))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        open_.add(task)
        task.add_done_callback(open_.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    kept.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield kept
    finally:
        listener.close()
        for task in list(open_):
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None) -> None:
    try:
        while data := await reader.read(65_536):
            if kept is not None:
                kept += data
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # one of the two has hung up, and the other hears of it
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def parsed(sent: bytes) -> list[Recorded]:
    """The requests of one connection. Whatever is not one is an error: nothing may cross unread."""
    found = []
    while sent:
        head, end, rest = sent.partition(b"\r\n\r\n")
        assert end, f"half a request: {sent[:200]!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        assert version == "HTTP/1.1"
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        assert "transfer-encoding" not in headers
        length = int(headers.get("content-length", "0"))
        assert len(rest) >= length, "half a body"
        found.append(Recorded(method, target, headers, rest[:length]))
        sent = rest[length:]
    return found
