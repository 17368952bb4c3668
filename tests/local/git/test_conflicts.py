"""Conflict markers, and what only looks like them."""

from __future__ import annotations

import pytest
from tests.local.git.project import BRANCH, Bench

from locus.local.git.changes import Fault, Unfit
from locus.local.git.commit import commit


async def test_a_merge_left_with_conflict_markers_cannot_be_committed(bench: Bench) -> None:
    bench.agent("checkout", "-q", "-b", "other")
    (bench.tree / "README.md").write_text("Theirs.\n")
    bench.agent("commit", "-qam", "theirs")
    bench.agent("checkout", "-q", BRANCH)
    (bench.tree / "README.md").write_text("Ours.\n")
    bench.agent("commit", "-qam", "ours")
    bench.agent("merge", "-q", "other", check=False)

    with pytest.raises(Unfit) as refusal:
        await bench.worktree.changes(bench.base)

    assert (refusal.value.fault, refusal.value.paths) == (Fault.CONFLICT_MARKERS, ("README.md",))
    assert await bench.worktree.changes(bench.base, allow_conflict_markers=True)


@pytest.mark.parametrize("name", [":(icase)x", "a*b[", "-e", "two\nlines"])
async def test_conflict_markers_are_found_in_a_file_of_any_name(bench: Bench, name: str) -> None:
    (bench.tree / name).write_text("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n")

    with pytest.raises(Unfit) as refusal:
        await bench.worktree.changes(bench.base)

    assert (refusal.value.fault, refusal.value.paths) == (Fault.CONFLICT_MARKERS, (name,))


async def test_a_text_about_conflicts_may_be_edited(bench: Bench) -> None:
    (bench.tree / "HOWTO.md").write_text("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n")
    changes = await bench.worktree.changes(bench.base, allow_conflict_markers=True)
    first = await commit(
        bench.clone.git,
        tree=changes.tree,
        parent=bench.base,
        message="a text",
        identity=bench.clone.checkout.identity,
    )
    with (bench.tree / "HOWTO.md").open("a") as file:
        file.write("more\n")

    assert (await bench.worktree.changes(first)).paths == ("HOWTO.md",)


@pytest.mark.parametrize("sign", ["<<<<<<< ", ">>>>>>> "])
async def test_half_a_conflict_is_a_picture_of_something_else(bench: Bench, sign: str) -> None:
    (bench.tree / "mail.txt").write_text(f"{sign}quoted seven times\n")

    assert await bench.worktree.changes(bench.base)


async def test_an_underlined_title_is_no_conflict(bench: Bench) -> None:
    (bench.tree / "doc.rst").write_text("A shop \n=======\n\nText.\n\nMore   \n=======\n")

    assert await bench.worktree.changes(bench.base)
