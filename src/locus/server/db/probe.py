"""Whether a PostgreSQL answers on a socket. A process id proves nothing: it may be a zombie's, or somebody else's."""

import asyncio
import struct
from enum import Enum, auto
from pathlib import Path

PROTOCOL = 196608  # version 3.0
NOT_NOW = b"57P03"  # starting up, shutting down or recovering
NO_SUCH_DATABASE = b"3D000"


class State(Enum):
    ABSENT = auto()  # nobody listens
    NOT_NOW = auto()  # a server that is starting, stopping or recovering, or too busy to say which
    NO_DATABASE = auto()  # a server, without this database
    READY = auto()


async def probe(socket: Path, *, user: str, database: str, limit: float = 2.0) -> State:
    """Begin a session at the socket and see what comes back, for at most `limit` seconds.

    Raises:
        PermissionError: the socket is not ours to use.
    """
    fields = {"user": user, "database": database, "application_name": "locus-probe"}
    body = b"".join(f"{key}\0{value}\0".encode() for key, value in fields.items()) + b"\0"
    try:
        async with asyncio.timeout(limit):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(struct.pack("!ii", len(body) + 8, PROTOCOL) + body)
                return await _first_answer(reader)
            finally:
                writer.close()
    except (FileNotFoundError, ConnectionRefusedError):
        return State.ABSENT
    except (TimeoutError, BlockingIOError, ConnectionError, asyncio.IncompleteReadError):
        # A full backlog, or a server that went away in the middle: somebody was there a moment ago.
        return State.NOT_NOW


async def _first_answer(reader: asyncio.StreamReader) -> State:
    """The verdict. Wait for ReadyForQuery: PostgreSQL authenticates before it looks for the database."""
    while True:
        kind, length = struct.unpack("!ci", await reader.readexactly(5))
        content = await reader.readexactly(length - 4)
        if kind == b"E":
            codes = [field[1:] for field in content.split(b"\0") if field[:1] == b"C"]
            if NOT_NOW in codes:
                return State.NOT_NOW
            return State.NO_DATABASE if NO_SUCH_DATABASE in codes else State.READY
        if kind == b"Z":
            return State.READY
