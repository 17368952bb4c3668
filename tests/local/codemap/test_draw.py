"""The map as text keeps to its budget and lets no name pose as another line."""

import os

from hypothesis import given, strategies as st

from locus.local.codemap.digest import Symbol
from locus.local.codemap.draw import draw, shown, tokens
from locus.local.codemap.nearest import Found, asked
from locus.local.codemap.store import Content, File


def found(*paths: str) -> list[Found]:
    return [Found(File(at, path, at, None, (1, 1, 1, 1)), 1.0) for at, path in enumerate(paths)]


def content(*names: str) -> Content:
    return Content(100, None, [Symbol(name, "function", at + 1, 0, f"def {name}()") for at, name in enumerate(names)])


def test_the_definitions_that_the_text_asks_for_are_told_in_the_order_of_the_file() -> None:
    names = [f"other_{number}" for number in range(30)]
    contents = {0: content(*names[:15], "pay_by_card", *names[15:], "pay")}

    drawn = draw(found("till.py"), contents, asked("pay by card"), budget=200)

    lines = drawn.text.splitlines()
    assert lines[0] == "till.py  (Python, 100 lines)"
    assert [line for line in lines if "pay" in line] == ["    16  def pay_by_card()", "    32  def pay()"]
    assert lines[-1].strip() == "… 22 more"


@given(st.integers(100, 3000), st.lists(st.text(min_size=1, max_size=80), max_size=60))
def test_a_map_keeps_to_its_budget(budget: int, paths: list[str]) -> None:
    contents = {at: content(*(f"name_{number}" for number in range(at))) for at in range(len(paths))}

    drawn = draw(found(*paths), contents, asked("name"), budget=budget)

    assert drawn.tokens <= budget
    assert drawn.tokens == tokens(drawn.text)
    assert len(drawn.files) <= len(paths)


def test_bytes_that_are_no_text_are_shown_as_a_shell_takes_them() -> None:
    assert shown(os.fsdecode(b"caf\xe9.py")) == r"caf\xe9.py"
    assert shown("a\n\u202eb") == r"a\n\u202eb"


@given(st.text(min_size=1, max_size=60))
def test_a_name_stays_on_its_line(name: str) -> None:
    drawn = draw(found(name), {0: Content(1, None, [Symbol(name, "class", 1, 0, name)])}, asked("x"), budget=2000)

    assert len(drawn.text.splitlines()) == 2
    assert drawn.text.replace("\n", "").isprintable()
