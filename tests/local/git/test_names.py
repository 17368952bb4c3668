"""Paths of every kind: names that something could misread, links, files in the place of directories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.local.git.project import Bench

NAMES = [
    b"two\nlines",
    b"-rf",
    b"--force",
    b":(glob)**",
    b"*",
    b"a\\b",
    b'"quoted"',
    b" space ",
    b"tab\t",
    b"\xff\xfe-not-utf8",
    b"\xc3\xa4\xe2\x82\xac",
    b"#comment",
    b"!not",
    b"x" * 255,
    b"readme.md",
    b"\x1b[31mred",
    b"trailing.",
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_strange_name_is_committed_and_cleaned_away(bench: Bench, name: bytes) -> None:
    path = Path(os.fsdecode(bytes(bench.tree) + b"/" + name))
    path.write_text("strange\n")

    changes = await bench.worktree.changes(bench.base)
    sha = await bench.commit()
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == (os.fsdecode(name),)
    listed = await bench.clone.git.local("ls-tree", "-z", "--name-only", sha)
    assert name in listed.stdout.split(b"\0")
    assert not path.exists()


async def test_links_are_committed_as_links_and_never_followed(bench: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shop.py").write_text("precious\n")
    (bench.tree / "passwd").symlink_to("/etc/passwd")
    (bench.tree / "dangling").symlink_to("nowhere")
    subprocess.run(["rm", "-r", str(bench.tree / "src")], check=True)
    (bench.tree / "src").symlink_to(outside)

    changes = await bench.worktree.changes(bench.base)
    sha = await bench.commit()
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == ("dangling", "passwd", "src", "src/shop.py")
    assert await bench.clone.git.text("cat-file", "blob", f"{sha}:passwd") == "/etc/passwd"
    assert (outside / "shop.py").read_text() == "precious\n"
    assert (bench.tree / "src" / "shop.py").read_text() == "def total(prices):\n    return 0\n"
    assert not (bench.tree / "src").is_symlink()


async def test_a_file_may_become_a_directory_and_the_other_way(bench: Bench) -> None:
    (bench.tree / "README.md").unlink()
    (bench.tree / "README.md").mkdir()
    (bench.tree / "README.md" / "part.md").write_text("x\n")
    subprocess.run(["rm", "-r", str(bench.tree / "src")], check=True)
    (bench.tree / "src").write_text("now a file\n")

    changes = await bench.worktree.changes(bench.base)
    await bench.clone.prepare(bench.fetched)

    assert changes.paths == ("README.md", "README.md/part.md", "src", "src/shop.py")
    assert (bench.tree / "README.md").is_file() and (bench.tree / "src" / "shop.py").is_file()
