"""Only what has changed is read, only what was never seen is parsed."""

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.local.codemap.mapped import mapped, write

from locus.local.codemap.digest import UNREADABLE, Digest, Source
from locus.local.codemap.parsing import digests
from locus.local.codemap.refresh import LARGE, MOST_BYTES, NOT_READ
from locus.local.codemap.store import VERSION, opened
from locus.local.errors import LocalError

FILES = {"shop/till.py": "def pay(amount): ...\n", "shop/door.py": "class Door: ...\n", "README.md": "A shop.\n"}


def settle(root: Path) -> None:
    """Make every file look as if it were left alone for a while."""
    for path in root.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)


def test_an_unchanged_tree_is_not_read_again(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES) as here:
        while here.refresh().read:  # files that were written this very moment are looked at again
            pass
        again = here.refresh()

    assert (again.files, again.read, again.parsed, again.removed) == (3, 0, 0, 0)


def test_only_the_changed_file_is_parsed(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES) as here:
        write(here.root, {"shop/till.py": "def refund(amount): ...\n"})
        again = here.refresh()

        assert again.parsed == 1
        assert here.nearest("refund")[0] == "shop/till.py"
        assert here.nearest("pay") == []


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES) as here:
        settle(here.root)
        here.refresh()
        write(here.root, {"shop/till.py": "def sip(amount): ...\n"})
        settle(here.root)

        assert here.refresh().parsed == 1
        assert here.nearest("sip") == ["shop/till.py"]


def test_a_moved_file_is_known_already_and_a_removed_one_forgotten(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES) as here:
        (here.root / "shop/till.py").rename(here.root / "shop/desk.py")
        (here.root / "shop/door.py").unlink()
        again = here.refresh()

        assert (again.parsed, again.removed) == (0, 2)
        assert here.nearest("pay") == ["shop/desk.py"]
        assert here.nearest("door") == []


def test_another_tree_of_the_same_contents_costs_no_parsing_and_is_kept_apart(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES) as here:
        other = tmp_path / "other"
        shutil.copytree(here.root, other)
        write(other, {"shop/lamp.py": "def light(): ...\n"})
        there = type(here)(here.store, other)

        assert there.refresh().parsed == 1
        assert there.nearest("light") == ["shop/lamp.py"]
        assert here.nearest("light") == []


def test_what_is_too_large_or_of_no_language_is_known_by_its_name(tmp_path: Path) -> None:
    large = b"x = 1\n" * (MOST_BYTES // 6 + 1)
    with mapped(tmp_path, {"large.py": large, "picture.png": b"\x89PNG", "a.py": "A = 1\n"}) as here:
        assert here.files() == {"a.py": None, "large.py": LARGE, "picture.png": NOT_READ}
        assert here.nearest("picture") == ["picture.png"]


def test_what_cannot_be_read_is_known_by_its_name_until_it_can_be(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES) as here:
        till = here.root / "shop" / "till.py"
        till.chmod(0)
        if os.access(till, os.R_OK):
            pytest.skip("whoever runs this may read everything")
        here.refresh()
        locked = here.files()["shop/till.py"]
        till.chmod(0o600)
        here.refresh()

        assert (locked, here.files()["shop/till.py"]) == (UNREADABLE, None)


def test_hostile_files_break_nothing_and_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("def treasure(): ...\n")
    names = [b"new\nline.py", b"\x1b[2J.py", b"caf\xe9.py", b"-rf.py", "\u202eyp.exe".encode() + b".py"]
    with mapped(tmp_path, {"deep.py": "(" * 100_000, "broken.py": b"def caf\xe9_open(): ...\n\xff\xfe"}) as here:
        for name in names:
            (Path(os.fsdecode(os.fsencode(here.root) + b"/" + name))).write_text("def treat(): ...\n")
        (here.root / "link.py").symlink_to(outside)
        (here.root / "loop").symlink_to(here.root)
        here.refresh()

        assert set(here.files()) == {"deep.py", "broken.py", *map(os.fsdecode, names)}
        assert set(here.nearest("treat")) == set(map(os.fsdecode, names))
        assert here.nearest("treasure") == []


def test_a_content_that_its_reader_cannot_bear_costs_nothing_but_itself() -> None:
    good = [(f"{number}".encode(), Source("Python", b"def a(): ...\n")) for number in range(5)]
    bad = (b"bad", Source("Python", "no bytes"))  # type: ignore[arg-type]  # the child ends over it

    async def read() -> dict[bytes, Digest]:
        return {key: digest async for part in digests([*good[:2], bad, *good[2:]]) for key, digest in part}

    found = asyncio.run(read())

    assert {key for key, digest in found.items() if digest.note == UNREADABLE} == {b"bad"}
    assert all(found[key].symbols[0].name == "a" for key, _ in good)


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_index_is_made_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.sqlite3").write_bytes(content)

    with mapped(tmp_path, FILES) as here:
        assert here.nearest("pay") == ["shop/till.py"]


def test_an_index_of_another_version_is_made_again(tmp_path: Path) -> None:
    with mapped(tmp_path, FILES):
        pass
    db = sqlite3.connect(tmp_path / "index.sqlite3")
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()

    with mapped(tmp_path, FILES) as here:
        assert here.nearest("pay") == ["shop/till.py"]


def test_an_index_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite3").mkdir()

    with pytest.raises(LocalError, match="cannot be used") as refused, opened(tmp_path / "index.sqlite3"):
        pass

    assert refused.value.remedy is not None


def test_two_at_once_make_one_index(tmp_path: Path) -> None:
    with mapped(tmp_path, {}) as here, opened(tmp_path / "index.sqlite3") as second:
        write(here.root, FILES)
        here.refresh()

        assert len(second.files(second.tree(here.root))) == 3
