"""The specification names its tests; each of them exists."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
SPEC = [*sorted((DOCS / "spec").glob("*.md")), DOCS / "trust.md"]


@pytest.fixture(scope="module")
def names() -> set[str]:
    """The names of all test functions and state machines."""
    sources = [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")]
    return {
        name for source in sources for name in re.findall(r"^\s*(?:async )?(?:def|class) (\w+)", source, re.MULTILINE)
    }


@pytest.mark.parametrize("page", SPEC, ids=lambda page: page.stem)
def test_every_test_that_a_page_of_the_specification_names_exists(page: Path, names: set[str]) -> None:
    named = set(re.findall(r"`(test_\w+|Test\w+)`", page.read_text(encoding="utf-8")))

    assert named
    assert named <= names


@pytest.mark.parametrize("page", SPEC, ids=lambda page: page.stem)
def test_every_bullet_of_the_specification_names_a_test(page: Path) -> None:
    bullets = re.split(r"^- ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]

    without = [bullet.splitlines()[0] for bullet in bullets if not re.search(r"`[Tt]est_?\w+`", bullet)]

    assert without == []
