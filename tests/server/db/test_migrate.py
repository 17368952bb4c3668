import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from tests.support.postgres import Databases

from locus.server.db import migrate as migrations
from locus.server.db.errors import DatabaseIsNewer, DatabaseUnavailable, MigrationChanged, MigrationFailed
from locus.server.db.migrate import Migration, migrate, pending

ONE = Migration(1, "first", "CREATE TABLE first (n integer); INSERT INTO first VALUES (1);")
TWO = Migration(2, "second", "INSERT INTO first VALUES (2);")


@pytest.fixture
async def empty(databases: Databases) -> AsyncIterator[str]:
    async with databases.one(migrated=False) as dsn:
        yield dsn


async def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_the_program_brings_a_schema_that_an_empty_database_takes(empty: str) -> None:
    every = [str(migration) for migration in migrations.load()]

    assert await pending(empty) == every
    assert await migrate(empty) == every
    assert every
    assert await pending(empty) == []
    assert await migrate(empty) == []


async def test_each_migration_is_applied_once_and_in_order(empty: str) -> None:
    assert await migrate(empty, [ONE]) == ["0001_first"]
    assert await pending(empty, [ONE, TWO]) == ["0002_second"]
    assert await migrate(empty, [ONE, TWO]) == ["0002_second"]

    assert await rows(empty, "SELECT n FROM first ORDER BY n") == [(1,), (2,)]
    assert await rows(empty, "SELECT version, name, checksum FROM schema_migrations ORDER BY version") == [
        (1, "first", ONE.checksum),
        (2, "second", TWO.checksum),
    ]


async def test_asking_what_is_pending_changes_nothing(empty: str) -> None:
    await pending(empty, [ONE])

    assert await rows(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


async def test_eight_at_once_apply_each_migration_once(empty: str) -> None:
    slow = Migration(1, "slow", "SELECT pg_sleep(0.2); CREATE TABLE first (n integer);")

    answers = await asyncio.gather(*(migrate(empty, [slow, TWO]) for _ in range(8)))

    assert sorted(name for answer in answers for name in answer) == ["0001_slow", "0002_second"]
    assert await rows(empty, "SELECT n FROM first") == [(2,)]


async def test_a_changed_migration_is_refused_and_nothing_is_applied(empty: str) -> None:
    await migrate(empty, [ONE])
    changed = replace(ONE, sql=ONE.sql + " -- better")

    for attempt in (migrate, pending):
        with pytest.raises(MigrationChanged, match="0001_first"):
            await attempt(empty, [changed, TWO])
    assert await rows(empty, "SELECT n FROM first") == [(1,)]


async def test_a_line_end_is_no_change(empty: str) -> None:
    unix = Migration(1, "first", "CREATE TABLE first\n(n integer);\n")
    await migrate(empty, [unix])

    assert await migrate(empty, [replace(unix, sql=unix.sql.replace("\n", "\r\n"))]) == []


async def test_a_database_of_a_newer_program_is_refused(empty: str) -> None:
    await migrate(empty, [ONE, TWO])

    for attempt in (migrate, pending):
        with pytest.raises(DatabaseIsNewer, match="0002_second") as caught:
            await attempt(empty, [ONE])
        assert "Upgrade" in caught.value.remedy


async def test_a_failing_migration_keeps_those_before_it_and_nothing_of_itself(empty: str) -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (n integer);\n\nINSERT INTO nowhere VALUES (1);")

    with pytest.raises(MigrationFailed, match=r"0002_broken, line 3: .*nowhere"):
        await migrate(empty, [ONE, broken])

    assert await pending(empty, [ONE, TWO]) == ["0002_second"]
    assert await rows(empty, "SELECT to_regclass('half')::text") == [(None,)]


async def test_a_migration_may_take_longer_than_a_request(empty: str) -> None:
    asks = Migration(1, "asks", "CREATE TABLE asked AS SELECT current_setting('statement_timeout') AS limit_;")

    await migrate(empty, [asks])

    assert await rows(empty, "SELECT limit_ FROM asked") == [("0",)]


async def test_a_database_that_does_not_answer_is_a_message() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1"):
        await migrate("postgresql://me@127.0.0.1:1/locus", [ONE])


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_a.sql", "0001_b.sql"], "same number"),
        (["1_a.sql"], "not named like"),
        (["0001_A.sql"], "not named like"),
    ],
)
def test_a_folder_of_migrations_that_is_ambiguous_is_refused(tmp_path: Path, names: list[str], complaint: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")

    with pytest.raises(ValueError, match=complaint):
        migrations.load(tmp_path)


def test_a_folder_of_migrations_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for name in ("0010_c.sql", "0002_b.sql", "0001_a.sql", "__init__.py", "readme.txt"):
        (tmp_path / name).write_text("SELECT 1;")

    assert [str(migration) for migration in migrations.load(tmp_path)] == ["0001_a", "0002_b", "0010_c"]
