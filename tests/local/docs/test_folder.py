"""The folder of docs: nothing is written, read or removed outside of it, whatever was planted."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from locus.local.docs.folder import FOLDER, Documents, name_of
from locus.local.errors import LocalError

NAME = name_of(uuid4())


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    (tmp_path / "repository").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "mine.md").write_text("mine")
    return Documents(tmp_path / "repository")


def snapshot(place: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in place.rglob("*") if path.is_file()}


def test_a_file_is_written_whole_read_to_the_letter_and_kept_out_of_commits(documents: Documents) -> None:
    documents.write(NAME, "a\r\nb")

    assert documents.read(NAME) == "a\r\nb"
    assert documents.names() == [NAME]
    assert (documents.root / FOLDER / ".gitignore").read_text().endswith("*\n")
    documents.remove(NAME)
    assert documents.read(NAME) is None


PLANTED: dict[str, Callable[[Path, Path], object]] = {
    "the folder of ours is a link": lambda root, out: (root / ".locus").symlink_to(out),
    "the folder of docs is a link": lambda root, out: (
        (root / ".locus").mkdir(),
        (root / FOLDER).symlink_to(out),
    ),
    "the file is a link": lambda root, out: (
        (root / FOLDER).mkdir(parents=True),
        (root / FOLDER / NAME).symlink_to(out / "mine.md"),
    ),
    "the file is a link to nothing": lambda root, out: (
        (root / FOLDER).mkdir(parents=True),
        (root / FOLDER / NAME).symlink_to(out / "new.md"),
    ),
    "the file is a folder": lambda root, out: (root / FOLDER / NAME).mkdir(parents=True),
    "the file is a pipe": lambda root, out: ((root / FOLDER).mkdir(parents=True), os.mkfifo(root / FOLDER / NAME)),
    "its name is there in capitals": lambda root, out: (
        (root / FOLDER).mkdir(parents=True),
        (root / FOLDER / NAME.upper()).write_text("other"),
    ),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_what_was_planted_is_neither_followed_nor_replaced(documents: Documents, plant: Callable[..., object]) -> None:
    outside = documents.root.parent / "outside"
    plant(documents.root, outside)
    before = snapshot(documents.root.parent)

    for act in (
        lambda: documents.write(NAME, "x"),
        lambda: documents.make_ready(NAME),
        lambda: documents.remove(NAME),
    ):
        with pytest.raises(LocalError):
            act()
    with suppress(LocalError):
        assert documents.read(NAME) is None

    assert snapshot(documents.root.parent) == before
    assert sorted(path.name for path in outside.iterdir()) == ["mine.md"]


def test_a_second_name_of_another_file_is_not_read(documents: Documents) -> None:
    (documents.root / FOLDER).mkdir(parents=True)
    (documents.root / FOLDER / NAME).hardlink_to(documents.root.parent / "outside" / "mine.md")

    with pytest.raises(LocalError, match="hard link"):
        documents.read(NAME)


@pytest.mark.parametrize("name", ["../x.md", "a/b.md", "..", ".", "", "/etc/x.md", "a\0.md"])
def test_a_name_is_never_a_way(documents: Documents, name: str) -> None:
    for act in (lambda: documents.write(name, "x"), lambda: documents.remove(name), lambda: documents.read(name)):
        with pytest.raises(LocalError):
            documents.write(NAME, "there")
            act()
