"""A clone for each worker, borrowed from the user's repository, and mended when that loses something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.local.git.project import BRANCH, Bench, Project, git, make_bench, until

from locus.local.errors import LocalError
from locus.local.git import checkout as checkouts
from locus.local.git.clone import PrivateClone, parked, repository_place
from locus.local.git.lock import Lock
from locus.local.git.publish import Pushed
from locus.local.git.trouble import GitError
from locus.local.process import Child


async def test_a_sprint_starts_at_the_base_until_its_branch_is_there(project: Project) -> None:
    clone = await project.clone()
    first = await clone.fetch("main", BRANCH)
    theirs = project.push_as_teammate(BRANCH, "theirs.txt", "x\n")

    second = await clone.fetch("main", BRANCH)

    assert (first.start, first.head) == (project.git("rev-parse", "main"), None)
    assert (second.start, second.base) == (theirs, first.base)
    clone.close()


async def test_the_base_is_the_remotes_and_not_the_users(project: Project) -> None:
    project.git("commit", "-q", "--allow-empty", "-m", "not pushed")
    theirs = project.push_as_teammate("main", "theirs.txt", "x\n")
    clone = await project.clone()

    fetched = await clone.fetch("main", BRANCH)

    assert fetched.base == theirs
    clone.close()


async def test_the_default_branch_is_the_remotes(project: Project) -> None:
    project.push_as_teammate("trunk", "x", "x\n")
    project.at_remote("symbolic-ref", "HEAD", "refs/heads/trunk")
    clone = await project.clone()

    assert await clone.base_branch() == "trunk"
    assert await clone.base_branch("main") == "main"
    clone.close()


async def test_without_a_usable_head_main_or_master_is_found(project: Project) -> None:
    project.at_remote("symbolic-ref", "HEAD", "refs/heads/gone")
    project.at_remote("branch", "-m", "main", "master")
    clone = await project.clone()

    assert await clone.base_branch() == "master"
    clone.close()


@pytest.mark.parametrize("wanted", ["gone", "-x", "a..b", None])
async def test_a_base_that_is_not_on_the_remote_is_refused(project: Project, wanted: str | None) -> None:
    if wanted is None:
        project.at_remote("branch", "-m", "main", "unusual")
        project.at_remote("symbolic-ref", "HEAD", "refs/heads/gone")
    clone = await project.clone()

    with pytest.raises(LocalError) as refusal:
        await clone.base_branch(wanted)

    assert refusal.value.remedy is not None
    clone.close()


async def test_two_workers_have_two_trees(project: Project) -> None:
    one, two = await make_bench(project), await make_bench(project)

    (one.tree / "one.txt").write_text("1\n")
    (two.tree / "two.txt").write_text("2\n")

    assert one.tree != two.tree and one.clone.git.directory != two.clone.git.directory
    assert (await one.worktree.changes(one.base)).paths == ("one.txt",)
    assert (await two.worktree.changes(two.base)).paths == ("two.txt",)
    one.clone.close()
    two.clone.close()


async def test_a_slot_that_is_taken_is_refused_and_free_again_afterwards(project: Project) -> None:
    clone = await project.clone(slot="3")

    with pytest.raises(LocalError, match="Another worker"):
        await project.clone(slot="3")
    clone.close()
    again = await project.clone(slot="3")

    assert again.slot == "3"
    again.close()


async def test_an_agent_that_outlives_its_worker_still_holds_the_tree(project: Project, tmp_path: Path) -> None:
    script = f"""
import asyncio, os, sys
from pathlib import Path
from locus.local.process import Child
from locus.local.git import checkout as checkouts
from locus.local.git.clone import PrivateClone
async def main():
    checkout = await checkouts.find(Path({str(project.root)!r}), {project.env!r})
    clone = await PrivateClone.open(checkout, Path({str(project.state)!r}), slot="1")
    env = {{"PATH": os.environ["PATH"]}}
    child = await Child.start(
        ["sleep", "600"], cwd=clone.place, env=env, stdin=None, marker="m", pass_fds=[clone.lock.fd]
    )
    Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    agent = int((tmp_path / "pid").read_text())

    with pytest.raises(LocalError, match="or its agent"):
        await project.clone(slot="1")
    other = await project.clone()
    assert other.slot == "2"
    other.close()
    os.kill(agent, signal.SIGKILL)
    lock_file = repository_place(await project.checkout(), project.state) / "1" / "lock"
    await until(lambda: _is_free(lock_file))
    (await project.clone(slot="1")).close()


def _is_free(path: Path) -> bool:
    lock = Lock.take(path)
    if lock is not None:
        lock.release()
    return lock is not None


async def test_a_child_that_was_not_given_the_lock_does_not_hold_it(project: Project) -> None:
    clone = await project.clone(slot="1")
    env = {"PATH": os.environ["PATH"]}
    child = await Child.start(["sleep", "600"], cwd=clone.place, env=env, stdin=None, marker="not-given")
    clone.close()

    again = await project.clone(slot="1")

    again.close()
    await child.end(grace=0)


async def test_what_a_killed_git_left_locked_is_unlocked(project: Project) -> None:
    bench = await make_bench(project)
    for name in ("index.lock", "packed-refs.lock", "refs/locus/fetched/main.lock", "HEAD.lock"):
        (bench.clone.git.directory / name).write_text("")
    bench.clone.close()

    again = await make_bench(project)

    assert again.clone.slot == bench.clone.slot
    project.push_as_teammate("main", "x", "x\n")
    await again.clone.fetch("main", BRANCH)
    again.clone.close()


