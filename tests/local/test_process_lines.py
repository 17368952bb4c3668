"""A child that is read while it works: odd bytes, floods, leaked pipes."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.children import all_lines, child, within
from tests.support.processes import with_marker

from locus.local.process import Exit


@pytest.fixture
def marker() -> str:
    return f"test-{uuid4()}"


async def test_lines_come_while_the_child_works(tmp_path: Path, marker: str) -> None:
    async with child("import time; print('one', flush=True); time.sleep(600)", tmp_path, marker) as talking:
        assert await anext(talking.lines()) == b"one"


async def test_a_last_line_without_newline_and_odd_bytes_are_kept(tmp_path: Path, marker: str) -> None:
    code = r"""
        import sys
        sys.stdout.buffer.write(b"\xff\xfe nul \x00 end\r\n\n\x1b[31mred\nlast")
    """
    async with child(code, tmp_path, marker) as odd:
        assert await all_lines(odd) == [b"\xff\xfe nul \x00 end\r", b"", b"\x1b[31mred", b"last"]


async def test_a_line_of_200_megabytes_is_cut_and_the_next_one_is_whole(tmp_path: Path, marker: str) -> None:
    code = """
        import sys
        for _ in range(200):
            sys.stdout.write("x" * 1_000_000)
        print("\\nnext")
    """
    tracemalloc.start()
    async with child(code, tmp_path, marker) as endless:
        lines = await all_lines(endless)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [len(line) for line in lines] == [4 << 20, len("next")]
    assert endless.lines_cut == 1
    assert peak < 32 << 20


async def test_a_character_split_between_two_writes_is_whole(tmp_path: Path, marker: str) -> None:
    code = """
        import os, time
        os.write(1, b"\\xe2\\x82"); time.sleep(0.1); os.write(1, b"\\xac\\n")
    """
    async with child(code, tmp_path, marker) as slow:
        assert await all_lines(slow) == ["€".encode()]


async def test_a_million_lines_do_not_keep_the_loop_from_other_work(tmp_path: Path, marker: str) -> None:
    gaps: list[float] = []

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(tick())
    async with child("print('chatter\\n' * 1_000_000)", tmp_path, marker) as chatty:
        count = 0
        async for _ in chatty.lines():
            count += 1
    ticking.cancel()

    assert count == 1_000_001
    assert max(gaps) < 0.5


async def test_a_silent_stderr_flood_does_not_block_the_child(tmp_path: Path, marker: str) -> None:
    code = "import sys; sys.stderr.write('e' * 5_000_000 + 'the end'); print('done')"
    async with child(code, tmp_path, marker) as noisy:
        assert await all_lines(noisy) == [b"done"]
        await noisy.wait()
        await noisy.stderr_read()

    assert noisy.stderr_tail.endswith("the end")
    assert len(noisy.stderr_tail) <= 32 << 10


async def test_waiting_for_a_line_may_be_given_up_without_losing_it(tmp_path: Path, marker: str) -> None:
    code = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)\nprint('late')"
    async with child(code, tmp_path, marker) as late:
        lines = late.lines()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(lines)
        (tmp_path / "go").touch()
        assert await anext(lines) == b"late"


@pytest.mark.parametrize("chatty", [False, True])
async def test_a_grandchild_that_holds_stdout_does_not_hold_the_reader(
    chatty: bool, tmp_path: Path, marker: str
) -> None:
    command = "while :; do echo still here; sleep 0.01; done" if chatty else "sleep 600"
    code = f"""
        import subprocess
        subprocess.Popen(["setsid", "sh", "-c", {command!r}])
        print("my last words")
    """
    async with child(code, tmp_path, marker) as leaking:
        begin = time.monotonic()
        lines = await all_lines(leaking)
        took = time.monotonic() - begin
        assert await leaking.wait() == Exit(0, None)

    assert b"my last words" in lines
    assert took < 4.0
    assert with_marker(marker) == []


async def test_the_exit_is_known_although_a_grandchild_holds_the_pipes(tmp_path: Path, marker: str) -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '600']); sys.exit(7)"
    async with child(code, tmp_path, marker) as gone:
        assert await within(5, gone.wait()) < 5
        assert await gone.wait() == Exit(7, None)
