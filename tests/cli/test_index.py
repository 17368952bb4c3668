"""`locus index` as a person types it, in good and in hostile trees."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.local.codemap.mapped import write
from tests.support import person as persons
from tests.support.person import Person
from tests.support.terminal import Terminal

FILES = {
    "pyproject.toml": '[project]\nname = "shop"\n\n[project.scripts]\nshop = "shop.main:main"\n',
    "shop/till.py": "class Till:\n    def pay(self, amount):\n        return amount\n",
    "shop/main.py": "def main(): ...\n",
    "web/index.js": "function draw() {}\n",
    "tests/test_till.py": "def test_paying(): ...\n",
    "secret.py": "KEY = 1\n",
    ".gitignore": "/secret.py\n",
}


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    ada = persons.new(tmp_path)
    write(ada.repository("shop", remote=False), FILES)
    ada.git("add", ".", cwd=shop(ada))
    ada.git("commit", "-q", "-m", "Shop", cwd=shop(ada))
    return ada


def shop(ada: Person) -> Path:
    return ada.home / "shop"


def told(ada: Person, *arguments: str) -> Any:
    said = ada.locus("index", *arguments, "--json", cwd=shop(ada))
    assert said.code == 0, said
    return json.loads(said.out)


def test_the_first_time_everything_is_read_and_the_checkout_stays_as_it_was(ada: Person) -> None:
    before = ada.git("status", "--porcelain", "--ignored", cwd=shop(ada))
    first = told(ada)

    assert (first["files"], first["parsed"]) == (7, 6)
    assert told(ada)["parsed"] == 0
    assert "7 files in the index" in ada.locus("index", cwd=shop(ada)).out
    assert ada.git("status", "--porcelain", "--ignored", cwd=shop(ada)) == before
    (index,) = ada.state.glob("beside/shop-*/index.sqlite3")
    assert index.stat().st_mode & 0o077 == 0


def test_who_has_to_wait_is_told_for_what(ada: Person) -> None:
    write(shop(ada), {f"many/n{number}.py": f"def f{number}(): ...\n" for number in range(1_000)})

    def at_terminal() -> str:
        child = ada.at_terminal("index", cwd=shop(ada))
        child.expect(pexpect.EOF)
        return str(child.before)

    first, second = at_terminal(), at_terminal()

    assert re.search(r"^Reading 1,00\d files, once …\r$", first, re.MULTILINE)
    assert "Reading" not in second


def test_a_text_is_answered_with_the_files_that_it_concerns(ada: Person) -> None:
    found = told(ada, "--query", "People can pay by card", "--budget", "300")
    said = ada.locus("index", "--query", "People can pay by card", cwd=shop(ada))

    assert found["files"][0] == "shop/till.py"
    assert found["tokens"] <= 300
    assert "secret.py" not in found["map"]
    assert said.out.splitlines()[:3] == [
        "shop/till.py  (Python, 3 lines)",
        "     1  class Till",
        "     2    def pay(self, amount)",
    ]


def test_what_the_codebase_consists_of_is_shown(ada: Person) -> None:
    shown = ada.locus("index", "--show", cwd=shop(ada)).out
    found = told(ada, "--show")

    assert re.search(r"^Python +3 +\d+ +4 +1$", shown, re.MULTILINE)
    assert re.search(r"^ *2 +\d+ +3 +shop +Ada 100%$", shown, re.MULTILINE)
    assert [(entry["path"], entry["starts"]) for entry in found["entry_points"]] == [
        ("pyproject.toml", "shop = shop.main:main"),
        ("shop/main.py", "main.py"),
    ]
    assert found["tests"] == 1


def test_what_is_in_the_index_is_counted(ada: Person) -> None:
    write(shop(ada), {"large.py": "x = 1\n" * 100_000, "picture.png": b"\x89PNG"})
    found = told(ada, "--stats")

    assert found["files"] == 9
    assert found["languages"]["Python"] == 4
    assert found["unread"] == {"not read": 2, "large": 1}, "the .gitignore, too"
    assert "Known by name alone" in ada.locus("index", "--stats", cwd=shop(ada)).out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--show", "--stats"), "Use one of"),
        (("--budget", "500"), "goes with --query"),
        (("--query", " "), "Say what the map is to be about"),
        (("--query", "x", "--budget", "1"), "100<=x<=20000"),
    ],
)
def test_wrong_input_is_told_what_would_be_right(ada: Person, arguments: tuple[str, ...], says: str) -> None:
    said = ada.locus("index", *arguments, cwd=shop(ada))

    assert said.code == 2
    assert says in said.err


def test_outside_of_a_repository_it_says_where_to_go(ada: Person) -> None:
    said = ada.locus("index")

    assert said.code == 1
    assert "is not inside a git repository" in said.err


def test_an_empty_repository_has_an_empty_map(tmp_path: Path) -> None:
    ada = persons.new(tmp_path)
    (ada.home / "empty").mkdir()
    ada.git("init", "-q", cwd=ada.home / "empty")

    for flags in ((), ("--show",), ("--stats",), ("--query", "pay")):
        said = ada.locus("index", *flags, cwd=ada.home / "empty")
        assert said.code == 0, said


@pytest.mark.parametrize("flags", [("--show",), ("--query", "forged treat")])
def test_names_and_code_of_others_command_no_terminal(ada: Person, flags: tuple[str, ...]) -> None:
    for name in (
        b"a\nFORGED.py",
        b"\x1b[2J\x1b[HFORGED.py",
        b"x\rFORGED.py",
        b"caf\xe9\x9b2J.py",
        "\u202eFORGED.py".encode(),
    ):
        folder = os.fsencode(shop(ada)) + b"/" + name.removesuffix(b".py")
        Path(os.fsdecode(folder)).mkdir()
        Path(os.fsdecode(folder + b"/" + name)).write_text("def treat(x='\x1b[2J\rFORGED'): ...\n")
    (shop(ada) / "package.json").write_text(json.dumps({"main": "\x1b[2J\nFORGED"}))
    child = ada.at_terminal("index", *flags, cwd=shop(ada))
    child.expect(pexpect.EOF)

    terminal = Terminal(100).feed(str(child.before))
    assert terminal.told == []
    assert [line for line in terminal.history if line.startswith("FORGED")] == []
    assert "FORGED" in "\n".join(terminal.history)
    assert json.loads(ada.locus("index", *flags, "--json", cwd=shop(ada)).out)