async def test_a_half_made_git_dir_is_made_anew(project: Project) -> None:
    clone = await project.clone()
    (clone.git.directory / "locus-layout").unlink()
    (clone.git.directory / "HEAD").write_text("")
    clone.close()

    bench = await make_bench(project)

    assert (bench.tree / "README.md").exists()
    bench.clone.close()


async def test_objects_are_borrowed_and_not_copied(bench: Bench) -> None:
    objects = [path for path in bench.clone.objects.rglob("*") if path.is_file() and path.parent.name != "info"]

    assert objects == []
    assert bench.agent("log", "--format=%s") == "A shop"


async def test_an_incomplete_repository_is_not_borrowed_from(project: Project) -> None:
    project.git("commit", "-q", "--allow-empty", "-m", "two")
    project.git("push", "-q", "origin", "main")
    git(project.place, "clone", "-q", "--depth=1", f"file://{project.remote}", "shallow", env=project.env)
    checkout = await checkouts.find(project.place / "shallow", project.env)
    clone = await PrivateClone.open(checkout, project.state)

    fetched = await clone.fetch("main", BRANCH)
    await clone.prepare(fetched)

    assert git(clone.worktree.root, "log", "--format=%s", env=project.env) == "two\nA shop"
    clone.close()


async def test_objects_that_the_user_lost_are_fetched_and_parked_work_survives(project: Project) -> None:
    bench = await make_bench(project)
    (bench.tree / "half.txt").write_text("half\n")
    identity = bench.clone.checkout.identity
    ref = await bench.worktree.park(base=bench.base, task="SHOP-1", fence=4, identity=identity)
    blob = project.git("rev-parse", "HEAD:README.md")
    lost = project.root / ".git" / "objects" / blob[:2] / blob[2:]
    lost.unlink()
    with pytest.raises(GitError):
        await bench.clone.git.local("cat-file", "blob", blob)

    fetched = await bench.clone.fetch("main", BRANCH)
    await bench.clone.prepare(fetched)

    assert (bench.tree / "README.md").read_text() == "A shop.\n"
    assert ref is not None and await bench.clone.git.text("show", f"{ref}:half.txt") == "half"
    bench.clone.close()


async def test_all_parked_work_of_a_repository_can_be_listed(project: Project) -> None:
    one, two = await make_bench(project), await make_bench(project)
    for number, bench in enumerate((one, two), start=1):
        (bench.tree / "half.txt").write_text(f"{number}\n")
        await bench.worktree.park(base=bench.base, task="SHOP-1", fence=number, identity=bench.clone.checkout.identity)
        bench.clone.close()

    found = await parked(await project.checkout(), project.state)

    assert [(work.ref, work.git_dir.parent.name) for work in found] == [
        ("refs/locus/parked/SHOP-1/1", "1"),
        ("refs/locus/parked/SHOP-1/2", "2"),
    ]


async def test_two_repositories_of_one_name_do_not_meet(project: Project, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", project.remote, "other/shop", env=project.env)
    other = await checkouts.find(tmp_path / "other" / "shop", project.env)

    assert repository_place(other, project.state) != repository_place(await project.checkout(), project.state)


async def test_what_the_user_ignores_outside_of_the_repository_is_ignored_here(project: Project) -> None:
    (project.root / ".git" / "info" / "exclude").write_text("scratch/\n")
    (project.home / ".config" / "git").mkdir(parents=True)
    (project.home / ".config" / "git" / "ignore").write_text(".DS_Store\n")
    bench = await make_bench(project)
    (bench.tree / "scratch").mkdir()
    (bench.tree / "scratch" / "x").write_text("x")
    (bench.tree / ".DS_Store").write_text("x")

    assert not await bench.worktree.changes(bench.base)
    assert bench.agent("status", "--porcelain") == ""
    bench.clone.close()


async def test_line_ends_are_as_the_user_has_set_them(project: Project) -> None:
    project.git("config", "core.autocrlf", "true")
    bench = await make_bench(project)

    assert (bench.tree / "README.md").read_bytes() == b"A shop.\r\n"
    assert not await bench.worktree.changes(bench.base)
    assert bench.agent("status", "--porcelain") == ""
    (bench.tree / "README.md").write_bytes(b"A shop.\r\nMore.\r\n")
    changes = await bench.worktree.changes(bench.base)
    assert (changes.added, changes.removed) == (1, 0)
    bench.clone.close()


async def test_a_repository_with_long_ids_works_to_the_end(tmp_path: Path, project: Project) -> None:
    place = tmp_path / "long"
    git(tmp_path, "init", "-q", "--bare", "--object-format=sha256", "-b", "main", "long.git", env=project.env)
    git(tmp_path, "init", "-q", "--object-format=sha256", "long", env=project.env)
    (place / "README.md").write_text("x\n")
    git(place, "add", ".", env=project.env)
    git(place, "commit", "-qm", "x", env=project.env)
    git(place, "remote", "add", "origin", "../long.git", env=project.env)
    git(place, "push", "-q", "origin", "main", env=project.env)
    clone = await PrivateClone.open(await checkouts.find(place, project.env), project.state)
    bench = Bench(project, clone, await clone.fetch("main", BRANCH))
    await clone.prepare(bench.fetched)
    (bench.tree / "README.md").unlink()
    (bench.tree / "new").write_text("y\n")

    sha = await bench.commit()

    assert len(sha) == 64
    assert await clone.publish(sha, BRANCH) == Pushed(sha, sha)
    assert bench.agent("log", "--format=%s") == "x"
    clone.close()


async def test_the_state_is_for_its_owner_alone(bench: Bench) -> None:
    assert bench.clone.git.directory.stat().st_mode & 0o077 == 0
    assert bench.tree.stat().st_mode & 0o077 == 0
