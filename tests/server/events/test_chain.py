"""Numbered events are a chain that somebody else can verify, and the database refuses to change them."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given, strategies as st
from tests.server.dispatch.ground import Ground, ground as new_ground
from tests.server.events.conftest import beside
from tests.support.polling import until
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.server.db import migrate as migrations, pool as pools
from locus.server.db.pool import Pool
from locus.server.events import chain, sequencer
from locus.server.events.log import SYSTEM, Actor, Log, record
from locus.wire.audit import canonical
from locus.wire.events import ActorKind, EventDetail, EventKind


def broken_at(lines: list[Any]) -> int | None:
    """The first event that breaks the chain: written from the description alone, without a line of the product."""
    previous = bytes(32)
    for line in lines:
        text = json.dumps(line["event"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(previous + text.encode()).digest()
        if previous.hex() != line["hash"]:
            return int(line["event"]["seq"])
    return None


async def exported(api: httpx.AsyncClient, path: str) -> list[Any]:
    answer = await api.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in answer.text.split("\n")[:-1]]


async def write(log: Log, ground: Ground, count: int, *, actor: Actor = SYSTEM) -> None:
    for number in range(count):
        async with log.transaction() as db:
            detail = EventDetail(number=number, title="Ünï “quoted” \\ \u202e \x1b[31m", fields=["title"])
            await record(db, ground.workspace_id, EventKind.TASK_EDITED, actor, detail=detail)


async def chained(ground: Ground, count: int) -> bool:
    return await ground.pool.fetchval("SELECT count(*) FROM events WHERE hash IS NOT NULL") == count


async def test_what_happens_over_http_is_a_chain_that_others_can_verify(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    for title in ("One", "Zwei – “drei”", "a < b & c"):
        assert (await api.post(server.path("/tasks"), json={"title": title})).status_code == 201

    async def all_there() -> bool:
        return len(await exported(api, server.path("/events/export"))) == 3

    await until(all_there)
    lines = await exported(api, server.path("/events/export"))

    assert [line["event"]["seq"] for line in lines] == [1, 2, 3]
    assert [line["event"]["detail"]["title"] for line in lines] == ["One", "Zwei – “drei”", "a < b & c"]
    assert broken_at(lines) is None
    assert await exported(api, server.path("/events/export?after=2")) == lines[2:]


async def test_every_changed_removed_or_moved_event_breaks_the_chain(ground: Ground, dsn: str) -> None:
    async with beside(sequencer.run(ground.log, dsn)):
        await write(ground.log, ground, 6)
        await until(lambda: chained(ground, 6))
    lines = await trail(ground)

    assert broken_at(lines) is None
    for at in range(6):
        changed = json.loads(json.dumps(lines))
        changed[at]["event"]["actor_name"] = "mallory"
        assert broken_at(changed) == at + 1
        if at < 5:
            assert broken_at(lines[:at] + lines[at + 1 :]) == at + 2
            assert broken_at([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]) == at + 2


async def trail(ground: Ground) -> list[Any]:
    pages = [page async for page in chain.export(ground.pool, ground.workspace_id, 0)]
    return [json.loads(line) for line in b"".join(pages).split(b"\n")[:-1]]


async def test_each_workspace_has_a_chain_of_its_own_over_batches_and_restarts(ground: Ground, dsn: str) -> None:
    others = [ground, await new_ground(ground.pool), await new_ground(ground.pool)]
    for round_ in range(1, 4):
        for one in others:
            await write(ground.log, one, round_, actor=Actor(ActorKind.PERSON, "ada", one.workspace_id))
        async with beside(sequencer.run(ground.log, dsn)):
            total = 3 * sum(range(round_ + 1))
            await until(lambda total=total: chained(ground, total))  # type: ignore[misc]

    for one in others:
        lines = await trail(one)
        assert [line["event"]["seq"] for line in lines] == list(range(1, 7))
        assert {line["event"]["workspace_id"] for line in lines} == {str(one.workspace_id)}
        assert broken_at(lines) is None


async def test_two_sequencers_at_once_leave_one_whole_chain(ground: Ground, dsn: str) -> None:
    """The lock forbids it; should it be lost, one of the two is refused and nothing is numbered twice."""
    await write(ground.log, ground, 50)
    first, second = [await pools.dedicated(dsn, application_name="locus-rival") for _ in range(2)]
    waiting = await first.fetch(sequencer.UNNUMBERED, 1000)
    assert len(waiting) == 50

    async def blocked() -> bool:
        sql = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'locus-rival' AND wait_event_type = 'Lock'"
        )
        return await ground.pool.fetchval(sql) == 1

    async with first.transaction():
        head = sequencer.Head()
        for row in waiting:
            head.take(row)
            await first.execute(sequencer.NUMBER, row["workspace_id"], row["id"], head.seq, head.hash)
        rival = asyncio.create_task(sequencer.number(second))
        await until(blocked)
        await first.execute(sequencer.RAISE, [ground.workspace_id], [head.seq], [head.hash])
    with pytest.raises(asyncpg.PostgresError, match="never changed"):
        await rival
    assert await sequencer.number(second) == 0
    await first.close()
    await second.close()

    assert broken_at(await trail(ground)) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor_name = 'mallory' WHERE seq = 2",
        "UPDATE events SET seq = 9 WHERE seq = 2",
        "UPDATE events SET seq = NULL WHERE seq = 2",
        "UPDATE events SET hash = NULL WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
        "TRUNCATE events",
        "TRUNCATE workspaces CASCADE",
    ],
)
async def test_the_database_refuses_to_change_a_numbered_event(ground: Ground, dsn: str, statement: str) -> None:
    async with beside(sequencer.run(ground.log, dsn)):
        await write(ground.log, ground, 3)
        await until(lambda: chained(ground, 3))

    with pytest.raises(asyncpg.PostgresError, match="never changed or removed"):
        await ground.pool.execute(statement)

    assert broken_at(await trail(ground)) is None


async def test_history_ends_with_its_workspace(ground: Ground, dsn: str) -> None:
    other = await new_ground(ground.pool)
    async with beside(sequencer.run(ground.log, dsn)):
        for one in (ground, other):
            await write(ground.log, one, 2)
        await until(lambda: chained(ground, 4))

    await ground.pool.execute("DELETE FROM workspaces WHERE id = $1", ground.workspace_id)

    assert await ground.pool.fetchval("SELECT count(*) FROM events") == 2
    assert broken_at(await trail(other)) is None


async def test_an_older_sequencer_cannot_number_past_the_chain(ground: Ground) -> None:
    await write(ground.log, ground, 1)

    with pytest.raises(asyncpg.CheckViolationError):
        await ground.pool.execute("UPDATE events SET seq = 1")


async def test_events_from_before_the_chain_stay_and_the_chain_begins_after_them(databases: Databases) -> None:
    older = [one for one in migrations.load() if one.version < 3]
    async with databases.one(migrated=False) as dsn:
        await migrations.migrate(dsn, older)
        pool: Pool = await pools.connect(dsn, size=2)
        ground = await new_ground(pool)
        await pool.execute("DELETE FROM events")
        await write(ground.log, ground, 2)
        await pool.execute("UPDATE events SET seq = id - (SELECT min(id) FROM events) + 1")
        await pool.execute("INSERT INTO event_heads (workspace_id, seq) VALUES ($1, 2)", ground.workspace_id)

        await migrations.migrate(dsn)
        async with beside(sequencer.run(ground.log, dsn)):
            await write(ground.log, ground, 2)
            await until(lambda: chained(ground, 2))
        lines = await trail(ground)
        await pool.close()

    assert [line["event"]["seq"] for line in lines] == [1, 2, 3, 4]
    assert [line["hash"] is None for line in lines] == [True, True, False, False]
    assert broken_at(lines[2:]) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_the_one_form_of_an_event_is_what_plain_json_tools_make_of_it(value: Any) -> None:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return  # half of a pair: PostgreSQL keeps no such text

    assert canonical(value) == encoded


def test_the_oracle_of_this_module_knows_nothing_of_the_product() -> None:
    source = Path(__file__).read_text()
    oracle = source[source.index("def broken_at") : source.index("async def exported")]

    assert not {"canonical", "link", "locus"} & set(oracle.replace("(", " ").split())
