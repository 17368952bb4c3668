"""Foreign text on its way to a terminal."""

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from rich.console import Console
from rich.text import Text

from locus.cli.invocation import Invocation
from locus.cli.output import Column, Output, fitted, hanging
from locus.cli.text import ago, duration, safe
from locus.server.dashboard import words


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1bP1$r\x1b\\x", "x"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1bcreset", "reset"),
        ("\x1b(Bx", "x"),
        ("bell\x07back\x08\x7f", "bellback"),
        ("a\rb", "ab"),
        ("a\nb\tc", "a b c"),
        ("abc\u202ecba", "abc\\u{202e}cba"),
        ("\u2066x\u2069", "\\u{2066}x\\u{2069}"),
        ("tag\U000e0041", "tag\\u{e0041}"),
        ("zero\u200bwidth\ufeff", "zero\u200bwidth\\u{feff}"),
        ("line\u2028sep", "line\\u{2028}sep"),
        ("👩‍👩‍👧 über 日本語 שלום", "👩‍👩‍👧 über 日本語 שלום"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("\x1b[31", ""),
    ],
)
def test_what_a_terminal_would_obey_is_gone_and_what_deceives_is_shown(foreign: str, shown: str) -> None:
    assert safe(foreign) == shown


def test_lines_stay_when_they_are_wanted() -> None:
    assert safe("a\r\nb\n\tc\rd", lines=True) == "a\nb\n\tcd"


@given(st.text())
def test_nothing_that_controls_a_terminal_ever_passes(foreign: str) -> None:
    for character in safe(foreign):
        assert unicodedata.category(character) != "Cc"
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


@given(st.text(alphabet="\x1b[]();0123mcH\x07\x9b\\ab"))
def test_removing_sequences_never_puts_a_new_one_together(foreign: str) -> None:
    assert not re.search(r"[\x1b\x9b\x07]", safe(foreign))
    assert safe(safe(foreign)) == safe(foreign)


@given(st.text())
def test_json_is_harmless_to_a_terminal_and_still_says_the_same(foreign: str) -> None:
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        Output(Invocation(json=True)).json({"text": foreign})

    assert json.loads(said.getvalue()) == {"text": foreign}
    assert safe(said.getvalue(), lines=True) == said.getvalue()


def test_a_table_for_a_pipe_is_aligned_and_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Output(Invocation()).table(
        [Column("KEY"), Column("N", right=True), Column("TITLE", grows=True)],
        [["A-1", "5", "日本"], ["A-100", "12", "x" * 300]],
    )

    assert capsys.readouterr().out.splitlines() == [
        "KEY     N  TITLE",
        "A-1     5  日本",
        f"A-100  12  {'x' * 300}",
    ]


@pytest.mark.parametrize(("width", "indent"), [(60, 12), (37, 12), (36, 4), (20, 4)])
def test_what_does_not_fit_goes_on_below_its_column_where_there_is_room(width: int, indent: int) -> None:
    console = Console(width=width, force_terminal=True)

    first, *rest = [piece.plain.rstrip() for piece in hanging(Text("✓ disk      " + "word " * 20), console, 12)]

    assert first.startswith("✓ disk      word")
    assert rest
    assert all(len(line) - len(line.lstrip()) == indent for line in rest)
    assert max(len(line) for line in [first, *rest]) <= width


def test_a_command_that_is_to_be_copied_is_not_broken_where_it_fits_into_a_line() -> None:
    console = Console(width=50, force_terminal=True)

    def pieces(text: str) -> list[str]:
        return [piece.plain.rstrip() for piece in hanging(Text(text), console)]

    assert pieces('No sessions yet. Begin one: locus exec "What is to be done"') == [
        "No sessions yet. Begin one:",
        '    locus exec "What is to be done"',
    ]
    assert pieces("Begin one: locus service install bot") == ["Begin one: locus service install bot"]
    long = pieces("Begin one: locus exec " + "word " * 20)
    assert long[0] == "Begin one:"
    assert all(line.startswith("    ") and len(line) <= 50 for line in long[1:])


def test_in_a_narrow_terminal_numbers_stay_whole_and_what_grows_gives_way_first() -> None:
    columns = [Column("N", right=True), Column("STATE"), Column("PATH", grows=True), Column("WHO", grows=True)]

    assert fitted([9, 20, 40, 30], columns, 200) == [9, 20, 40, 30]
    assert fitted([9, 20, 40, 30], columns, 79) == [9, 20, 25, 25]
    assert fitted([9, 20, 40, 30], columns, 49) == [9, 16, 12, 12]
    assert fitted([9, 20, 40, 30], columns, 39) == [9, 10, 10, 10]
    assert fitted([9, 3, 40, 30], columns, 10) == [9, 3, 5, 5]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (187, "3 min 7 s"),
        (1806, "30 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d"),
        (-3, "0 s"),
    ],
)
def test_a_length_of_time_is_said_in_at_most_two_units(seconds: float, said: str) -> None:
    assert duration(seconds) == words.duration(seconds) == said


def test_how_long_ago_is_said_in_words() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert ago(now - timedelta(seconds=2), now=now) == "now"
    assert ago(now - timedelta(minutes=3), now=now) == "3 min ago"
