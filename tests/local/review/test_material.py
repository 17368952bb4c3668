"""What a reviewer is shown, and what is said of what it is not shown."""

import pytest

from locus.local.git.hunks import FileDiff, Hunk, Line
from locus.local.review.material import WIDEST, material


def added(path: str, *texts: str, cut: bool = False) -> FileDiff:
    lines = tuple(Line(text, None, at + 1) for at, text in enumerate(texts))
    return FileDiff(path, "A", (Hunk(lines),) if lines else (), cut=cut)


@pytest.mark.parametrize(
    ("file", "whole"),
    [
        (added("a.py", "short"), True),
        (added("a.bin"), True),
        (added("a.py", "x" * (WIDEST + 1)), False),
        (added("a.py", "short", cut=True), False),
        (added("a.py", cut=True), False),
    ],
)
def test_what_is_not_shown_to_its_end_is_named(file: FileDiff, whole: bool) -> None:
    shown = material([file, added("b.py", "other")])

    assert shown.left_out == (() if whole else (file.path,)) and shown.whole is whole
    assert "other" in shown.text
