"""Commands with bad manners: what they print, what they leave behind, and that nothing ever hangs."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.children import ENVIRONMENT
from tests.support.processes import is_alive, until, with_marker

from locus.local.process import CannotStart, Exit, run


@pytest.fixture
def marker() -> str:
    return f"test-{uuid4()}"


async def test_what_a_command_prints_comes_back_with_its_exit_code(tmp_path: Path) -> None:
    done = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], cwd=tmp_path, env=ENVIRONMENT, timeout=10)

    assert (done.stdout, done.stderr, done.exit) == (b"out\n", b"err\n", Exit(3, None))
    assert not done.ok and not done.truncated and not done.timed_out


async def test_an_end_by_signal_is_no_exit_code(tmp_path: Path) -> None:
    done = await run(["sh", "-c", "kill -9 $$"], cwd=tmp_path, env=ENVIRONMENT, timeout=10)

    assert done.exit == Exit(None, 9)
    assert str(done.exit) == "signal SIGKILL"


async def test_stdin_reaches_the_command_whole(tmp_path: Path) -> None:
    done = await run(["wc", "-c"], cwd=tmp_path, env=ENVIRONMENT, stdin=b"x" * 3_000_000, timeout=20)

    assert done.stdout.strip() == b"3000000"


async def test_without_stdin_a_command_that_reads_finds_its_end(tmp_path: Path) -> None:
    assert (await run(["cat"], cwd=tmp_path, env=ENVIRONMENT, timeout=10)).ok


async def test_a_command_that_closes_its_stdin_early_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = await run(
        ["sh", "-c", "exec 0<&-; sleep 0.1; echo fine"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=b"x" * 1_000_000,
        timeout=10,
    )

    assert (done.ok, done.stdout) == (True, b"fine\n")
    assert caplog.records == [], "nor one that only the loop sees"


async def test_a_gigabyte_of_output_keeps_its_beginning_and_its_end_in_little_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    command = "echo first; head -c 1000000000 /dev/zero; echo last"
    done = await run(["sh", "-c", command], cwd=tmp_path, env=ENVIRONMENT, timeout=60, limit=1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert done.truncated
    assert done.stdout.startswith(b"first\n") and done.stdout.endswith(b"last\n")
    assert b"bytes left out" in done.stdout
    assert len(done.stdout) < (1 << 20) + 100
    assert peak < 16 << 20


async def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, marker: str) -> None:
    done = await run(
        ["sh", "-c", "trap '' TERM; setsid sleep 600 & echo begun; sleep 600"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        timeout=0.5,
        marker=marker,
    )

    assert done.timed_out and not done.ok
    assert done.stdout == b"begun\n"
    assert with_marker(marker) == []


@pytest.mark.parametrize(
    "script",
    [
        "setsid sleep 600 & echo $! > pid; sleep 600",
        "trap 'setsid sleep 600 & echo $! > pid' TERM; while :; do sleep 0.05; done",
    ],
    ids=["before the signal", "after the signal"],
)
async def test_a_timeout_also_ends_what_a_command_without_a_marker_started(script: str, tmp_path: Path) -> None:
    done = await run(["sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT, timeout=0.5)

    assert done.timed_out
    assert not is_alive(int((tmp_path / "pid").read_text()))


async def test_a_daemon_of_a_command_lives_on_unless_the_command_has_a_marker(tmp_path: Path, marker: str) -> None:
    command = ["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $! > pid"]
    await run(command, cwd=tmp_path, env=ENVIRONMENT, timeout=10)
    daemon = int((tmp_path / "pid").read_text())
    assert is_alive(daemon)
    os.kill(daemon, signal.SIGKILL)

    await run(command, cwd=tmp_path, env=ENVIRONMENT, timeout=10, marker=marker)
    assert not is_alive(int((tmp_path / "pid").read_text()))


async def test_a_pipe_that_a_daemon_holds_does_not_hold_the_command(tmp_path: Path) -> None:
    begin = time.monotonic()
    done = await run(["sh", "-c", "sleep 30 & echo $! > pid; echo said"], cwd=tmp_path, env=ENVIRONMENT, timeout=20)
    took = time.monotonic() - begin
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    assert done.stdout == b"said\n"
    assert took < 3.0


async def test_a_cancelled_command_is_ended(tmp_path: Path, marker: str) -> None:
    running = asyncio.create_task(run(["sleep", "600"], cwd=tmp_path, env=ENVIRONMENT, timeout=60, marker=marker))
    await until(lambda: len(with_marker(marker)) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert with_marker(marker) == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: ["no-such-program"], "not installed, or not on PATH"),
        (lambda folder: [str(folder / "absent")], "does not exist"),
        (lambda folder: [_file(folder / "plain", "#!/bin/sh\n", 0o644)], "may not be executed"),
        (lambda folder: [_file(folder / "odd", "#!/no/such/interpreter\n", 0o755)], "interpreter"),
        (lambda folder: [_file(folder / "text", "just words", 0o755)], "is not a program"),
        (lambda folder: ["echo", "nul\0byte"], "could not be started"),
        (lambda folder: ["echo", "x" * 10_000_000], "could not be started"),
    ],
)
async def test_a_program_that_cannot_start_says_why(
    make: Callable[[Path], list[str]], says: str, tmp_path: Path
) -> None:
    with pytest.raises(CannotStart, match=says):
        await run(make(tmp_path), cwd=tmp_path, env=ENVIRONMENT, timeout=10)


async def test_a_directory_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="gone, which is not a directory"):
        await run(["true"], cwd=tmp_path / "gone", env=ENVIRONMENT, timeout=10)


async def test_many_starts_and_failures_leave_no_file_open(tmp_path: Path) -> None:
    await run(["true"], cwd=tmp_path, env=ENVIRONMENT, timeout=10)
    before = _open_files()
    for _ in range(20):
        await run(["cat"], cwd=tmp_path, env=ENVIRONMENT, stdin=b"x", timeout=10)
        with pytest.raises(CannotStart):
            await run(["no-such-program"], cwd=tmp_path, env=ENVIRONMENT, stdin=b"x", timeout=10)

    assert _open_files() == before


def _open_files() -> int:
    gc.collect()  # what earlier tests have dropped is not open any more
    return len(list(Path("/dev/fd").iterdir()))


def _file(path: Path, text: str, mode: int) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)
