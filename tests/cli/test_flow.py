"""Words as they come: whatever the pieces, nothing is lost, and no line begins or ends where it must not."""

from hypothesis import given, settings, strategies as st

from locus.cli.flow import LEAST, Flow, cells

INDENT = 4
WORDS = st.text(alphabet=st.sampled_from("ab日 \n\t-/"), max_size=120)


def flowed(pieces: list[str], width: int, *, hang: int | None = None, indent: int = INDENT) -> str:
    written: list[str] = []
    flow = Flow(written.append, width, indent=indent, hang=hang)
    for piece in pieces:
        flow.feed(piece)
    flow.end()
    return "".join(written)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8), st.integers(1, 100))
def test_every_line_is_indented_and_fits_and_no_word_is_lost(pieces: list[str], width: int) -> None:
    shown = flowed(pieces, width)

    for line in shown.split("\n"):
        assert not line.strip() or line.startswith(" " * INDENT)
        assert cells(line) <= max(width, INDENT + LEAST)
    assert "".join(shown.split()) == "".join("".join(pieces).split())


def test_a_line_is_wrapped_between_words_wherever_the_pieces_end() -> None:
    text = "It sells many things to many people, and nobody knows why."
    whole = flowed([text], 40)

    assert whole == "    It sells many things to many people,\n    and nobody knows why.\n"
    assert flowed(list(text), 40) == whole


def test_a_line_of_ours_hangs() -> None:
    assert flowed(["one two three four five"], 18, indent=0, hang=4) == "one two three four\n    five\n"


def test_a_word_that_surely_fits_is_shown_before_it_is_whole() -> None:
    written: list[str] = []
    Flow(written.append, 80).feed("Let me thi")

    assert "".join(written) == "Let me thi"
