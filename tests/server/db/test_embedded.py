"""The embedded cluster in good times: start, share, stop."""

import asyncio
import os
import shutil
import signal
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.server.db import clusters
from tests.server.db.clusters import another_user, remember, remembered, runs, server, value
from tests.support import postgres

from locus.server.db import home, source
from locus.server.db.embedded import ensure, remove, stop
from locus.server.db.errors import DatabaseUnavailable

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="what only root has to do")


@pytest.fixture
def base() -> Iterator[Path]:
    with postgres.directory() as base:
        yield base


@pytest.fixture
async def data(base: Path) -> AsyncIterator[Path]:
    """A directory that does not exist yet; nothing runs in it after the test."""
    data = base / "data"
    yield data
    await stop(data)


async def test_a_directory_that_does_not_exist_becomes_a_database(data: Path) -> None:
    cluster = await ensure(data)

    assert cluster.started
    assert await value(cluster.dsn(), "SELECT current_database()") == "locus"
    await cluster.close()


async def test_committed_rows_survive_a_stop(data: Path) -> None:
    cluster = await ensure(data)
    await remember(cluster)
    await cluster.close()
    assert not runs(cluster.home)

    again = await ensure(data)

    assert again.started
    assert await remembered(again)
    await again.close()


async def test_it_is_reached_through_a_private_socket_only_and_loses_no_commit(data: Path) -> None:
    cluster = await ensure(data)

    assert await value(cluster.dsn(), "SHOW listen_addresses") == ""
    assert await value(cluster.dsn(), "SHOW synchronous_commit") == "on"
    assert await value(cluster.dsn(), "SHOW fsync") == "on"
    for private in (cluster.home.cluster, cluster.home.sockets):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert server(cluster.home).net_connections(kind="inet") == []
    await cluster.close()


async def test_text_is_ordered_by_code_point_and_folded_beyond_ascii(data: Path) -> None:
    cluster = await ensure(data)

    assert await value(cluster.dsn(), "SELECT array_agg(c ORDER BY c) FROM unnest('{b,B,a,ä}'::text[]) c") == [
        *("B", "a", "b", "ä")
    ]
    assert await value(cluster.dsn(), "SELECT 'ÄRGER' ILIKE 'ärger'") is True
    await cluster.close()


async def test_a_running_cluster_is_found_and_not_started_again(data: Path) -> None:
    first = await ensure(data)
    pid = server(first.home).pid

    second = await ensure(data)

    assert not second.started
    assert server(second.home).pid == pid
    await first.close()
    await second.close()


async def test_the_last_user_stops_the_server_and_no_other(data: Path) -> None:
    first = await ensure(data)
    other = await another_user(data)
    assert not other.started

    await first.close()
    assert runs(first.home)
    assert await value(other.dsn, "SELECT 1") == 1

    await other.leave()
    assert not runs(first.home)


async def test_closing_twice_stops_nobody_elses_server(data: Path) -> None:
    first = await ensure(data)
    await first.close()
    second = await ensure(data)

    await first.close()

    assert await value(second.dsn(), "SELECT 1") == 1
    await second.close()


async def test_six_processes_at_once_on_an_empty_directory_share_one_server(data: Path) -> None:
    users = await asyncio.gather(*(another_user(data) for _ in range(6)))

    assert [user.started for user in users].count(True) == 1
    identities = {await value(user.dsn, "SELECT pg_postmaster_start_time()") for user in users}
    assert len(identities) == 1
    await asyncio.gather(*(user.leave() for user in users))
    assert not runs(home.locate(data))


async def test_a_killed_user_leaves_a_server_that_the_next_one_finds_and_stops(data: Path) -> None:
    killed = await another_user(data)
    assert killed.started
    await killed.kill()

    cluster = await ensure(data)

    assert not cluster.started
    await cluster.close()
    assert not runs(cluster.home)


