"""The map for a prompt, and why there is none."""

import asyncio
from pathlib import Path

from tests.local.codemap.mapped import write

from locus.local.codemap.told import Wanted, told, told_of_checkout


def ask(index: Path, root: Path, wanted: Wanted) -> tuple[str, list[str]]:
    trouble: list[str] = []
    text = asyncio.run(told(index, root, ["till.py"], "pay", wanted, trouble=trouble.append))
    return text, trouble


def test_a_prompt_is_told_what_is_near(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {"till.py": "def pay(): ...\n"})

    text, trouble = ask(tmp_path / "state" / "index", root, Wanted())

    assert text.splitlines() == ["till.py  (Python, 1 line)", "     1  def pay(): ..."]
    assert trouble == []


def test_without_a_wish_nothing_is_made(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {"till.py": "def pay(): ...\n"})

    assert ask(tmp_path / "state" / "index", root, Wanted(enabled=False)) == ("", [])
    assert not (tmp_path / "state").exists()


def test_a_prompt_does_without_a_map_that_cannot_be_had(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {"till.py": "def pay(): ...\n"})
    (tmp_path / "state").write_text("in the way\n")

    text, trouble = ask(tmp_path / "state" / "index", root, Wanted())

    assert text == ""
    assert len(trouble) == 1
    assert "has no map" in trouble[0]


def test_an_index_that_shows_its_damage_late_costs_no_prompt_its_map(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {"till.py": "def pay(): ...\n"})
    before = ask(tmp_path / "index", root, Wanted())
    with (tmp_path / "index").open("r+b") as index:
        index.seek(4096)
        index.write(b"\xa5" * 200_000)

    assert ask(tmp_path / "index", root, Wanted()) == before
    assert before[1] == []


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    trouble: list[str] = []
    asked = told_of_checkout(
        tmp_path / "index", tmp_path, {"PATH": "/usr/bin:/bin"}, "x", Wanted(), trouble=trouble.append
    )

    assert asyncio.run(asked) == ""
    assert "not a git repository" in trouble[0]
