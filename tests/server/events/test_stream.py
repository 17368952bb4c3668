"""The event stream over HTTP: each event once, in order, for everybody who may see it and nobody else."""

import asyncio
import random
import time
from uuid import uuid4

import httpx
import pytest
from tests.server.dispatch.ground import Ground
from tests.server.events.reading import reading
from tests.support.polling import until
from tests.support.server import RunningServer, running

from locus.server.errors import Unauthorized
from locus.server.events import stream
from locus.server.events.feed import QUEUED, Feeds, Numbered, Subscription
from locus.server.events.hub import Hub
from locus.server.events.log import SYSTEM, Log, record
from locus.server.events.stream import PER_KEY, Streams
from locus.wire.events import EventDetail, EventKind
from locus.wire.workspaces import Purpose

STREAM = "/events/stream"


async def write(log: Log, server: RunningServer, count: int = 1) -> None:
    for _ in range(count):
        async with log.transaction() as db:
            await record(db, server.workspace.id, EventKind.DOC_EDITED, SYSTEM, detail=EventDetail(title="a\nb < c"))


async def head(server: RunningServer) -> int:
    return await server.pool.fetchval(
        "SELECT coalesce((SELECT seq FROM event_heads WHERE workspace_id = $1), 0)", server.workspace.id
    )


async def numbered(server: RunningServer, count: int) -> None:
    async def reached() -> bool:
        return await head(server) >= count

    await until(reached)


async def test_a_reader_gets_what_was_and_what_comes(server: RunningServer, api: httpx.AsyncClient) -> None:
    log = Log(server.pool)
    await write(log, server, 3)
    await numbered(server, 3)
    async with reading(api, server.path(STREAM), after=1) as reader:
        before = [(await anext(reader)).seq for _ in range(2)]
        await write(log, server, 2)
        after = [await anext(reader) for _ in range(2)]

    assert before == [2, 3]
    assert [event.seq for event in after] == [4, 5]
    assert after[0].detail.title == "a\nb < c"


async def test_a_reader_that_names_nothing_begins_now_and_knows_where_it_is(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    log = Log(server.pool)
    await write(log, server, 3)
    await numbered(server, 3)
    async with reading(api, server.path(STREAM)) as reader:
        lines = [await reader.line() for _ in range(3)]
        await write(log, server)
        event = await anext(reader)

    assert lines == ["retry: 1000", "id: 3", ""]
    assert event.seq == 4


async def test_the_last_event_id_outranks_the_address(server: RunningServer, api: httpx.AsyncClient) -> None:
    await write(Log(server.pool), server, 4)
    await numbered(server, 4)
    async with reading(api, server.path(STREAM), after=0, last=3) as reader:
        assert (await anext(reader)).seq == 4


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "٣", "9" * 30])
async def test_a_last_event_id_that_is_no_number_is_refused_by_name(
    server: RunningServer, api: httpx.AsyncClient, last: str
) -> None:
    response = await api.get(server.path(STREAM), headers={b"Last-Event-ID": last.encode()})

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "Last-Event-ID"


async def test_a_number_that_has_not_happened_is_a_conflict(server: RunningServer, api: httpx.AsyncClient) -> None:
    response = await api.get(server.path(STREAM), params={"after": 999})

    assert (response.status_code, response.json()["code"]) == (409, "ahead")


