"""Working in the user's own checkout, and giving it back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.local.git.project import BRANCH, Bench, Project, fingerprint, git

from locus.local.errors import LocalError
from locus.local.git.clone import Fetched
from locus.local.git.in_place import InPlace
from locus.local.git.publish import Pushed, Rebased, Rejected


async def begin(project: Project) -> tuple[InPlace, Fetched]:
    place = await InPlace.open(await project.checkout(), project.state, base_branch="main")
    fetched = await place.clone.fetch("main", BRANCH)
    await place.prepare(fetched)
    return place, fetched


def files(project: Project) -> dict[str, str]:
    """The user's files without their times, which change where a file was written and written back."""
    prints = fingerprint(project.root)
    return {name: " ".join(value.split(" ")[::2]) for name, value in prints.items() if name != ".git/index"}


async def test_the_users_files_are_changed_and_given_back(project: Project) -> None:
    (project.root / "debug.log").write_text("ignored, and the user's\n")
    before = files(project)
    index = (project.root / ".git" / "index").read_bytes()
    place, fetched = await begin(project)
    (project.root / "src" / "shop.py").write_text("better\n")
    (project.root / "new.txt").write_text("new\n")
    (project.root / "README.md").unlink()

    bench = Bench(project, place.clone, fetched)
    changes = await place.clone.worktree.changes(fetched.start)
    sha = await bench.commit()
    outcome = await place.clone.publish(sha, BRANCH)
    aftermath = await place.give_back()

    assert changes.paths == ("README.md", "new.txt", "src/shop.py")
    assert outcome == Pushed(sha, sha)
    assert not aftermath
    assert files(project) == before
    assert (project.root / ".git" / "index").read_bytes() == index
    assert project.git("status", "--porcelain") == ""
    assert project.git("for-each-ref", "refs/heads", "--format=%(refname)") == "refs/heads/main"


async def test_the_work_of_the_sprint_is_there_and_gone_again(project: Project) -> None:
    before = files(project)
    project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")

    place, _ = await begin(project)
    seen = (project.root / "theirs.txt").exists()
    await place.give_back()

    assert seen and files(project) == before


async def test_a_checkout_with_changes_is_refused_by_name_and_untouched(project: Project) -> None:
    (project.root / "README.md").write_text("mine\n")
    (project.root / "untracked.txt").write_text("mine\n")
    before = fingerprint(project.root)

    with pytest.raises(LocalError, match=r"README\.md, untracked\.txt") as refusal:
        await begin(project)

    assert "stash" in str(refusal.value.remedy)
    assert fingerprint(project.root) == before


async def test_another_branch_is_refused(project: Project) -> None:
    project.git("checkout", "-q", "-b", "feature")
    with pytest.raises(LocalError, match="on the branch 'feature'"):
        await begin(project)
    project.git("checkout", "-q", "--detach")
    with pytest.raises(LocalError, match="not on a branch"):
        await begin(project)


async def test_two_runs_in_one_place_are_refused(project: Project) -> None:
    place, _ = await begin(project)

    with pytest.raises(LocalError, match="Another worker"):
        await begin(project)
    await place.give_back()


async def test_a_change_hidden_in_the_index_is_found_and_not_overwritten(project: Project) -> None:
    project.git("update-index", "--skip-worktree", "README.md")
    (project.root / "README.md").write_text("mine, and hidden from git status\n")
    assert project.git("status", "--porcelain") == ""

    with pytest.raises(LocalError, match=r"README\.md"):
        await begin(project)

    assert (project.root / "README.md").read_text() == "mine, and hidden from git status\n"


async def test_files_that_a_filter_makes_are_refused(project: Project) -> None:
    git(project.root, "config", "--global", "filter.up.clean", "tr A-Z a-z", env=project.env)
    git(project.root, "config", "--global", "filter.up.smudge", "tr a-z A-Z", env=project.env)
    (project.root / ".gitattributes").write_text("*.big filter=up\n")
    (project.root / "x.big").write_text("LOUD\n")
    project.git("add", ".")
    project.git("commit", "-qm", "with a filter")
    project.git("push", "-q", "origin", "main")
    assert project.git("status", "--porcelain") == ""

    with pytest.raises(LocalError, match="Git LFS"):
        await begin(project)

    assert (project.root / "x.big").read_text() == "LOUD\n"


