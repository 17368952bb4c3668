"""The lines of a change that is in no commit, whatever the user has told their git about how to show one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from locus.local.git.hunks import uncommitted

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
