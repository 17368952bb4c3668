"""Which files have to do with a text."""

import time
from pathlib import Path

import pytest
from tests.local.codemap.mapped import mapped

from locus.local.codemap.nearest import asked

SHOP = {
    "shop/till.py": "from shop.money import Money\n\n\ndef pay(amount: Money) -> None: ...\n",
    "shop/money.py": "class Money:\n    def rounded(self): ...\n",
    "shop/door.py": "class Door:\n    def open(self): ...\n",
    "shop/lamp.py": "class Lamp: ...\n",
    "tests/test_till.py": "from shop.till import pay\n\n\ndef test_pay(): pay(3)\n",
    "CHANGELOG.md": "- People can pay. pay pay pay. The door can open.\n",
}


def test_what_a_text_names_comes_first(tmp_path: Path) -> None:
    with mapped(tmp_path, SHOP) as here:
        assert here.nearest("Let people pay by card")[0] == "shop/till.py"
        assert here.nearest("Doors that open by themselves")[0] == "shop/door.py"
        assert here.nearest("class Lamp is too dark")[0] == "shop/lamp.py"


def test_a_file_that_the_nearest_ones_mention_is_near_although_it_shares_no_word(tmp_path: Path) -> None:
    with mapped(tmp_path, SHOP) as here:
        found = here.nearest("pay")

    assert "shop/money.py" in found
    assert "shop/lamp.py" not in found


def test_a_path_in_the_text_outranks_every_word(tmp_path: Path) -> None:
    with mapped(tmp_path, SHOP) as here:
        assert here.nearest("pay and pay, see shop/lamp.py")[0] == "shop/lamp.py"
        assert here.nearest("pay and pay, see lamp.py.")[0] == "shop/lamp.py"


def test_a_history_of_changes_is_near_to_nothing(tmp_path: Path) -> None:
    with mapped(tmp_path, SHOP) as here:
        assert here.nearest("open the door and pay").index("CHANGELOG.md") > 1


def test_a_text_of_empty_words_finds_nothing(tmp_path: Path) -> None:
    with mapped(tmp_path, SHOP) as here:
        assert here.nearest("and the of") == []
        assert here.nearest('"" OR * NEAR(') == here.nearest("near")
        assert here.nearest("") == []


@pytest.mark.parametrize("character", ["x", ".", "/"])
def test_a_long_word_is_read_once(character: str) -> None:
    began = time.perf_counter()

    found = asked(f"see src/shop.py. {character * 65_536} and a.b, ./c")

    assert found.paths == {"src/shop.py", "a.b", "c"}
    assert time.perf_counter() - began < 5
