"""The lines of a change that is in no commit, whatever the user has told their git about how to show one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.local.git.project import Bench

from locus.local.git.hunks import LONGEST, between, read, uncommitted

CONFIG = """
[diff]
suppressBlankEmpty = true
submodule = log
noprefix = true
relative = true
[color]
ui = always
[protocol "file"]
allow = always
"""


async def test_every_line_has_its_number_and_its_file_however_git_is_set_up(tmp_path: Path) -> None:
    home, root, other = tmp_path / "home", tmp_path / "shop", tmp_path / "other"
    for folder in (home, root, other):
        folder.mkdir()
    (home / ".gitconfig").write_text(CONFIG)
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments: str, cwd: Path = root) -> None:
        subprocess.run(["git", *arguments], cwd=cwd, env=env, check=True, capture_output=True)

    for folder in (root, other):
        git("init", "-q", "-b", "main", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "Begin", cwd=other)
    (root / "a.txt").write_text("1\n\n3\n\n5\n")
    (root / "o.txt").write_text("before\n")
    git("submodule", "--quiet", "add", str(other), "part")
    git("add", ".")
    git("commit", "-q", "-m", "Begin")
    git("commit", "-q", "--allow-empty", "-m", "More", cwd=root / "part")
    (root / "a.txt").write_text("1\n\n3\n\nfive\n")
    (root / "o.txt").write_text("after\n")
    (root / "z.txt").write_text("new\n")

    found = {file.path: file for file in await uncommitted(root, env, staged=False)}

    assert [(line.new, line.text) for hunk in found["a.txt"].hunks for line in hunk.lines if line.new] == [
        (2, ""),
        (3, "3"),
        (4, ""),
        (5, "five"),
    ]
    assert [line.text for hunk in found["o.txt"].hunks for line in hunk.lines] == ["before", "after"]
    assert [line.text for hunk in found["z.txt"].hunks for line in hunk.lines] == ["new"]
    assert "part" in found


async def test_no_attribute_of_the_tree_hides_a_line(bench: Bench) -> None:
    (bench.tree / ".gitattributes").write_text("*.py -diff\n*.js binary\n")
    (bench.tree / "a.py").write_text("import os\n")
    (bench.tree / "a.js").write_text("alert(1)\n")

    found = {file.path: file for file in await between(bench.clone.git, bench.base, await bench.worktree.snapshot())}

    assert [found[name].hunks[0].lines[0].text for name in ("a.py", "a.js")] == ["import os", "alert(1)"]


def test_of_a_change_without_end_the_beginning_is_read_and_the_small_files_are_whole() -> None:
    row = "+" + "x" * 99 + "\n"
    many = LONGEST // len(row) + 50
    names = [*(f"{at}.csv" for at in range(6)), "small.py"]
    raw = "".join(f":000000 100644 {'0' * 40} {'1' * 40} A\0{name}\0" for name in names)
    said = "".join(f"diff --git a/x b/x\n@@ -0,0 +1,{many} @@\n{row * many}" for _ in names[:-1])
    said += "diff --git a/x b/x\n@@ -0,0 +1 @@\n+print(1)\n"

    found = read(f"{raw}\0{said}")

    assert [file.cut for file in found] == [True] * 6 + [False]
    assert found[-1].changed == 1 and found[0].changed < many and found[0].hunks[0].lines[-1].text == "x" * 99
    assert sum(file.changed for file in found) < 5 * many, "all of them together have an end, too"
