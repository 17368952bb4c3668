"""What agents do to the repository instead of only to its files. After each, the files alone decide."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest
from tests.local.git.project import BRANCH, Bench, Project, edit, git, make_bench, new_file

from locus.local.git.changes import Fault, Unfit


def commits(bench: Bench) -> None:
    bench.agent("commit", "-qam", "by the agent")


def amends(bench: Bench) -> None:
    bench.agent("commit", "-qa", "--amend", "-m", "as if it had always been so")


def switches_branch(bench: Bench) -> None:
    bench.agent("checkout", "-q", "-b", "elsewhere")
    bench.agent("commit", "-qam", "elsewhere")


def detaches_and_drops_refs(bench: Bench) -> None:
    bench.agent("checkout", "-q", "--detach")
    bench.agent("branch", "-qD", BRANCH, "main")


def stages_something_else(bench: Bench) -> None:
    bench.agent("add", "-A")
    bench.agent("rm", "-rq", "--cached", ".")


def hides_changes_from_git(bench: Bench) -> None:
    bench.agent("update-index", "--assume-unchanged", "src/shop.py")
    bench.agent("update-index", "--skip-worktree", "README.md")


def leaves_a_rebase(bench: Bench) -> None:
    bench.agent("commit", "-qam", "one")
    bench.agent("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-i", "--force-rebase", "main", check=False)
    assert (bench.tree / ".git" / "rebase-merge").exists()


def leaves_a_bisection(bench: Bench) -> None:
    bench.agent("bisect", "start")


def deletes_git(bench: Bench) -> None:
    subprocess.run(["rm", "-rf", str(bench.tree / ".git")], check=True)


def makes_git_a_file(bench: Bench) -> None:
    deletes_git(bench)
    (bench.tree / ".git").write_text("gitdir: /nonexistent\n")


def makes_git_a_link_to_the_users(bench: Bench) -> None:
    deletes_git(bench)
    (bench.tree / ".git").symlink_to(bench.project.root / ".git")


def corrupts_git(bench: Bench) -> None:
    (bench.tree / ".git" / "index").write_bytes(b"garbage")
    (bench.tree / ".git" / "HEAD").write_bytes(b"\0\0")


def locks_the_index(bench: Bench) -> None:
    (bench.tree / ".git" / "index.lock").write_bytes(b"")


def starts_anew(bench: Bench) -> None:
    deletes_git(bench)
    bench.agent("init", "-q")
    bench.agent("add", "-A")
    bench.agent("commit", "-qm", "everything")


ACTS = [commits, amends, switches_branch, detaches_and_drops_refs, stages_something_else, hides_changes_from_git]


ACTS += [leaves_a_rebase, leaves_a_bisection, deletes_git, makes_git_a_file, makes_git_a_link_to_the_users]


ACTS += [corrupts_git, locks_the_index, starts_anew]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_the_files_decide_whatever_the_agent_does_to_its_git(bench: Bench, act: Callable[[Bench], None]) -> None:
    edit(bench)
    new_file(bench)
    bench.agent("add", "new.txt")
    act(bench)

    changes = await bench.worktree.changes(bench.base)
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == ("new.txt", "src/shop.py")
    assert (bench.tree / ".git").is_dir() and not (bench.tree / ".git").is_symlink()
    assert bench.agent("status", "--porcelain") == ""
    assert bench.agent("rev-parse", "HEAD", BRANCH, "main") == "\n".join([bench.base] * 3)


async def test_a_repository_inside_is_refused_by_name_and_not_half_committed(bench: Bench) -> None:
    git(bench.tree, "init", "-q", "vendor/lib", env=bench.project.env)
    (bench.tree / "vendor" / "lib" / "code.c").write_text("int x;\n")
    git(bench.tree / "vendor" / "lib", "add", "-A", env=bench.project.env)
    git(bench.tree / "vendor" / "lib", "commit", "-qm", "x", env=bench.project.env)

    with pytest.raises(Unfit) as refusal:
        await bench.worktree.changes(bench.base)
    identity = bench.clone.checkout.identity
    ref = await bench.worktree.park(base=bench.base, task="SHOP-1", fence=3, identity=identity)
    await bench.clone.prepare(bench.fetched)

    assert (refusal.value.fault, refusal.value.paths) == (Fault.NESTED_REPOSITORY, ("vendor/lib",))
    assert ref is not None
    assert await bench.clone.git.text("show", f"{ref}:vendor/lib/code.c") == "int x;"
    assert not (bench.tree / "vendor").exists()


async def test_a_repository_without_commits_is_refused_too(bench: Bench) -> None:
    git(bench.tree, "init", "-q", "lib", env=bench.project.env)
    (bench.tree / "lib" / "code.c").write_text("int x;\n")

    with pytest.raises(Unfit, match="lib"):
        await bench.worktree.changes(bench.base)


async def test_a_submodule_that_the_agent_adds_is_refused(bench: Bench) -> None:
    library = bench.project.place / "library"
    git(bench.project.place, "init", "-q", library, env=bench.project.env)
    git(library, "commit", "-q", "--allow-empty", "-m", "x", env=bench.project.env)
    bench.agent("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "library")

    with pytest.raises(Unfit) as refusal:
        await bench.worktree.changes(bench.base)

    assert refusal.value.fault is Fault.NESTED_REPOSITORY


async def with_submodule(project: Project) -> Bench:
    library = project.place / "library"
    git(project.place, "init", "-q", library, env=project.env)
    git(library, "commit", "-q", "--allow-empty", "-m", "x", env=project.env)
    project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "library")
    project.git("commit", "-qm", "with a library")
    project.git("push", "-q", "origin", "main")
    return await make_bench(project)


async def test_the_empty_directory_of_a_submodule_may_be_missing(project: Project) -> None:
    bench = await with_submodule(project)
    (bench.tree / "library").rmdir()
    new_file(bench)

    changes = await bench.worktree.changes(bench.base)

    assert changes.paths == ("new.txt",)
    bench.clone.close()


async def test_files_in_the_directory_of_a_submodule_are_not_lost_silently(project: Project) -> None:
    bench = await with_submodule(project)
    (bench.tree / "library" / "fix.c").write_text("int y;\n")

    with pytest.raises(Unfit, match="library"):
        await bench.worktree.changes(bench.base)
    bench.clone.close()


async def test_a_submodule_at_another_commit_is_refused_and_at_its_own_is_not(project: Project) -> None:
    bench = await with_submodule(project)
    git(bench.tree, "clone", "-q", project.place / "library", "library", env=project.env)
    new_file(bench)

    assert (await bench.worktree.changes(bench.base)).paths == ("new.txt",)
    git(bench.tree / "library", "commit", "-q", "--allow-empty", "-m", "y", env=project.env)
    with pytest.raises(Unfit, match="library"):
        await bench.worktree.changes(bench.base)
    bench.clone.close()


async def test_a_submodule_can_be_removed_on_purpose(project: Project) -> None:
    bench = await with_submodule(project)
    bench.agent("rm", "-q", "library")

    changes = await bench.worktree.changes(bench.base)

    assert changes.paths == (".gitmodules", "library")
    bench.clone.close()


@pytest.mark.parametrize("place", ["pipe", "src/pipe", "README.md"])
async def test_a_pipe_is_refused_and_cleaned_away(bench: Bench, place: str) -> None:
    (bench.tree / place).unlink(missing_ok=True)
    os.mkfifo(bench.tree / place)

    with pytest.raises(Unfit) as refusal:
        await bench.worktree.changes(bench.base)
    await bench.clone.prepare(bench.fetched)

    assert (refusal.value.fault, refusal.value.paths) == (Fault.SPECIAL_FILE, (place,))
    assert not (bench.tree / "pipe").exists() and (bench.tree / "README.md").is_file()


async def test_a_pipe_among_ignored_files_does_not_matter(bench: Bench) -> None:
    (bench.tree / "node_modules").mkdir()
    os.mkfifo(bench.tree / "node_modules" / "pipe")

    assert not await bench.worktree.changes(bench.base)


async def test_a_huge_file_is_refused_before_anybody_reads_it(bench: Bench) -> None:
    with (bench.tree / "dump.bin").open("wb") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no room

    with pytest.raises(Unfit) as refusal:
        await bench.worktree.changes(bench.base)

    assert (refusal.value.fault, refusal.value.paths) == (Fault.TOO_LARGE, ("dump.bin",))
