"""Which sentences of a message are plain words."""

import re
import time

import pytest
from hypothesis import given, strategies as st

from locus.local.summaries.plain import LONGEST, sentences
from locus.wire.base import SUMMARY

GOOD = "Invoices now round each rate once, at the end."


def plain(message: str, key: str = "") -> list[str]:
    return [one.text for one in sentences(message, key=key)]


@pytest.mark.parametrize(
    "words",
    [
        GOOD,
        "I've added VAT rounding for 3 rates, e.g. the reduced one.",
        "Was it right to leave the old helper as it is?",
        "The read-only view doesn't wait any more (before, it did).",
        "Jetzt werden Beträge größer als 1,50 richtig gerundet.",
        "Теперь суммы округляются один раз, в конце.",
    ],
)
def test_plain_words_stay_as_they_are(words: str) -> None:
    assert plain(words) == [words]


@pytest.mark.parametrize(
    "words",
    [
        "See src/billing/vat.py for the new rule of rounding.",
        "The file billing.py has the new rule of rounding.",
        "It is in C:\\Users\\ada and nowhere else, I think.",
        "The total is amount * rate, rounded at the end.",
        "The helper round_once does it now for all rates.",
        "The helper roundOnce does it now for all rates.",
        "The key is sk12345abcdef and it works with that.",
        "It prints cnrybody0123456789abcdef to the log now.",
        "The hash is deadbeefdeadbeefdeadbeef for this one.",
        "The words aW1wb3J0IG9zCmltcG9ydCByZQ say it all.",
        "Ask ada@example.org what the new rule should be.",
        "It listens at 192.168.0.1 and waits for others.",
        "Then x = total(rows) is what the parser calls.",
        "Return the sum [of rows](http://example.org) now.",
        "It runs with the option --no-cache on the machine.",
        "It is 50%41 of what was there before the change.",
        "The sentence is \x1b[31mred\x1b[0m on a terminal now.",
        "The sentence is \u202eturned around on a screen now.",
        "The sentence has a tag\U000e0041\U000e0042 that is hidden here.",
        "The sentence has a blank\u200bthat nobody sees here.",
        "The variants are hidden\ufe0f\ufe01 here, I think so.",
        "return the sum of all rows in the order of dates.",
        "Three words only.",
        "Pneumonoultramicroscopicsilicovolcanoconiosis is far too long a word.",
        "A-chain-of-words-that-may-hide-something is what it says.",
        "| A table | is no sentence of plain words at all. |",
        "> A quotation is not what the agent itself has said.",
        "# A heading is no sentence of plain words at all",
        "    An indented line is a block of code in Markdown.",
        "These are the files that were changed in the end:",
    ],
)
def test_a_sentence_with_anything_else_is_left_out_whole(words: str) -> None:
    assert plain(f"{words}\n\n{GOOD}") == [GOOD]


@pytest.mark.parametrize("fence", ["```", "~~~", "```python", "  ```"])
def test_a_block_of_code_is_left_out_to_its_end_or_to_that_of_the_message(fence: str) -> None:
    code = "The words in a block look like any other words."

    assert plain(f"{GOOD}\n{fence}\n{code}\n{fence.strip()[:3]}\n") == [GOOD]
    assert plain(f"{GOOD}\n{fence}\n{code}\n") == [GOOD]


def test_code_between_backticks_becomes_an_ellipsis() -> None:
    assert plain("I replaced `round()` by a call to ``quantize`x``.") == []
    assert plain("I replaced `round()` by a call to `quantize(a, b)`.") == ["I replaced … by a call to …."]


@pytest.mark.parametrize("mark", ["`", "*", "* a", " `", "a. ", "- ", "'a", "(", "**a "])
def test_a_message_that_is_made_to_take_long_does_not(mark: str) -> None:
    began = time.monotonic()

    plain(mark * 100_000)

    assert time.monotonic() - began < 5


def test_a_sentence_that_is_mostly_code_is_left_out() -> None:
    assert plain("Changed `a`, `b`, `c` and `d` again.") == []


def test_markdown_is_taken_off() -> None:
    said = (
        "I've added **VAT rounding** to *all* of the invoices\nof INVOICES-12.\n\n"
        "- Totals are right to the cent now\n1. Rates are read once only;"
    )

    assert plain(said, key="INVOICES-12") == [
        "I've added VAT rounding to all of the invoices of INVOICES-12.",
        "Totals are right to the cent now.",
        "Rates are read once only.",
    ]


@given(st.text() | st.lists(st.text(alphabet="Aab .`*\n-0é\u200b/_"), max_size=5).map("A word or two ".join))
def test_whatever_is_said_only_what_the_wire_takes_comes_of_it(message: str) -> None:
    for said in plain(message):
        assert re.match(SUMMARY, said)
        assert max(map(len, re.findall(r"[^\W\d_]+", said))) <= LONGEST
