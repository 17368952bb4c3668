"""Work that is kept, and trees that resist."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.local.git.project import Bench, edit

from locus.local.git import worktree as worktrees
from locus.local.git.worktree import PARKED

PR_CAPBSET_DROP = 24


CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


async def test_parked_work_can_be_read_again_and_nothing_is_parked_without_work(bench: Bench) -> None:
    identity = bench.clone.checkout.identity
    nothing = await bench.worktree.park(base=bench.base, task="SHOP-7", fence=1, identity=identity)
    edit(bench)
    os.mkfifo(bench.tree / "pipe")

    ref = await bench.worktree.park(base=bench.base, task="SHOP-7", fence=2, identity=identity)

    assert nothing is None
    assert ref == f"{PARKED}/SHOP-7/2"
    assert "sum(prices)" in await bench.clone.git.text("show", f"{ref}:src/shop.py")
    assert await bench.clone.git.text("rev-parse", f"{ref}^") == bench.base


@pytest.mark.parametrize("task", ["../../heads/main", "a b", "-x", "x.lock", ""])
async def test_a_task_key_cannot_lead_a_parked_ref_elsewhere(bench: Bench, task: str) -> None:
    with pytest.raises(ValueError, match="not a name for a branch"):
        await worktrees.park_commit(bench.clone.git, bench.base, task=task, fence=1)


async def test_what_the_agent_commits_does_not_reach_our_objects(bench: Bench) -> None:
    edit(bench)
    bench.agent("commit", "-qam", "x")
    theirs = bench.agent("rev-parse", "HEAD")

    missing = await bench.clone.git.local("cat-file", "-e", theirs, accept=(0, 1, 128))

    assert not missing.exit.ok


def without_superpowers() -> None:
    """Let root be refused like anybody else: give up the capabilities that ignore permissions."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


WITH_PERMISSIONS = """
import asyncio, os, sys
from pathlib import Path
from locus.local.git.changes import Unfit
from tests.local.git.project import make_bench, make_project

async def main(place):
    bench = await make_bench(make_project(place))
    (bench.tree / "secret").write_text("x")
    (bench.tree / "secret").chmod(0)
    (bench.tree / "locked").mkdir()
    (bench.tree / "locked" / "x").write_text("x")
    (bench.tree / "locked").chmod(0o500)
    try:
        await bench.worktree.changes(bench.base)
    except Unfit as e:
        print(e.fault, e.paths)
    identity = bench.clone.checkout.identity
    print(await bench.worktree.park(base=bench.base, task="S-1", fence=1, identity=identity))
    await bench.clone.prepare(bench.fetched)
    print(sorted(os.listdir(bench.tree)))

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_what_git_cannot_read_is_named_and_what_it_cannot_remove_is_removed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_PERMISSIONS, str(tmp_path / "place")],
        capture_output=True,
        text=True,
        preexec_fn=without_superpowers,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "unreadable ('secret',)",
        "refs/locus/parked/S-1/1",
        "['.git', '.gitignore', 'README.md', 'src']",
    ]
