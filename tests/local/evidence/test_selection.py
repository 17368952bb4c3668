"""Which checks run for a change, and in which order."""

import pytest

from locus.local.evidence import selection
from locus.local.project import Check, in_order

BUILD = Check("build", "make")
UNIT = Check("unit", "make test", needs=("build",))
DOCS = Check("docs", "make docs", paths=("docs/**", "*.md"))
SLOW = Check("slow", "make slow", always=False, needs=("unit",))
CHECKS = (SLOW, UNIT, BUILD, DOCS)


def names(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks]


@pytest.mark.parametrize(
    ("named", "paths", "due"),
    [
        (set(), ["src/a.py"], ["build", "unit"]),
        (set(), ["src/README.md"], ["build", "unit", "docs"]),
        (set(), ["docs/a/b.txt"], ["build", "unit", "docs"]),
        ({"docs"}, ["src/a.py"], ["build", "unit", "docs"]),
        ({"slow"}, ["src/a.py"], ["build", "unit", "slow"]),
    ],
)
def test_a_check_runs_for_its_paths_or_when_it_is_named_and_after_what_it_needs(
    named: set[str], paths: list[str], due: list[str]
) -> None:
    chosen = names(selection.due(CHECKS, named, paths))

    assert sorted(chosen) == sorted(due)
    assert [name for name in chosen if name in ("build", "unit", "slow")] == [n for n in due if n != "docs"]


def test_a_check_that_is_needed_runs_although_the_change_touches_none_of_its_paths() -> None:
    checks = (Check("build", "make", paths=("src/**",)), UNIT)

    assert names(selection.due(checks, set(), ["README.md"])) == ["build", "unit"]


def test_a_check_with_paths_may_run_whatever_an_agent_will_change() -> None:
    assert names(selection.possible(CHECKS, set())) == ["build", "unit", "docs"]


def test_what_nobody_defined_is_told() -> None:
    assert selection.unknown(CHECKS, {"unit", "imaginary"}) == ["imaginary"]


def test_a_circle_has_no_order() -> None:
    with pytest.raises(ValueError, match="a"):
        in_order([Check("a", "x", needs=("b",)), Check("b", "x", needs=("a",))])
