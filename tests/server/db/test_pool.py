import asyncio
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest
from tests.support import postgres
from tests.support.postgres import FAST, Databases

from locus.server.db import embedded, pool as pools
from locus.server.db.errors import DatabaseDown, DatabaseUnavailable
from locus.server.db.pool import Pool, transaction


@pytest.fixture
async def small(dsn: str) -> AsyncIterator[Pool]:
    """A pool with one connection, so that a test can say which one it gets."""
    pool = await pools.connect(dsn, size=1)
    yield pool
    await pool.close()


async def test_json_arrives_as_it_is_stored_and_is_decoded_into_its_type(pool: Pool) -> None:
    value = {"text": "Map<String, List<int>> – ü", "n": [1, None]}

    for kind in ("json", "jsonb"):
        raw = await pool.fetchval(f"SELECT $1::{kind}", value)

        assert isinstance(raw, msgspec.Raw)
        assert msgspec.json.decode(raw, type=dict[str, object]) == value


async def test_json_that_is_encoded_already_is_not_encoded_again(pool: Pool) -> None:
    assert await pool.fetchval("SELECT $1::jsonb ->> 'a'", b'{"a": "b"}') == "b"
    assert await pool.fetchval("SELECT $1::json ->> 'a'", msgspec.Raw(b'{"a": "b"}')) == "b"


async def test_a_transaction_that_raises_leaves_nothing(pool: Pool) -> None:
    await pool.execute("CREATE TABLE kept (n integer)")
    with pytest.raises(RuntimeError, match="stop"):
        async with transaction(pool) as db:
            await db.execute("INSERT INTO kept VALUES (1)")
            raise RuntimeError("stop")
    async with transaction(pool) as db:
        await db.executemany("INSERT INTO kept VALUES ($1)", [(2,), (3,)])

    assert [row["n"] for row in await pool.fetch("SELECT n FROM kept ORDER BY n")] == [2, 3]


async def test_every_connection_has_its_limits(pool: Pool) -> None:
    wanted = {
        "statement_timeout": "5s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
        "synchronous_commit": "on",
        "application_name": "locus",
        "TimeZone": "UTC",
    }

    for name, value in wanted.items():
        assert await pool.fetchval("SELECT current_setting($1)", name) == value


async def test_a_connection_goes_back_without_another_round_trip(small: Pool) -> None:
    async with small.acquire() as db:
        await db.execute("SET application_name = 'marked'")

    assert await small.fetchval("SELECT current_setting('application_name')") == "marked"


async def test_a_transaction_left_open_does_not_reach_the_next_user(small: Pool) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # asyncpg reports it there
    async with small.acquire() as db:
        await db.execute("BEGIN")
    asyncio.get_running_loop().set_exception_handler(None)

    async with small.acquire() as db:
        assert not db.is_in_transaction()


async def test_a_mistake_in_a_statement_is_not_an_outage(pool: Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await pool.fetch("SELECT * FROM nowhere")
    with pytest.raises(asyncpg.DataError):
        await pool.fetch("SELECT $1::integer", "one")


async def test_a_statement_that_takes_too_long_says_busy(pool: Pool) -> None:
    with pytest.raises(DatabaseDown, match="busy") as caught:
        async with pool.acquire() as db:
            await db.execute("SET statement_timeout = 50")
            await db.execute("SELECT pg_sleep(30)")

    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"]


async def test_a_lock_that_somebody_keeps_says_busy(pool: Pool) -> None:
    await pool.execute("CREATE TABLE wanted (n integer)")
    async with transaction(pool) as holder:
        await holder.execute("LOCK TABLE wanted")

        with pytest.raises(DatabaseDown, match="busy"):
            async with transaction(pool) as db:
                await db.execute("SET LOCAL lock_timeout = 50")
                await db.execute("LOCK TABLE wanted")


async def test_a_connection_that_was_cut_says_down_and_the_next_one_works(pool: Pool, small: Pool) -> None:
    for wrap in (small.acquire, lambda: transaction(small)):
        with pytest.raises(DatabaseDown):
            async with wrap() as db:
                pid = await db.fetchval("SELECT pg_backend_pid()")
                await pool.execute("SELECT pg_terminate_backend($1, 5000)", pid)
                await db.execute("SELECT 1")

        assert await small.fetchval("SELECT 1") == 1


async def test_a_server_that_is_stopped_says_down_and_serves_again_after_a_start() -> None:
    with postgres.directory() as base:
        cluster = await embedded.ensure(base / "data", settings=FAST)
        pool = await pools.connect(cluster.dsn(), size=3)
        assert await pool.fetchval("SELECT 1") == 1

        await embedded.stop(base / "data")
        with pytest.raises(DatabaseDown):
            await pool.fetchval("SELECT 1")
        with pytest.raises(DatabaseDown):
            async with transaction(pool) as db:
                await db.execute("SELECT 1")

        again = await embedded.ensure(base / "data", settings=FAST)
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()
        await again.close()
        await cluster.close()


async def test_an_address_where_nobody_listens_is_a_message_without_the_password() -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        await pools.connect("postgresql://me:hunter2@127.0.0.1:1/locus", size=1)

    assert "127.0.0.1:1" in str(caught.value)
    assert "DATABASE_URL" in caught.value.remedy
    assert "hunter2" not in str(caught.value)


async def test_a_database_that_does_not_exist_is_a_message(databases: Databases) -> None:
    async with databases.one(migrated=False) as dsn:
        pass

    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        await pools.connect(dsn, size=1)


async def test_more_users_than_connections_wait_for_their_turn(small: Pool) -> None:
    answers = await asyncio.gather(*(small.fetchval("SELECT $1::integer", n) for n in range(50)))

    assert answers == list(range(50))
    assert (small.size, small.idle) == (1, 1)
