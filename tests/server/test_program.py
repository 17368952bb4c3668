"""The server program: from its command line to its orderly end. Every test is a real process."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from tests.support.postgres import directory

from locus.server.workspaces.bootstrap import tidy

READY = 60.0  # seconds; a first start makes a database
GONE = 30.0
IDLE_MEMORY = 150 * 2**20  # bytes

PROGRAM = (sys.executable, "-m", "locus.server")


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUS_", "DATABASE_URL"))}
    return {**kept, **extra}


class Program:
    """A server program that runs."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict, log: Path) -> None:
        self.process, self.ready, self._log = process, ready, log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def client(self, secret: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.AsyncClient(base_url=self.ready["url"], headers=headers)

    async def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(GONE):
            return await self.process.wait()


@asynccontextmanager
async def serving(log: Path, *arguments: str, **extra: str) -> AsyncIterator[Program]:
    """`serve` with these arguments, once it is ready; killed at the end unless it has ended."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "serve", "--port", "0", *arguments,
            env=environment(**extra), stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY):
            line = await process.stdout.readline()
        assert line, log.read_text()
        yield Program(process, json.loads(line), log)
        if process.returncode is not None:
            assert await process.stdout.read() == b"", "one line on stdout, and nothing after it"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(*arguments: str, **extra: str) -> tuple[int, str, str]:
    """The exit code, the output and the errors of a command that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments,
        env=environment(**extra), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(READY):
        out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


@pytest.fixture
def data() -> AsyncIterator[Path]:
    with directory() as base:
        yield base / "server"


async def test_an_empty_directory_becomes_a_server_that_keeps_its_data(data: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with serving(log, "--data", str(data), "--bootstrap", "web-app") as program:
        first = program.ready
        assert first["ready"] is True
        assert first["database"] == "embedded"
        assert first["data"] == str(data)
        assert first["workspace"]["prefix"] == "WEBAPP"
        async with program.client(first["key"]) as client:
            me = (await client.get("/api/v1/me")).json()
            made = await client.post(f"/api/v1/workspaces/{first['workspace']['id']}/docs", json={"title": "kept"})
            assert (await client.get("/readyz")).status_code == 200
            await client.get("/api/v1/me?secret=in-a-query")
        assert me["purpose"] == "admin"
        assert made.status_code == 201
        memory = psutil.Process(program.process.pid).memory_info().rss
        assert memory <= IDLE_MEMORY, f"{memory / 2**20:.0f} MiB"
        assert await program.end() == 0
        assert first["key"] not in program.log
        assert "in-a-query" not in program.log
        for line in program.log.splitlines():
            assert json.loads(line)["at"]
    assert not running_from(data)

    async with serving(log, "--data", str(data), "--bootstrap", "another") as program:
        again = program.ready
        assert again["key"] is None
        assert again["workspace"] == first["workspace"]
        async with program.client(first["key"]) as client:
            listed = (await client.get(f"/api/v1/workspaces/{first['workspace']['id']}/docs")).json()
        assert [one["title"] for one in listed["items"]] == ["kept"]
        assert await program.end(signal.SIGINT) == 0

    async with serving(log, "--data", str(data), "--bootstrap", "another", "--mint") as program:
        assert program.ready["key"] not in (None, first["key"])
        async with program.client(program.ready["key"]) as client:
            assert (await client.get("/api/v1/me")).json()["organization"]["name"] == "web-app"
        assert await program.end() == 0


def running_from(data: Path) -> list[str]:
    """Processes that still use a directory."""
    known = psutil.process_iter(["cmdline", "status"])
    lines = [" ".join(one.info["cmdline"] or []) for one in known if one.info["status"] != psutil.STATUS_ZOMBIE]
    return [line for line in lines if str(data) in line]


async def test_a_database_of_ones_own_is_used_and_told(dsn: str, tmp_path: Path) -> None:
    async with serving(tmp_path / "log", "--bootstrap", "x", DATABASE_URL=dsn) as program:
        assert program.ready["database"] == "external"
        async with program.client(program.ready["key"]) as client:
            assert (await client.get("/api/v1/me")).status_code == 200
        assert await program.end() == 0


async def test_two_that_start_at_once_make_one_first_workspace(dsn: str, tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "one", "--bootstrap", "x", DATABASE_URL=dsn) as one,
        serving(tmp_path / "two", "--bootstrap", "x", DATABASE_URL=dsn) as two,
    ):
        assert one.ready["workspace"] == two.ready["workspace"]
        assert (one.ready["key"] is None) != (two.ready["key"] is None)


async def test_requests_that_run_are_finished_before_the_end(dsn: str, tmp_path: Path) -> None:
    async with serving(tmp_path / "log", "--bootstrap", "x", DATABASE_URL=dsn) as program:
        secret, workspace = program.ready["key"], program.ready["workspace"]["id"]
        host, port = program.ready["url"].removeprefix("http://").split(":")
        body = json.dumps({"title": "late"}).encode()
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /api/v1/workspaces/{workspace}/docs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        await writer.drain()
        async with program.client() as client, asyncio.timeout(10):
            while "locus_requests_in_flight 2" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.02)

        program.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while "Waiting for connections to close" not in program.log:
                await asyncio.sleep(0.02)
        writer.write(body)
        status = await asyncio.wait_for(reader.readline(), 10)
        assert b"201" in status
        async with asyncio.timeout(GONE):
            assert await program.process.wait() == 0
        writer.close()


