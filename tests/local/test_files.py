"""Files of ours: whole or not at all, and trusted only when nobody else can write them."""

import os
from pathlib import Path

import pytest

from locus.local import files
from locus.local.errors import LocalError


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "target").mkdir(parents=True)

    with pytest.raises(LocalError, match="cannot be written"):
        files.write(place / "target", "text")

    assert [path.name for path in place.iterdir()] == ["target"]


def test_a_new_file_is_the_user_s_alone_from_its_first_moment(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.write(tmp_path / "new" / "file", "text")
    finally:
        os.umask(before)

    assert (tmp_path / "new" / "file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_file_of_another_user_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("consent = true")
    path.chmod(0o600)
    if os.geteuid() != 0:
        assert files.read_private(path) == "consent = true"
        return
    os.chown(path, 12345, -1)

    with pytest.raises(LocalError, match="belongs to another user"):
        files.read_private(path)


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "nothing") is None
    assert files.read_private(tmp_path / "nothing" / "below") is None
