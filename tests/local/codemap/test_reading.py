"""A tree that leads elsewhere is not followed."""

import os
from pathlib import Path

from locus.local.codemap.reading import Tree


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_no_link_is_followed_in_any_part_of_a_path(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("SECRET = 1\n")
    root = tmp_path / "tree"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file.py").symlink_to(outside / "secret.py")
    (root / "a.py").write_text("A = 1\n")
    asked = ["a.py", "file.py", "folder/secret.py", "../outside/secret.py", "/etc/passwd", "./a.py", "a.py/x", "", "\0"]

    with Tree(root) as tree:
        stamped = [path for path, _ in tree.stamps(asked)]
        read = {path: tree.read(path, 100) for path in asked}

    assert stamped == ["a.py"]
    assert {path: content for path, content in read.items() if content is not None} == {"a.py": b"A = 1\n"}


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()

    with Tree(tmp_path) as tree:
        assert list(tree.stamps(["pipe.py", "folder.py"])) == []
        assert tree.read("pipe.py", 100) is None
        assert tree.read("folder.py", 100) is None


def test_folders_are_closed_again(tmp_path: Path) -> None:
    paths = [f"{one}/{other}/a.py" for one in "abc" for other in "def"]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("")
    before = open_files()

    with Tree(tmp_path) as tree:
        assert [path for path, _ in tree.stamps(paths)] == paths
        assert open_files() <= before + 3

    assert open_files() == before