async def test_readers_with_broken_connections_see_every_event_of_32_writers_once_and_in_order(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    log, total = Log(server.pool), 32 * 10

    async def writer(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(10):
            await write(log, server)
            await asyncio.sleep(chance.random() / 50)

    async def follow(seed: int) -> list[int]:
        chance, got, last = random.Random(seed), [], 0
        while len(got) < total:
            async with reading(api, server.path(STREAM), last=last) as reader:
                for _ in range(chance.randint(1, 60) if seed else total):  # one of them holds its connection
                    got.append((await anext(reader)).seq)
                    if len(got) == total:
                        break
                last = reader.last
        return got

    async with asyncio.timeout(60):
        *seen, _ = await asyncio.gather(*(follow(seed) for seed in range(4)), asyncio.gather(*map(writer, range(32))))

    assert all(got == list(range(1, total + 1)) for got in seen)


async def test_a_foreign_workspaces_stream_is_not_found(server: RunningServer, api: httpx.AsyncClient) -> None:
    foreign = await server.foreign()

    theirs = await api.get(server.path(STREAM, foreign.id))
    missing = await api.get(server.path(STREAM, uuid4()))

    assert theirs.status_code == missing.status_code == 404
    assert theirs.content == missing.content


async def test_events_of_another_workspace_do_not_appear(server: RunningServer, api: httpx.AsyncClient) -> None:
    foreign = await server.foreign()
    async with reading(api, server.path(STREAM)) as reader:
        async with server.pool.acquire() as db:
            await record(db, foreign.id, EventKind.DOC_EDITED, SYSTEM)
        await write(Log(server.pool), server)

        assert (await anext(reader)).workspace_id == server.workspace.id


async def test_a_revoked_key_loses_its_open_stream_within_five_seconds(server: RunningServer) -> None:
    secret = await server.key(Purpose.READ, name="reader")
    async with server.client(secret) as client, reading(client, server.path(STREAM)) as reader:
        await write(Log(server.pool), server)
        await anext(reader)
        await server.pool.execute("UPDATE api_keys SET revoked_at = clock_timestamp() WHERE name = 'reader'")
        began = time.monotonic()
        async with asyncio.timeout(10):
            with pytest.raises(StopAsyncIteration):
                await anext(reader)

    assert time.monotonic() - began < 5


async def test_a_key_may_have_ten_streams_and_gets_a_place_back_when_one_ends(server: RunningServer) -> None:
    async with server.client(await server.key(Purpose.READ)) as client:
        opened = [reading(client, server.path(STREAM)) for _ in range(PER_KEY)]
        for one in opened:
            await one.__aenter__()
        refused = await client.get(server.path(STREAM))
        await opened.pop().__aexit__(None, None, None)

        async def free() -> bool:
            async with client.stream("GET", server.path(STREAM)) as response:
                return response.status_code == 200

        await until(free)
        for one in opened:
            await one.__aexit__(None, None, None)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")


async def test_streams_end_when_the_server_stops(dsn: str) -> None:
    starting = running(dsn)
    server = await starting.__aenter__()
    async with server.client(await server.key()) as client, reading(client, server.path(STREAM)) as reader:
        await reader.line()
        stopping = asyncio.create_task(starting.__aexit__(None, None, None))

        async with asyncio.timeout(5):
            with pytest.raises(StopAsyncIteration):
                await anext(reader)
    await stopping


async def test_silence_is_broken_by_a_comment(ground: Ground, hub: Hub) -> None:
    frames = Streams(ground.pool, hub, comment=0.02).read(ground.workspace_id, uuid4(), None, allowed)

    assert [await anext(frames) for _ in range(4)][2:] == [stream.STILL_HERE] * 2
    await frames.aclose()


async def allowed() -> None:
    return None


async def test_what_a_reader_has_seen_elsewhere_does_not_come_again() -> None:
    resumed = Subscription(5)

    resumed.push([Numbered(seq, b"%d " % seq) for seq in (4, 5, 6, 7)])

    assert await resumed.take(0.1) == b"6 7 "


async def test_a_reader_that_does_not_read_is_let_go_and_costs_no_more_than_its_queue() -> None:
    slow = Subscription(0)
    slow.push([Numbered(seq, b"x") for seq in range(1, QUEUED + 1)])
    assert not slow.ended

    slow.push([Numbered(QUEUED + 1, b"x")])

    assert slow.ended
    assert await slow.take(0.1) == b""


async def test_a_reader_that_was_let_go_misses_nothing_when_it_comes_back(
    ground: Ground, hub: Hub, numbering: None
) -> None:
    async with Feeds(ground.pool, hub).subscribe(ground.workspace_id) as slow:
        await ground.pool.execute(
            """
            INSERT INTO events (workspace_id, kind, actor_kind, actor_name)
            SELECT $1, 'doc.edited', 'system', 'locus' FROM generate_series(1, 700)
            """,
            ground.workspace_id,
        )

        async def let_go() -> bool:
            return slow.ended

        await until(let_go)
    frames = Streams(ground.pool, hub).read(ground.workspace_id, uuid4(), 0, allowed)
    seen = b""
    async with asyncio.timeout(10):
        while seen.count(b"data: ") < 700:
            seen += await anext(frames)
    await frames.aclose()

    ids = [int(line[4:]) for line in seen.decode().splitlines() if line.startswith("id: ")]
    assert ids[1:] == list(range(1, 701))


async def test_a_feed_reads_for_all_its_readers_and_ends_with_the_last(ground: Ground, hub: Hub) -> None:
    feeds = Feeds(ground.pool, hub)
    async with feeds.subscribe(ground.workspace_id), feeds.subscribe(ground.workspace_id):
        running = [task for task in asyncio.all_tasks() if task.get_name() == f"events of {ground.workspace_id}"]
        assert len(running) == 1

    await asyncio.gather(*running, return_exceptions=True)
    assert running[0].cancelled()


async def test_the_check_of_a_key_ends_only_a_stream_whose_key_is_bad(ground: Ground, hub: Hub) -> None:
    async def revoked() -> None:
        raise Unauthorized("no")

    frames = Streams(ground.pool, hub).read(ground.workspace_id, uuid4(), None, revoked)
    async with asyncio.timeout(5):
        assert [frame async for frame in frames] == [b"", stream.OPENING % 0]
