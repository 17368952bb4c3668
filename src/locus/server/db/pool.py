"""Connections to PostgreSQL: a pool without its reset query, transactions, and one name for every kind of outage."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

import asyncpg
import msgspec
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from locus.server.db.errors import DatabaseDown, DatabaseUnavailable

OLDEST = 14  # major version of PostgreSQL
CONNECT = 5.0  # seconds for one connection
WAIT = 5.0  # seconds that a request waits for a connection of the pool
ANSWER = 15.0  # seconds after which a silent server is given up; longer than any timeout it keeps itself

# A connection of the pool or one of its own, inside a transaction or not.
Connection: TypeAlias = "PoolConnectionProxy[Record] | asyncpg.Connection[Record]"


class Db(Protocol):
    """What a store needs: the pool, where each statement is a transaction of its own, or a connection in one.

    JSON and JSONB columns arrive as msgspec.Raw: put them into a wire type as they are, or decode them into the type
    they have. As an argument, bytes and Raw are JSON already; anything else is encoded by msgspec.
    """

    async def fetch(self, query: str, *args: Any) -> list[Record]: ...
    async def fetchrow(self, query: str, *args: Any) -> Record | None: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...
    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...


class Pool:
    """A pool of connections. Every failure that is PostgreSQL's state and not ours is raised as DatabaseDown."""

    def __init__(self, pool: "asyncpg.Pool[Record]") -> None:
        self._pool = pool

    # The three that every request uses are written out: a context manager costs a third of a small statement.

    async def fetch(self, query: str, *args: Any) -> list[Record]:
        connection = await self._take()
        try:
            return await connection.fetch(query, *args)
        except SUSPECTS as error:
            if down := _outage(error, connection):
                raise down from error
            raise
        finally:
            await self._pool.release(connection)

    async def fetchrow(self, query: str, *args: Any) -> Record | None:
        connection = await self._take()
        try:
            return await connection.fetchrow(query, *args)
        except SUSPECTS as error:
            if down := _outage(error, connection):
                raise down from error
            raise
        finally:
            await self._pool.release(connection)

    async def fetchval(self, query: str, *args: Any) -> Any:
        connection = await self._take()
        try:
            return await connection.fetchval(query, *args)
        except SUSPECTS as error:
            if down := _outage(error, connection):
                raise down from error
            raise
        finally:
            await self._pool.release(connection)

    async def execute(self, query: str, *args: Any) -> str:
        async with self.acquire() as connection:
            return await connection.execute(query, *args)

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        async with self.acquire() as connection:
            await connection.executemany(command, args)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection for several statements, each a transaction of its own. Do database work only."""
        connection = await self._take()
        try:
            yield connection
        except SUSPECTS as error:
            if down := _outage(error, connection):
                raise down from error
            raise
        finally:
            await self._pool.release(connection)

    async def _take(self) -> "PoolConnectionProxy[Record]":
        try:
            # A timer costs as much as taking a connection that is free.
            return await self._pool.acquire(timeout=None if self._pool.get_idle_size() else WAIT)
        except TimeoutError as error:
            raise DatabaseDown("Every connection to the database is busy. Try again.") from error
        except SUSPECTS as error:
            raise DatabaseDown("The database does not answer. Try again.") from error

    async def close(self) -> None:
        """Wait a moment for the connections in use, then end all of them."""
        try:
            async with asyncio.timeout(WAIT):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @property
    def size(self) -> int:
        """How many connections are open."""
        return self._pool.get_size()

    @property
    def idle(self) -> int:
        """How many open connections nobody uses."""
        return self._pool.get_idle_size()


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction: committed when the block ends, undone when it raises."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


async def connect(dsn: str, *, size: int, application_name: str = "locus") -> Pool:
    """A pool of at most `size` connections.

    Raises:
        DatabaseUnavailable: nothing usable answers at this address; the message does not repeat the password.
    """
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            max_queries=10_000_000,
            init=_set_codecs,
            # asyncpg still ends a transaction left open. Its usual query resets settings, cursors, locks and listeners,
            # none of which a connection of this pool is given, and costs as much as a claim.
            reset=_nothing_to_reset,
            timeout=CONNECT,
            command_timeout=ANSWER,
            server_settings=_settings(application_name, statement_ms=5_000, lock_ms=2_000),
        )
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise unreachable(dsn, error) from error
    async with pool.acquire() as connection:
        version = connection.get_server_version()
    if version.major < OLDEST:
        await pool.close()
        raise DatabaseUnavailable(
            f"{place(dsn)} is PostgreSQL {version.major}; Locus needs {OLDEST} or newer.",
            remedy="Upgrade it, or set DATABASE_URL to a newer one.",
        )
    return Pool(pool)


async def dedicated(
    dsn: str, *, application_name: str, statement_timeout: float = 0.0, lock_timeout: float = 0.0
) -> "asyncpg.Connection[Record]":
    """A connection of its own, for who listens, holds an advisory lock or migrates; timeouts in seconds, 0 is none.

    Raises:
        DatabaseUnavailable: nothing usable answers at this address.
    """
    settings = _settings(
        application_name, statement_ms=round(statement_timeout * 1000), lock_ms=round(lock_timeout * 1000)
    )
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT, server_settings=settings)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise unreachable(dsn, error) from error
    await _set_codecs(connection)
    return connection


def place(dsn: str) -> str:
    """Where a dsn leads, in words and without its password."""
    try:
        parts = urlsplit(dsn)
        if parts.hostname:
            return f"PostgreSQL at {parts.hostname}:{parts.port or 5432}"
    except ValueError:
        return "PostgreSQL at DATABASE_URL"
    return "PostgreSQL on its socket"


def unreachable(dsn: str, error: Exception) -> DatabaseUnavailable:
    """The error for a first connection that failed."""
    reason = "it did not answer in time" if isinstance(error, TimeoutError) else (str(error) or type(error).__name__)
    return DatabaseUnavailable(
        f"{place(dsn)} cannot be used: {reason}.".replace("..", "."),
        remedy="Check that it runs, and the host, user, password and database in DATABASE_URL.",
    )


def _settings(application_name: str, *, statement_ms: int, lock_ms: int) -> dict[str, str]:
    return {
        "application_name": application_name,
        "statement_timeout": str(statement_ms),
        "lock_timeout": str(lock_ms),
        # Sessions that forget a transaction hold back vacuum, and with it the speed of every claim.
        "idle_in_transaction_session_timeout": "10000",
        "timezone": "UTC",
    }


# What may be a sign of an outage; _outage looks closer.
SUSPECTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

# Errors that say something about PostgreSQL's state and nothing about the statement, by SQLSTATE or its class.
# 25006: after a failover, the connection leads to the standby.
_DOWN = ("57P01", "57P02", "57P03", "57P05", "25006")
_DOWN_CLASSES = ("08", "53", "58")
# It answers, but not in time: a statement or a lock took too long, or two transactions wait for each other.
_BUSY = ("57014", "55P03", "40001", "40P01", "25P03", "25P04")


def _outage(error: Exception, connection: Connection) -> DatabaseDown | None:
    """The outage that an error is a sign of, or None when it is a mistake of the statement."""
    code = getattr(error, "sqlstate", None) or ""
    if code in _BUSY or isinstance(error, TimeoutError):
        return DatabaseDown("The database is too busy to answer in time. Try again.")
    if code in _DOWN or code[:2] in _DOWN_CLASSES or _gone(connection):
        return DatabaseDown("The database does not answer. Try again.")
    return None


def _gone(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has already taken the dead connection back


async def _nothing_to_reset(_: object) -> None:
    return None


async def _set_codecs(connection: "asyncpg.Connection[Record]") -> None:
    # In the binary format jsonb is JSON text after one byte of version; json is the text alone.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _json(value),
        decoder=lambda data: msgspec.Raw(data[1:]),
        format="binary",
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_json, decoder=lambda data: msgspec.Raw(data), format="binary"
    )


def _json(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | msgspec.Raw) else msgspec.json.encode(value)