async def test_submodules_are_refused(project: Project) -> None:
    library = project.place / "library"
    git(project.place, "init", "-q", library, env=project.env)
    git(library, "commit", "-q", "--allow-empty", "-m", "x", env=project.env)
    project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "library")
    project.git("commit", "-qm", "with a library")

    with pytest.raises(LocalError, match="submodules"):
        await begin(project)


@pytest.mark.parametrize(
    ("act", "seen"),
    [
        (("commit", "-q", "--allow-empty", "-m", "x"), "refs/heads/main"),
        (("checkout", "-q", "-b", "other"), "HEAD"),
        (("config", "core.fsmonitor", "/bin/evil"), "config"),
        (("rm", "-q", "--cached", "README.md"), "index"),
        (("tag", "v1"), "refs/tags/v1"),
        (("stash", "push", "-q", "-u"), "refs/stash"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
async def test_what_an_agent_does_to_the_users_repository_is_reported(
    project: Project, act: tuple[str, ...], seen: str
) -> None:
    place, _ = await begin(project)
    (project.root / "README.md").write_text("changed\n")
    project.git(*act)

    aftermath = await place.give_back()

    assert seen in aftermath.changed
    assert seen in aftermath.sentence("abc") and "abc" in aftermath.sentence("abc")
    assert (project.root / "README.md").read_text() == "A shop.\n"


async def test_looking_at_the_state_is_no_change(project: Project) -> None:
    place, _ = await begin(project)
    os.utime(project.root / "README.md", (1, 1))
    project.git("status")  # refreshes the index

    assert not await place.give_back()


async def test_a_planted_hook_is_reported_and_not_run(project: Project, tmp_path: Path) -> None:
    place, fetched = await begin(project)
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        (project.root / ".git" / "hooks" / name).parent.mkdir(exist_ok=True)
        (project.root / ".git" / "hooks" / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
        (project.root / ".git" / "hooks" / name).chmod(0o755)
    git(project.root, "checkout", "-q", "-f", "main", env=project.env)
    assert (tmp_path / "executed").exists(), "the control"
    (tmp_path / "executed").unlink()
    (project.root / "README.md").write_text("changed\n")

    await place.clone.worktree.changes(fetched.start)
    aftermath = await place.give_back()

    assert "hooks/post-checkout" in aftermath.changed
    assert not (tmp_path / "executed").exists()


async def test_the_users_git_is_not_replaced_by_anything_we_do(project: Project) -> None:
    place, fetched = await begin(project)
    bench = Bench(project, place.clone, fetched)
    (project.root / "new.txt").write_text("new\n")
    sha = await bench.commit()
    theirs = project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    assert await place.clone.publish(sha, BRANCH) == Rejected(theirs)

    rebased = await place.clone.rebase(fetched, sha, theirs)
    await place.clone.prepare(fetched)
    (project.root / "more.txt").write_text("more\n")
    ref = await place.clone.worktree.park(
        base=fetched.start, task="S-1", fence=1, identity=place.clone.checkout.identity
    )
    aftermath = await place.give_back()

    assert isinstance(rebased, Rebased) and ref is not None
    assert not aftermath
    assert project.git("log", "--format=%s") == "A shop"
    assert project.git("status", "--porcelain") == ""


async def test_after_a_run_that_was_killed_the_message_says_so(project: Project) -> None:
    project.push_as_teammate(BRANCH, "theirs.txt", "theirs\n")
    place, _ = await begin(project)
    place.clone.close()  # as when the worker is killed: nothing is given back

    with pytest.raises(LocalError, match="An earlier run in place ended"):
        await begin(project)
