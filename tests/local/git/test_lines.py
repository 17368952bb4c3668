"""The lines of a change, whatever its files are called, and trees put together from two."""

from __future__ import annotations

from tests.local.git.project import Bench

from locus.local.git import changes as differences
from locus.local.git.ignored import look, tampered
from locus.local.git.lines import FileLines, changed_lines
from locus.local.git.overlay import overlay


async def lines_of(bench: Bench) -> dict[str, FileLines]:
    tree = await bench.worktree.snapshot()
    return {file.path: file for file in await changed_lines(bench.clone.git, bench.base, tree)}


async def test_added_lines_have_their_numbers_and_removed_ones_are_there(bench: Bench) -> None:
    (bench.tree / "README.md").write_text("one\r\ntwo\n+++ three\n--- four\n@@ -1 +1 @@\ndiff --git a/x b/x")

    file = (await lines_of(bench))["README.md"]

    assert file.added == [
        (1, "one"),
        (2, "two"),
        (3, "+++ three"),
        (4, "--- four"),
        (5, "@@ -1 +1 @@"),
        (6, "diff --git a/x b/x"),
    ]
    assert file.removed
    assert (file.existed, file.exists) == (True, True)


async def test_every_name_keeps_its_own_lines(bench: Bench) -> None:
    names = ["a b", "new\nline", 'quo"te', "-dash", ":(glob)*", "ünï"]
    for name in names:
        (bench.tree / name).write_text(f"in {name!r}\n")
    (bench.tree / "binary").write_bytes(b"\0\1\2")
    (bench.tree / "empty").touch()

    found = await lines_of(bench)

    assert {name: found[name].added for name in names} == {name: [(1, f"in {name!r}")] for name in names}
    assert (found["binary"].added, found["empty"].added) == ([], [])
    assert not found["empty"].existed


async def test_a_file_that_became_a_link_is_one_file_with_both_sides(bench: Bench) -> None:
    (bench.tree / "README.md").unlink()
    (bench.tree / "README.md").symlink_to("elsewhere")
    (bench.tree / "zzz").write_text("after it\n")

    found = await lines_of(bench)

    assert found["README.md"].added == [(1, "elsewhere")]
    assert found["README.md"].removed
    assert (found["README.md"].existed, found["README.md"].exists) == (True, True)
    assert found["zzz"].added == [(1, "after it")]


async def test_a_tree_has_the_wanted_files_of_the_other_and_the_rest_of_its_own(bench: Bench) -> None:
    git = bench.clone.git
    (bench.tree / "README.md").write_text("changed")
    (bench.tree / "added").write_text("new")
    tree = await bench.worktree.snapshot()

    only_added = await overlay(git, bench.base, tree, ["added"])
    only_old = await overlay(git, tree, bench.base, ["added"])

    assert [(one.status, one.path) for one in (await differences.between(git, bench.base, only_added)).entries] == [
        ("A", "added")
    ]
    assert [(one.status, one.path) for one in (await differences.between(git, bench.base, only_old)).entries] == [
        ("M", "README.md")
    ]


async def test_what_was_installed_is_tampered_with_when_it_is_another_file_and_not_when_more_is_installed(
    bench: Bench,
) -> None:
    installed = bench.tree / "node_modules" / "runner"
    installed.mkdir(parents=True)
    (installed / "run.js").write_text("real")
    before = await look(bench.worktree)

    (bench.tree / "node_modules" / "more.js").write_text("x")
    more = await look(bench.worktree)
    (installed / "run.js").write_text("fake")
    fake = await look(bench.worktree)
    (bench.tree / "node_modules" / "evil.pth").write_text("import os")
    startup = await look(bench.worktree)

    assert tampered(before, more) == []
    assert tampered(before, fake) == ["node_modules/runner/run.js"]
    assert tampered(before, startup) == ["node_modules/evil.pth", "node_modules/runner/run.js"]
