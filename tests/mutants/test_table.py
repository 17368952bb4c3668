"""Every mutant can still be made. `make mutants` makes them, and demands that the tests notice."""

from pathlib import Path

import pytest
from tests.mutants.table import MUTANTS, SOURCE, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies_and_is_still_a_program(mutant: Mutant) -> None:
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        texts[edit.file] = edit.applied(texts.get(edit.file) or (SOURCE / edit.file).read_text())

    for name, text in texts.items():
        compile(text, name, "exec")
    assert all((ROOT / name.partition("::")[0]).is_file() for name in mutant.tests)


def test_there_are_twelve() -> None:
    assert [mutant.name for mutant in MUTANTS] == [f"M{number}" for number in range(1, 13)]
