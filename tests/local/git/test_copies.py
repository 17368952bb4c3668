"""Files that come from the user's checkout, and never get into a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.local.git.project import BRANCH, Project, edit, make_bench

from locus.local.errors import LocalError


async def test_copies_are_there_and_never_committed(project: Project) -> None:
    (project.root / ".env").write_text("KEY=secret\n")
    (project.root / "cert [1]").mkdir()
    (project.root / "cert [1]" / "key.pem").write_text("secret\n")
    bench = await make_bench(project, copies=(".env", "cert [1]", "missing"))
    assert (bench.tree / ".env").read_text() == "KEY=secret\n"
    # An agent that wants them in: it un-ignores them and stages them by force.
    (bench.tree / ".gitignore").write_text("!.env\n!cert*\n")
    (bench.tree / ".env").write_text("KEY=changed\n")
    bench.agent("add", "-f", ".env", "cert [1]")

    changes = await bench.worktree.changes(bench.base)
    ref = await bench.worktree.park(base=bench.base, task="S-1", fence=1, identity=bench.clone.checkout.identity)
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == (".gitignore",)
    assert ref is not None
    listed = await bench.clone.git.text("ls-tree", "-r", "--name-only", ref)
    assert "env" not in listed and "cert" not in listed
    assert (bench.tree / ".env").read_text() == "KEY=secret\n"
    assert (bench.tree / "cert [1]" / "key.pem").read_text() == "secret\n"
    bench.clone.close()


async def test_copies_are_still_there_after_a_rebase(project: Project) -> None:
    (project.root / "cert [1].pem").write_text("secret\n")  # no .gitignore names it
    bench = await make_bench(project, copies=("cert [1].pem",))
    theirs = project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    edit(bench)
    sha = await bench.commit()
    await bench.clone.publish(sha, BRANCH)

    await bench.clone.rebase(bench.fetched, sha, theirs)

    assert (bench.tree / "cert [1].pem").read_text() == "secret\n"
    assert bench.agent("status", "--porcelain") == "M  src/shop.py"
    bench.clone.close()


async def test_a_copy_does_not_go_through_a_link_that_the_agent_left(project: Project, tmp_path: Path) -> None:
    (project.root / "node_modules" / "conf").mkdir(parents=True)
    (project.root / "node_modules" / "conf" / "token").write_text("secret\n")
    (tmp_path / "outside").mkdir()
    bench = await make_bench(project, copies=("node_modules/conf/token",))
    subprocess.run(["rm", "-r", str(bench.tree / "node_modules" / "conf")], check=True)
    (bench.tree / "node_modules" / "conf").symlink_to(tmp_path / "outside")

    await bench.clone.prepare(bench.fetched)

    assert list((tmp_path / "outside").iterdir()) == []
    assert (bench.tree / "node_modules" / "conf" / "token").read_text() == "secret\n"
    bench.clone.close()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ".git/config", "", ".GIT/x"])
async def test_a_copy_from_outside_of_the_repository_is_refused(project: Project, path: str) -> None:
    with pytest.raises(LocalError, match="cannot be copied"):
        await project.clone(copies=(path,))


async def test_a_copy_that_is_a_link_to_the_outside_is_refused(project: Project) -> None:
    (project.root / ".env").symlink_to("/etc/passwd")

    with pytest.raises(LocalError, match="leads out of the repository"):
        await make_bench(project, copies=(".env",))


async def test_a_copy_of_what_git_tracks_is_refused(project: Project) -> None:
    with pytest.raises(LocalError, match="git tracks"):
        await make_bench(project, copies=("src",))
