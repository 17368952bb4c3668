"""The end of a child is the end of everything it started, however it tried to stay."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest
from tests.support.children import ENVIRONMENT, all_lines, child, within
from tests.support.processes import is_alive, until, with_marker

from locus.local.process import MARKER, Child, Exit, sweep, tree


@pytest.fixture
def marker() -> str:
    return f"test-{uuid4()}"


STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(600)
"""


async def test_a_child_that_listens_ends_by_itself_within_the_grace(tmp_path: Path, marker: str) -> None:
    code = """
        import signal, sys, time
        signal.signal(signal.SIGINT, lambda *_: (print("bye"), sys.exit(5)))
        print("ready", flush=True)
        time.sleep(600)
    """
    async with child(code, tmp_path, marker) as polite:
        lines = polite.lines()
        await anext(lines)
        await polite.end(grace=20, first=signal.SIGINT)

        assert await polite.wait() == Exit(5, None)
        assert await anext(lines) == b"bye", "what it said on its way out can be read"


async def test_a_child_that_ignores_signals_is_killed_after_the_grace(tmp_path: Path, marker: str) -> None:
    async with child(STUBBORN, tmp_path, marker) as deaf:
        await anext(deaf.lines())
        took = await within(5, deaf.end(grace=0.5))

        assert took >= 0.5
        assert await deaf.wait() == Exit(None, signal.SIGKILL)


async def test_a_second_end_shortens_the_grace_of_the_first(tmp_path: Path, marker: str) -> None:
    async with child(STUBBORN, tmp_path, marker) as deaf:
        await anext(deaf.lines())
        first = asyncio.create_task(deaf.end(grace=60))
        await asyncio.sleep(0)
        assert await within(5, deaf.end(grace=0)) < 5
        await first

        assert await deaf.wait() == Exit(None, signal.SIGKILL)


async def test_an_end_that_is_cancelled_kills_at_once(tmp_path: Path, marker: str) -> None:
    async with child(STUBBORN, tmp_path, marker) as deaf:
        await anext(deaf.lines())
        ending = asyncio.create_task(deaf.end(grace=60))
        await asyncio.sleep(0.1)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending

        assert await within(5, deaf.wait()) < 5


# Each starts something that lives on, in another way; it writes its number to `pid` and the child says "ready".
FUGITIVES = {
    "in the background": "sleep 600 & echo $! > pid",
    "in a session of its own": "setsid sleep 600 & echo $! > pid",
    "orphaned": "(sleep 600 & echo $! > pid)",
    "orphaned in a session of its own": "(setsid sleep 600 & echo $! > pid)",
    "without our mark, still a descendant": "env -i sleep 600 & echo $! > pid",
    "orphaned and without our mark": "(env -i setsid sleep 600 & echo $! > pid)",
    "deaf": "sh -c 'trap \"\" TERM INT HUP; echo $$ > pid; while :; do sleep 1; done' &",
    "stopped": "sleep 600 & echo $! > pid; kill -STOP $!",
}


