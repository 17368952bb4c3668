"""Bringing the schema up to the program: numbered SQL files, each applied once and whole, by one process at a time."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg
from asyncpg import Record

from locus.server.db import pool
from locus.server.db.errors import DatabaseIsNewer, DatabaseUnavailable, MigrationChanged, MigrationFailed

LOCK = 0x6C6F6375735F6462  # of PostgreSQL's advisory locks: "locus_db"
WAIT = 60.0  # seconds for another process that is migrating
FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

MAKE_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version     integer PRIMARY KEY,
        name        text NOT NULL,
        checksum    text NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""
APPLIED = "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version"
RECORD = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)"


@dataclass(frozen=True)
class Migration:
    """One file: its number, the rest of its name, and its SQL."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the SQL, the same for every kind of line end."""
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.version:04d}_{self.name}"


@dataclass(frozen=True)
class Applied:
    """One row of schema_migrations."""

    version: int
    name: str
    checksum: str
    applied_at: datetime


def load(folder: Traversable | None = None) -> list[Migration]:
    """The migrations in `folder`, by default the program's own, in order.

    Raises:
        ValueError: two have the same number, or a .sql file is not named NNNN_what_it_does.sql.
    """
    found: dict[int, Migration] = {}
    for file in (folder or files("locus.server.db.migrations")).iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = FILE_NAME.fullmatch(file.name)
        if not match:
            raise ValueError(f"{file.name} is not named like 0001_what_it_does.sql.")
        migration = Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
        if twin := found.get(migration.version):
            raise ValueError(f"{migration} and {twin} have the same number.")
        found[migration.version] = migration
    return [found[version] for version in sorted(found)]


async def migrate(dsn: str, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is pending and return the names of what was applied. Any number of processes may do so at once.

    Args:
        migrations: the whole history in order; by default the program's own.

    Raises:
        DatabaseIsNewer, MigrationChanged: the database has another history; nothing was changed.
        MigrationFailed: PostgreSQL refused one; those before it are applied, nothing of it was kept.
        DatabaseUnavailable: the database does not answer, or another process did not finish.
    """
    known = load() if migrations is None else migrations
    connection = await pool.dedicated(dsn, application_name="locus-migrate", lock_timeout=WAIT)
    try:
        done: list[str] = []
        while (name := await _apply_next(connection, known)) is not None:
            done.append(name)
        return done
    except asyncpg.LockNotAvailableError as error:
        raise DatabaseUnavailable(
            f"Another process has been changing the schema for {WAIT:.0f} seconds.",
            remedy="Wait until it is done, or look for it in pg_stat_activity (application locus-migrate).",
        ) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise pool.unreachable(dsn, error) from error
    finally:
        await connection.close(timeout=5)


async def pending(dsn: str, migrations: Sequence[Migration] | None = None) -> list[str]:
    """The names of what `migrate` would apply. Changes nothing; raises the same errors."""
    known = load() if migrations is None else migrations
    connection = await pool.dedicated(dsn, application_name="locus-migrate")
    try:
        if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
            return [str(migration) for migration in known]
        return [str(migration) for migration in _missing(await _applied(connection), known)]
    finally:
        await connection.close(timeout=5)


async def _apply_next(connection: "asyncpg.Connection[Record]", known: Sequence[Migration]) -> str | None:
    """Apply one migration in a transaction of its own, or find that there is none left."""
    async with connection.transaction():
        # Of the transaction, not of the session: it also holds behind a pooler, and no crash can leave it behind.
        await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.execute("SET LOCAL client_min_messages = warning")
        await connection.execute(MAKE_TABLE)
        missing = _missing(await _applied(connection), known)
        if not missing:
            return None
        migration = missing[0]
        try:
            await connection.execute(migration.sql)
        except asyncpg.PostgresError as error:
            raise _failed(migration, error) from error
        await connection.execute(RECORD, migration.version, migration.name, migration.checksum)
        return str(migration)


async def _applied(connection: "asyncpg.Connection[Record]") -> list[Applied]:
    return [Applied(*row) for row in await connection.fetch(APPLIED)]


def _missing(applied: Sequence[Applied], known: Sequence[Migration]) -> list[Migration]:
    """What is known and not applied, after the two histories have been compared."""
    by_version = {migration.version: migration for migration in known}
    for row in applied:
        migration = by_version.get(row.version)
        if migration is None:
            raise DatabaseIsNewer(
                f"The database has the migration {row.version:04d}_{row.name} of {row.applied_at:%Y-%m-%d}, "
                "which this program does not know: a newer Locus has used it.",
                remedy="Upgrade Locus, or restore a backup from before that migration.",
            )
        if migration.checksum != row.checksum:
            raise MigrationChanged(
                f"The migration {migration} was applied on {row.applied_at:%Y-%m-%d} and has been changed since.",
                remedy="Restore the file as it was released, and put the change into a new migration.",
            )
    done = {row.version for row in applied}
    return [migration for migration in known if migration.version not in done]


def _failed(migration: Migration, error: asyncpg.PostgresError) -> MigrationFailed:
    position = getattr(error, "position", None)
    line = f", line {migration.sql[: int(position) - 1].count(chr(10)) + 1}" if position else ""
    return MigrationFailed(
        f"PostgreSQL refused the migration {migration}{line}: {error}",
        remedy="Nothing of it was kept. Mend the cause and start again.",
    )
