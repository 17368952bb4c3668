"""The user's checkout after a run in place that was killed at the worst moments."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.git.project import BRANCH, Project
from tests.local.git.test_in_place import begin, files

from locus.local.git.in_place import mark_of
from locus.local.git.left_in_place import Left, Restored, restore


async def killed(project: Project) -> str:
    """A run in place that ends here without giving anything back; the commit that its attempt began with."""
    project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    place, fetched = await begin(project)
    place.clone.close()
    return fetched.start


async def test_the_files_are_put_back_and_the_attempts_work_is_kept(project: Project) -> None:
    before, index = files(project), (project.root / ".git" / "index").read_bytes()
    base = await killed(project)
    (project.root / "src" / "shop.py").write_text("half\n")
    (project.root / "new.txt").write_text("new\n")
    (project.root / "README.md").unlink()
    checkout = await project.checkout()

    restored = await restore(checkout, project.state, base=base, task="WEB-1", fence=3)

    assert restored == Restored("refs/locus/parked/WEB-1/3")
    assert files(project) == before
    assert (project.root / ".git" / "index").read_bytes() == index
    assert project.git("status", "--porcelain") == ""
    git_dir = mark_of(checkout, project.state).parent / "git"
    kept = project.git(f"--git-dir={git_dir}", "show", "--name-status", "--format=%P", "refs/locus/parked/WEB-1/3")
    assert kept.split() == [base, "D", "README.md", "A", "new.txt", "M", "src/shop.py"]
    assert await restore(checkout, project.state) is None


@pytest.mark.parametrize("half", [False, True], ids=["between two tasks", "while the files were being put back"])
async def test_files_that_no_attempt_touched_are_put_back_without_a_trace(project: Project, half: bool) -> None:
    before = files(project)
    await killed(project)
    (project.root / ("theirs.txt" if half else "missing")).unlink(missing_ok=True)

    assert await restore(await project.checkout(), project.state) == Restored(None)
    assert files(project) == before


async def test_changes_of_the_users_own_are_left_where_no_attempt_can_have_made_them(project: Project) -> None:
    await killed(project)
    (project.root / "notes.txt").write_text("mine\n")

    assert await restore(await project.checkout(), project.state) == Left("its files have changes that no run made")
    assert (project.root / "notes.txt").read_text() == "mine\n"
    assert (project.root / "theirs.txt").exists()


@pytest.mark.parametrize("then", ["commit", "stage"])
async def test_nothing_is_touched_once_the_user_went_on_by_themselves(project: Project, then: str) -> None:
    base = await killed(project)
    (project.root / "mine.txt").write_text("mine\n")
    project.git("add", "mine.txt")
    if then == "commit":
        project.git("commit", "--quiet", "-m", "Mine")
    before = files(project)

    left = await restore(await project.checkout(), project.state, base=base, task="WEB-1", fence=1)

    assert isinstance(left, Left)
    assert ("something is staged" in left.why) == (then == "stage")
    assert files(project) == before


async def test_a_run_that_lives_keeps_the_checkout(project: Project) -> None:
    place, _ = await begin(project)

    assert await restore(await project.checkout(), project.state, base="a" * 40, task="WEB-1", fence=1) is None
    await place.give_back()


async def test_a_checkout_that_was_never_lent_has_nothing_to_put_back(project: Project, tmp_path: Path) -> None:
    assert await restore(await project.checkout(), project.state) is None