async def test_ctrl_c_in_the_terminal_does_not_reach_the_server(data: Path) -> None:
    user = await another_user(data)
    process = server(home.locate(data))

    assert os.getsid(process.pid) != os.getsid(user.process.pid)
    assert os.getpgid(process.pid) != os.getpgid(user.process.pid)
    await user.leave()


async def test_a_detached_server_outlives_its_users_until_it_is_stopped(data: Path) -> None:
    detached = await ensure(data, detach=True)
    await detached.close()
    user = await another_user(data)
    await user.leave()
    assert await value(detached.dsn(), "SELECT 1") == 1

    assert await stop(data)

    assert not runs(detached.home)
    assert not await stop(data)


async def test_stopping_what_never_existed_makes_nothing(base: Path) -> None:
    assert not await stop(base / "nothing")
    assert not (base / "nothing").exists()


@pytest.mark.parametrize("moment", ["cluster.new-*/PG_VERSION", "cluster/postmaster.pid"], ids=["initdb", "launch"])
async def test_a_start_that_is_cancelled_leaves_no_server(data: Path, moment: str) -> None:
    task = asyncio.create_task(ensure(data))
    assert await home.becomes_true(lambda: bool(list(data.glob(moment))), limit=30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert "initdb" not in clusters.programs_at_work(data)
    assert await home.becomes_true(lambda: not clusters.programs_at_work(data), limit=10)
    lock = home.Lock(data / "users")
    assert lock.try_alone()
    lock.release()


async def test_the_servers_environment_is_not_ours(data: Path) -> None:
    user = await another_user(data, environment={"GITHUB_TOKEN": "secret", "PGDATA": "/nowhere"})

    assert not {"GITHUB_TOKEN", "PGDATA", "HOME"} & server(home.locate(data)).environ().keys()
    await user.leave()


async def test_pg_variables_move_neither_the_server_nor_its_clients(data: Path) -> None:
    hostile = {
        "PGPORT": "6000",
        "PGHOST": "elsewhere.example",
        "PGDATA": "/nowhere",
        "PGUSER": "somebody",
        "PGDATABASE": "something",
        "PGSSLMODE": "verify-full",
        "PGOPTIONS": "-c fsync=off",
        "PGTARGETSESSIONATTRS": "standby",
    }
    user = await another_user(data, environment=hostile)

    before = {name: os.environ.get(name) for name in hostile}
    os.environ.update(hostile)
    try:
        assert await value(user.dsn, "SHOW port") == "5432"
        assert await value(user.dsn, "SHOW fsync") == "on"
    finally:
        for name, old in before.items():
            if old is None:
                del os.environ[name]
            else:
                os.environ[name] = old
    await user.leave()


async def test_a_path_too_long_for_a_socket_gets_a_short_private_one(base: Path) -> None:
    data = base / ("long" * 30) / "data"
    cluster = await ensure(data)

    assert await value(cluster.dsn(), "SELECT 1") == 1
    assert not cluster.home.sockets.is_relative_to(base)
    assert stat.S_IMODE(cluster.home.sockets.stat().st_mode) == 0o700
    found = await ensure(data)
    assert not found.started
    await found.close()
    await cluster.close()
    await remove(data)
    assert not cluster.home.sockets.exists()
    assert not data.exists()


async def test_a_socket_directory_that_others_may_enter_is_refused(data: Path) -> None:
    cluster = await ensure(data)
    await cluster.close()
    cluster.home.sockets.chmod(0o755)

    with pytest.raises(DatabaseUnavailable, match="private"):
        await ensure(data)


@pytest.mark.parametrize("too_many", [0, 1])
async def test_a_socket_path_is_used_up_to_its_last_byte(base: Path, too_many: int) -> None:
    fill = home.LONGEST_SOCKET - len(os.fsencode(base)) - len(f"//run/{home.SOCKET}")
    data = base / ("x" * (fill + too_many))
    cluster = await ensure(data)

    assert cluster.home.sockets.is_relative_to(base) is (not too_many)
    assert await value(cluster.dsn(), "SELECT 1") == 1
    await cluster.close()
    await remove(data)


async def test_the_source_is_embedded_unless_an_address_is_given(data: Path) -> None:
    found = await source.resolve(None, data)

    assert await value(found.dsn, "SELECT 1") == 1
    assert str(data.resolve()) in str(found)
    await found.close()
    assert found.cluster
    assert not runs(found.cluster.home)

    given = await source.resolve("postgresql://me:hunter2@db.example/locus", data)
    assert given == source.Source("postgresql://me:hunter2@db.example/locus", None)
    assert str(given) == "PostgreSQL at db.example:5432"
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL"):
        await source.resolve("mysql://me@db.example/locus", data)


async def test_a_database_of_another_name_is_made_when_it_is_asked_for(data: Path) -> None:
    first = await ensure(data)
    second = await ensure(data, database='odd "name"')

    assert await value(second.dsn('odd "name"'), "SELECT current_database()") == 'odd "name"'
    await first.close()
    await second.close()


@AS_ROOT
async def test_root_runs_it_as_an_unprivileged_account(data: Path) -> None:
    cluster = await ensure(data)

    assert cluster.home.account
    assert server(cluster.home).uids().effective == cluster.home.account.uid != 0
    assert server(cluster.home).gids().effective == cluster.home.account.gid != 0
    await cluster.close()


@AS_ROOT
async def test_a_private_parent_stays_private_and_the_database_works(base: Path) -> None:
    parent = base / "private"
    parent.mkdir(mode=0o700)
    cluster = await ensure(parent / "data")
    await remember(cluster)
    await cluster.close()

    again = await ensure(parent / "data")

    assert await remembered(again)
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    assert parent.stat().st_uid == 0
    await again.close()
    await remove(parent / "data")
    assert not again.home.root.exists()
    assert list(parent.iterdir()) == []


@AS_ROOT
async def test_what_belonged_to_temporary_data_that_is_gone_is_swept_away_and_nothing_else(base: Path) -> None:
    parent = base / "private"
    parent.mkdir(mode=0o700)
    kept, gone = await ensure(parent / "kept"), await ensure(parent / "gone")
    await remember(kept)
    await kept.close()
    await gone.close()
    shutil.rmtree(parent / "gone")

    other = await ensure(parent / "other")

    assert not gone.home.root.exists()
    again = await ensure(parent / "kept")
    assert await remembered(again)
    for cluster in (again, other):
        await cluster.close()
        await remove(cluster.home.data)


@AS_ROOT
def test_two_servers_that_sweep_at_once_do_not_disturb_each_other(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Path.glob

    def slower(place: Path, pattern: str) -> Iterator[Path]:
        """The other one has deleted what this one has just seen."""
        yield place / f"{home.ELSEWHERE}gone"
        yield from found(place, pattern)

    monkeypatch.setattr(Path, "glob", slower)
    (base / "private").mkdir(mode=0o700)

    located = home.locate(base / "private" / "data")

    assert located.root.is_dir() and located.root != located.data
    located.delete()


@AS_ROOT
async def test_an_unprivileged_user_needs_no_other_account(base: Path) -> None:
    nobody, python = clusters.nobody_who_can_run_us()
    (base / "his").mkdir()
    os.chown(base / "his", nobody, -1)

    user = await another_user(base / "his" / "data", uid=nobody, python=python)

    assert user.started
    assert stat.S_IMODE((base / "his" / "data").stat().st_mode) == 0o700
    await user.leave()


async def test_a_server_that_is_just_stopping_is_waited_for_and_started_again(data: Path) -> None:
    cluster = await ensure(data)
    server(cluster.home).send_signal(signal.SIGINT)

    again = await ensure(data)

    assert await value(again.dsn(), "SELECT 1") == 1
    await cluster.close()
    await again.close()
