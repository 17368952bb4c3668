"""The only way out of a sandbox whose network is the provider's: an HTTP proxy in the worker that admits few hosts.

The name decides first, then the address that it stands for; the connection goes to that address, so that a second look
at the name cannot lead elsewhere. What is inside of a tunnel is not looked at.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import SplitResult, urlsplit

from locus.local.sandbox.destinations import Destination, admitted

HEAD_LIMIT = 64 << 10  # bytes of a request's head
HEAD_PATIENCE = 30.0  # seconds for it to come
CONNECT_PATIENCE = 20.0  # seconds for a connection to be made
CHUNK = 1 << 16  # bytes
HOP_BY_HOP = ("connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade")

Tell = Callable[[str], None]


class Refused(Exception):
    """A request that is answered with a status and a sentence instead of a connection."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Proxy:
    """Listens on a socket in a folder of its own, from `start` to `close`. `tell` hears of each denied host once."""

    def __init__(self, allowed: Sequence[Destination], tell: Tell) -> None:
        self._allowed = tuple(allowed)
        self._tell = tell
        self._told: set[str] = set()
        self._folder = TemporaryDirectory(prefix="locus-proxy-")
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def socket(self) -> Path:
        return Path(self._folder.name, "proxy")

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self.socket, limit=HEAD_LIMIT)

    async def close(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for connection in self._open:
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._folder.cleanup()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._open.add(connection)
        connection.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, reader, writer)
        except Refused as e:
            body = f"{e}\n".encode()
            head = f"HTTP/1.1 {e.status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            writer.write(head + body)
            await _drained(writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it went away, or never said what it wanted
        finally:
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, version = _request(line)
        if method == "CONNECT":
            host, port = _authority(target)
            there, away = await self._connect(host, port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            parts = _split(target)
            if parts.scheme != "http" or not parts.hostname:
                raise Refused("400 Bad Request", "Locus's proxy takes CONNECT, and http:// addresses in full.")
            there, away = await self._connect(parts.hostname, _port(parts.netloc, 80))
            path = parts._replace(scheme="", netloc="").geturl() or "/"
            kept = [field for field in fields if field.partition(":")[0].strip().lower() not in HOP_BY_HOP]
            # One request a connection: the next one may be for another host.
            lines = [f"{method} {path} {version}", *kept, "Connection: close"]
            away.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        try:
            await _exchange((reader, writer), (there, away))
        finally:
            away.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a host that is allowed, at an address that it may have. Raises Refused."""
        destination = admitted(self._allowed, host, port)
        if destination is None:
            raise self._denied(host, port, "it is not among the hosts that are allowed")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(destination.host, port, type=socket.SOCK_STREAM)
        except OSError as e:
            raise Refused("502 Bad Gateway", f"{host} cannot be found.") from e
        addresses = [str(address[0]).partition("%")[0] for *_, address in found]
        fit = [address for address in dict.fromkeys(addresses) if destination.takes(ip_address(address))]
        if not fit:
            raise self._denied(host, port, f"its address, {addresses[0]}, is not on the internet")
        for address in fit:
            try:
                async with asyncio.timeout(CONNECT_PATIENCE):
                    return await asyncio.open_connection(address, port)
            except (OSError, TimeoutError):
                continue
        raise Refused("502 Bad Gateway", f"{host} does not answer.")

    def _denied(self, host: str, port: int, why: str) -> Refused:
        name = f"{host}:{port}"
        if name not in self._told:
            self._told.add(name)
            self._tell(f"The sandbox kept a program from connecting to {name}: {why}.")
        return Refused("403 Forbidden", f"Locus does not let the sandbox connect to {name}: {why}.")


def _request(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise Refused("400 Bad Request", "This is no request for a proxy.")
    return parts[0].upper(), parts[1], parts[2]


def _authority(text: str) -> tuple[str, int]:
    host = _split(f"//{text}").hostname if not text.startswith("/") else None
    if not host:
        raise Refused("400 Bad Request", "CONNECT needs a host and a port.")
    return host, _port(text, 443)


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as e:
        raise Refused("400 Bad Request", "This is no address.") from e


def _port(authority: str, usual: int) -> int:
    try:
        return urlsplit(f"//{authority}").port or usual
    except ValueError as e:
        raise Refused("400 Bad Request", "This port is no number.") from e


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _exchange(one: Ends, other: Ends) -> None:
    """Copy both ways until both are done, or one breaks."""
    async with asyncio.TaskGroup() as copying:
        copying.create_task(_copy(one[0], other[1]))
        copying.create_task(_copy(other[0], one[1]))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def _drained(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
    except OSError:
        pass