@pytest.mark.parametrize("how", FUGITIVES)
@pytest.mark.parametrize("first_gone", [False, True], ids=["child alive", "child gone"])
@pytest.mark.skipif(sys.platform != "linux", reason="orphans come to us on Linux only")
async def test_what_a_child_started_does_not_outlive_its_end(
    how: str, first_gone: bool, tmp_path: Path, marker: str
) -> None:
    stay = "" if first_gone else "sleep 600"
    script = f"{FUGITIVES[how]}\nwhile [ ! -s pid ]; do sleep 0.01; done; echo ready; {stay}"
    started = await Child.start(["sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT, stdin=None, marker=marker)
    try:
        assert await anext(started.lines()) == b"ready"
        if first_gone:
            await started.wait()
        fugitive = int((tmp_path / "pid").read_text())
        assert is_alive(fugitive)
    finally:
        await started.end(grace=0.2)

    assert not is_alive(fugitive)
    assert with_marker(marker) == []


async def test_a_child_that_forks_all_the_time_is_ended(tmp_path: Path, marker: str) -> None:
    script = "for i in 1 2 3; do (while :; do setsid sleep 600 & sleep 0.05; done) & done; echo ready; wait"
    started = await Child.start(["sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT, stdin=None, marker=marker)
    assert await anext(started.lines()) == b"ready"
    await until(lambda: len(with_marker(marker)) > 10)

    await within(15, started.end(grace=0.1))
    assert with_marker(marker) == []


async def test_the_end_of_one_child_leaves_another_alone(tmp_path: Path, marker: str) -> None:
    other = f"{marker}-other"
    unmarked = "(env -i setsid sleep 600 & echo $! > pid); echo ready; sleep 600"
    kept = await Child.start(["sh", "-c", unmarked], cwd=tmp_path, env=ENVIRONMENT, stdin=None, marker=other)
    await anext(kept.lines())
    orphan = int((tmp_path / "pid").read_text())
    async with child("print('x', flush=True); import time; time.sleep(600)", tmp_path, marker) as ended:
        await anext(ended.lines())

    assert with_marker(marker) == []
    assert with_marker(other) != []
    assert is_alive(orphan), "an orphan that could be either's is nobody's while both live"
    await kept.end(grace=0)
    assert not is_alive(orphan)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans come to us on Linux only")
async def test_orphans_that_have_ended_do_not_stay_as_zombies(tmp_path: Path, marker: str) -> None:
    script = "for i in 1 2 3; do (sleep 0.05 & echo $! >> pids); done; echo ready"
    started = await Child.start(["sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT, stdin=None, marker=marker)
    await anext(started.lines())
    await started.wait()
    orphans = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    await until(lambda: not any(is_alive(pid) for pid in orphans))
    await started.end()

    assert not any(Path(f"/proc/{pid}").exists() for pid in orphans)


async def test_exit_codes_of_others_children_are_not_stolen(tmp_path: Path, marker: str) -> None:
    async with child("pass", tmp_path, marker) as ended:
        with subprocess.Popen(["sh", "-c", "exit 9"]) as not_ours:
            await until(lambda: not is_alive(not_ours.pid))
            await ended.end()

            assert not_ours.wait() == 9


async def test_the_first_signal_reaches_the_whole_group(tmp_path: Path, marker: str) -> None:
    polite = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print('bye'))); print(1); time.sleep(600)"
    script = f'trap : TERM; "{sys.executable}" -uc "{polite}"; echo after'
    started = await Child.start(["sh", "-c", script], cwd=tmp_path, env=ENVIRONMENT, stdin=None, marker=marker)
    lines = started.lines()
    assert await anext(lines) == b"1"
    await started.end(grace=10)

    assert [line async for line in lines] == [b"bye", b"after"]


async def test_a_sweep_ends_what_a_dead_supervisor_left(tmp_path: Path, marker: str) -> None:
    supervisor = f"""
        import asyncio, os
        from pathlib import Path
        from locus.local.process import Child
        async def main():
            child = await Child.start(["sh", "-c", "setsid sleep 600 & sleep 600"], cwd=Path("."),
                                      env=dict(os.environ), stdin=None, marker={marker!r})
            print("started", flush=True)
            await child.wait()
        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", dedent(supervisor), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"started\n"
    await until(lambda: len(with_marker(marker)) == 3)
    process.kill()
    await process.wait()
    assert len(with_marker(marker)) == 3

    assert await sweep(marker) == 3
    assert with_marker(marker) == []
    assert await sweep(marker) == 0


@pytest.mark.parametrize("everybodys", ["", "unsupervised"])
async def test_a_sweep_of_everybody_is_refused(everybodys: str) -> None:
    with pytest.raises(ValueError, match="marker of one run"):
        await sweep(everybodys)


async def test_the_marker_is_in_the_environment_of_the_child(tmp_path: Path, marker: str) -> None:
    async with child(f"import os; print(os.environ['{MARKER}'])", tmp_path, marker) as marked:
        assert await all_lines(marked) == [marker.encode()]


async def test_a_lock_that_is_passed_on_is_held_until_the_end_of_the_child(tmp_path: Path, marker: str) -> None:
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    started = await Child.start(
        ["sleep", "600"], cwd=tmp_path, env=ENVIRONMENT, stdin=None, marker=marker, pass_fds=[lock]
    )
    os.close(lock)
    again = os.open(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    await started.end(grace=0)

    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)


@pytest.mark.parametrize("lists", [True, False], ids=["by the kernel's lists", "by looking through all"])
async def test_descendants_are_found_with_and_without_the_kernels_lists(
    lists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lists and not tree.kernel_lists_children():
        pytest.skip("this kernel keeps none")
    monkeypatch.setattr(tree, "kernel_lists_children", lambda: lists)
    # A thread starts one, too: the kernel lists its children apart.
    code = (
        "import subprocess, sys, threading, time\n"
        "start = lambda: subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "threading.Thread(target=lambda: (start(), time.sleep(600)), daemon=True).start()\n"
        "start(); print('ready', flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None and parent.stdout.readline() == b"ready\n"
        await until(lambda: len(tree.descendants(parent.pid)) == 2)
        assert {one.ppid() for one in tree.descendants(parent.pid)} == {parent.pid}
    finally:
        for one in tree.descendants(parent.pid):
            one.kill()
        parent.kill()
        parent.communicate()
    assert tree.descendants(parent.pid) == set()
