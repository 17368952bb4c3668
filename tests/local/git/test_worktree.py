"""A clean tree before, an exact reading after."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.local.git.project import Bench, edit, git, new_file


async def test_counts_and_paths_are_those_of_the_change(bench: Bench) -> None:
    edit(bench)
    new_file(bench)
    (bench.tree / "README.md").rename(bench.tree / "LIESMICH.md")

    changes = await bench.worktree.changes(bench.base)

    assert (changes.files, changes.added, changes.removed) == (3, 2, 1)
    assert changes.paths == ("LIESMICH.md", "README.md", "new.txt", "src/shop.py")
    renamed = next(entry for entry in changes.entries if entry.status == "R")
    assert (renamed.old_path, renamed.path) == ("README.md", "LIESMICH.md")


async def test_an_untouched_tree_has_no_changes(bench: Bench) -> None:
    assert not await bench.worktree.changes(bench.base)


async def test_only_ignored_files_are_no_change(bench: Bench) -> None:
    (bench.tree / "debug.log").write_text("x")
    (bench.tree / "node_modules" / "left-pad").mkdir(parents=True)
    (bench.tree / "node_modules" / "left-pad" / "index.js").write_text("x")

    assert not await bench.worktree.changes(bench.base)


async def test_a_touched_file_with_the_same_content_is_no_change(bench: Bench) -> None:
    os.utime(bench.tree / "README.md", (1, 1))

    assert not await bench.worktree.changes(bench.base)


async def test_a_second_task_is_compared_with_its_own_base(bench: Bench) -> None:
    edit(bench)
    first = await bench.commit()
    await bench.clone.prepare(bench.fetched, at=first)

    assert not await bench.worktree.changes(first)
    assert await bench.worktree.changes(bench.base)


async def test_a_change_of_the_mode_alone_is_a_change(bench: Bench) -> None:
    (bench.tree / "src" / "shop.py").chmod(0o755)

    changes = await bench.worktree.changes(bench.base)

    assert [(entry.old_mode, entry.new_mode) for entry in changes.entries] == [("100644", "100755")]
    assert (changes.added, changes.removed) == (0, 0)


async def test_a_binary_file_counts_as_a_file_without_lines(bench: Bench) -> None:
    (bench.tree / "logo.png").write_bytes(b"\x89PNG\0\0\xff" * 100)

    changes = await bench.worktree.changes(bench.base)

    assert (changes.files, changes.added) == (1, 0)


async def test_a_failed_task_leaves_nothing_to_the_next_but_ignored_files(bench: Bench) -> None:
    edit(bench)
    new_file(bench)
    (bench.tree / "deep" / "er").mkdir(parents=True)
    (bench.tree / "deep" / "er" / "x").write_text("x")
    (bench.tree / "node_modules").mkdir()
    (bench.tree / "node_modules" / "kept.js").write_text("kept")
    git(bench.tree, "init", "-q", "--bare", "fixtures.git", env=bench.project.env)
    git(bench.tree, "init", "-q", "nested", env=bench.project.env)
    git(bench.tree / "src", "init", "-q", env=bench.project.env)

    await bench.clone.prepare(bench.fetched)

    assert not await bench.worktree.changes(bench.base)
    assert sorted(path.name for path in bench.tree.iterdir()) == [
        ".git",
        ".gitignore",
        "README.md",
        "node_modules",
        "src",
    ]
    assert sorted(path.name for path in (bench.tree / "src").iterdir()) == ["shop.py"]


async def test_ignored_files_go_when_asked(bench: Bench) -> None:
    (bench.tree / "node_modules").mkdir()
    (bench.tree / "node_modules" / "x.js").write_text("x")

    await bench.clone.prepare(bench.fetched, keep_ignored=False)

    assert not (bench.tree / "node_modules").exists()


async def test_a_tree_deeper_than_any_path_is_cleaned_away(bench: Bench) -> None:
    script = (
        "import os\nfor _ in range(1500):\n    os.mkdir('deepdeepdeep'); os.chdir('deepdeepdeep')\nopen('x', 'w')\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=bench.tree, check=True)

    try:
        await bench.clone.prepare(bench.fetched)
        assert not (bench.tree / "deepdeepdeep").exists()
    finally:  # nobody else could remove it
        subprocess.run(["rm", "-rf", str(bench.tree / "deepdeepdeep")], check=True)


async def test_the_tree_itself_may_be_gone_or_a_link(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    subprocess.run(["rm", "-rf", str(bench.tree)], check=True)
    bench.tree.symlink_to(tmp_path / "elsewhere")

    await bench.clone.prepare(bench.fetched)

    assert (bench.tree / "README.md").is_file() and not bench.tree.is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_an_index_that_is_damaged_is_made_anew(bench: Bench) -> None:
    bench.worktree.index.write_bytes(b"garbage")
    bench.worktree.index.with_name("index.lock").write_bytes(b"")
    edit(bench)

    await bench.clone.prepare(bench.fetched)

    assert not await bench.worktree.changes(bench.base)
