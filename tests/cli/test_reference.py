"""The reference says what the program does, because the program wrote it."""

from pathlib import Path

from locus.cli import reference
from locus.cli.overview import SUMMARIES
from locus.local.project import CHECK_KEYS, OWN_KEYS
from locus.local.settings import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_reference_is_what_the_program_says_of_itself() -> None:
    told = PAGE.read_text()

    assert told == reference.text(), "write it again: python -m locus.cli.reference > docs/reference.md"


def test_every_command_and_setting_is_in_it() -> None:
    told = PAGE.read_text()

    assert [name for name in SUMMARIES if f"#### `locus {name}" not in told] == []
    assert [setting.name for setting in TABLE if f"| `{setting.name}` |" not in told] == []


def test_every_key_of_the_repositorys_file_is_in_it() -> None:
    told = PAGE.read_text()
    keys = [*OWN_KEYS, *(f"checks.NAME.{key}" for key in CHECK_KEYS)]

    assert [key for key in keys if f"| `{key}` |" not in told] == []
