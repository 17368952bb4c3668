"""A reply that is read while it is still being written is the reply, however it was cut."""

import json

from hypothesis import given, settings, strategies as st

from locus.local.discussion.answer import Reply


@settings(deadline=None)
@given(st.text(), st.lists(st.integers(1, 12), min_size=1), st.booleans())
def test_a_reply_is_read_piece_by_piece_as_it_is_written(reply: str, cuts: list[int], ascii_only: bool) -> None:
    text = json.dumps({"reply": reply, "insights": [{"text": "other"}]}, ensure_ascii=ascii_only)
    reader, read, at = Reply(), "", 0

    for step in range(len(text)):
        size = cuts[step % len(cuts)]
        read += reader.feed(text[at : at + size])
        at += size

    assert read == reply


def test_an_answer_that_begins_otherwise_tells_no_reply() -> None:
    reader = Reply()

    assert [reader.feed(piece) for piece in ('{"insights": [{"reply": "x"', '}], "reply": "y"}')] == ["", ""]