async def test_who_waits_or_streams_is_sent_home_at_the_end(dsn: str, tmp_path: Path) -> None:
    async with serving(tmp_path / "log", "--bootstrap", "x", DATABASE_URL=dsn) as program:
        where = f"/api/v1/workspaces/{program.ready['workspace']['id']}/events/stream"
        async with program.client(program.ready["key"]) as client, client.stream("GET", where) as stream:
            assert stream.status_code == 200
            began = asyncio.get_running_loop().time()
            program.process.send_signal(signal.SIGTERM)
            async for _ in stream.aiter_bytes():
                pass
            assert await program.process.wait() == 0
            assert asyncio.get_running_loop().time() - began < 8  # sooner than running requests are cut off


async def test_a_server_ends_with_the_process_that_started_it(dsn: str, tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec("sleep", "600")
    async with serving(
        tmp_path / "log", "--bootstrap", "x", "--parent-pid", str(parent.pid), DATABASE_URL=dsn
    ) as program:
        parent.kill()
        await parent.wait()
        async with asyncio.timeout(GONE):
            assert await program.process.wait() == 0


async def test_asked_to_end_before_it_is_ready_it_leaves_no_database_running(data: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "serve", "--port", "0", "--data", str(data),
        env=environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(READY):
        # The worst moment: PostgreSQL has just been launched and does not listen to signals yet.
        while not any(f"postgres -D {data}" in line for line in running_from(data)):
            await asyncio.sleep(0)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(GONE):
        out, errors = await process.communicate()

    assert (process.returncode, out) == (0, b""), errors
    async with asyncio.timeout(GONE):
        while running_from(data):
            await asyncio.sleep(0.05)


async def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, errors = await run("serve", "--port", str(port), "--data", str(tmp_path / "never"))

    assert (code, out) == (1, "")
    assert f"127.0.0.1:{port}" in errors
    assert "--port" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("arguments", "extra", "words"),
    [
        (("serve", "--port", "70000"), {}, "--port"),
        (("serve", "--mint"), {}, "--bootstrap"),
        (("serve",), {"LOCUS_SERVER_PORT": "many"}, "LOCUS_SERVER_PORT"),
        (("serve",), {"LOCUS_SERVER_LOG_FORMAT": "xml"}, "LOCUS_SERVER_LOG_FORMAT"),
        (("serve", "--port", "0"), {"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
        (("migrate",), {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "127.0.0.1:1"),
    ],
)
async def test_what_cannot_be_is_told_and_not_a_stack(
    tmp_path: Path, arguments: tuple[str, ...], extra: dict[str, str], words: str
) -> None:
    code, out, errors = await run(*arguments, LOCUS_SERVER_DATA=str(tmp_path), **extra)

    assert (code, out) == (1, "")
    assert words in errors
    assert "Traceback" not in errors


async def test_an_unknown_flag_is_wrong_usage() -> None:
    code, _, errors = await run("serve", "--fast")

    assert code == 2
    assert "--fast" in errors


async def test_an_operator_makes_an_organization_and_keys(dsn: str, tmp_path: Path) -> None:
    applied = await run("migrate", DATABASE_URL=dsn)
    made = await run("organization", "Acme", DATABASE_URL=dsn)
    secret = json.loads(made[1])["secret"]
    async with serving(tmp_path / "log", DATABASE_URL=dsn) as program:
        assert program.ready["key"] is None
        async with program.client(secret) as client:
            created = await client.post("/api/v1/workspaces", json={"name": "App", "prefix": "APP"})
            assert created.status_code == 201
        code, out, _ = await run("key", "--workspace", "app", "--purpose", "worker", "--days", "7", DATABASE_URL=dsn)
        key = json.loads(out)
        async with program.client(key["secret"]) as client:
            me = (await client.get("/api/v1/me")).json()
    unknown = await run("key", "--workspace", "NONE", DATABASE_URL=dsn)
    await run("organization", "Acme 2", DATABASE_URL=dsn)
    unclear = await run("key", "--purpose", "admin", DATABASE_URL=dsn)

    assert applied[:2] == (0, "The database is up to date.\n")
    assert code == 0
    assert (me["purpose"], me["workspace"]["prefix"]) == ("worker", "APP")
    assert me["expires_at"]
    assert (unknown[0], unknown[1]) == (1, "")
    assert "NONE" in unknown[2]
    assert unclear[0] == 1
    assert len(re.findall(r"Acme", unclear[2])) == 2


@pytest.mark.parametrize(
    ("given", "name"),
    [("a\nb", "a b"), ("  ", "Workspace"), ("x" * 300, "x" * 100), ("\x1b[31mred", "[31mred")],
)
def test_a_name_from_a_folder_is_made_tidy(given: str, name: str) -> None:
    assert tidy(given) == name
