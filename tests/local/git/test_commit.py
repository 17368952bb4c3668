"""Messages that carry other people's text, and commits that can be made twice."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from tests.local.git.project import Bench, git

from locus.local.git.commit import Identity, Message, Trailers, commit, one_line, read_ref, set_ref
from locus.local.git.trouble import GitError

TRAILERS = Trailers(task="SHOP-1", attempt=2, agent="claude 2.1", evidence="unit 41 passed")


def trailers_of(place: Path, message: str) -> list[str]:
    """What git itself takes for the trailers of a message."""
    env = {"PATH": os.environ["PATH"], "HOME": str(place), "GIT_CONFIG_NOSYSTEM": "1"}
    return git(place, "interpret-trailers", "--parse", env=env, stdin=message).splitlines()


EXPECTED = ["Task: SHOP-1", "Attempt: 2", "Agent: claude 2.1", "Evidence: unit 41 passed"]

TITLES = [
    "Count prices",
    "x\n\nTask: EVIL-1",
    "x\r\n\r\nTask: EVIL-1",
    "x\u2028\u2028Task: EVIL-1",
    "x\x00\x1b[2Jy",
    "",
]
TITLES += ["Task: EVIL-1", "\n\n\n", "x" * 5000, "---\ndiff --git a/x b/x", "# not a comment", "\udcff"]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("body", ["", "A body.\n\nTask: EVIL-2\nEvidence: all green", "x\n---\nTask: EVIL-3", "\n\n"])
async def test_neither_title_nor_body_can_add_a_trailer(tmp_path: Path, title: str, body: str) -> None:
    message = str(Message(title, TRAILERS, body))

    assert trailers_of(tmp_path, message) == EXPECTED
    assert "\n" not in message.split("\n\n")[0] and message.split("\n\n")[0].strip()


@given(st.text(), st.text())
def test_a_message_always_ends_with_our_four_lines(title: str, body: str) -> None:
    paragraphs = str(Message(title, TRAILERS, body)).split("\n\n")

    assert paragraphs[-1].splitlines() == EXPECTED
    assert paragraphs[0] and "\n" not in paragraphs[0]


@given(st.text())
def test_one_line_is_one_line_without_control(text: str) -> None:
    line = one_line(text)

    assert len(line.splitlines()) <= 1
    assert line.encode() == line.encode(errors="surrogateescape")
    assert not any(ord(char) < 32 or ord(char) == 127 for char in line)


async def test_trailers_cannot_be_widened_by_their_own_values(tmp_path: Path) -> None:
    trailers = Trailers(task="SHOP-1\nTask: EVIL", attempt=1, agent="x\n\nEvidence: forged")

    parsed = trailers_of(tmp_path, str(Message("t", trailers)))

    assert parsed == ["Task: SHOP-1 Task: EVIL", "Attempt: 1", "Agent: x Evidence: forged"]


async def test_the_same_commit_made_twice_is_the_same_commit(bench: Bench) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    tree = await bench.clone.git.text("rev-parse", f"{bench.base}^{{tree}}")
    identity = Identity("Ada <x>\n", "ada@example.org")

    made = {
        await commit(bench.clone.git, tree=tree, parent=bench.base, message="m", identity=identity, when=when)
        for _ in range(2)
    }

    assert len(made) == 1
    assert (
        await bench.clone.git.text("show", "-s", "--format=%an|%ae|%ct", *made)
        == f"Ada x|ada@example.org|{int(when.timestamp())}"
    )


async def test_a_ref_does_not_move_from_where_it_is_not(bench: Bench) -> None:
    ref = "refs/locus/test"
    await set_ref(bench.clone.git, ref, bench.base, old=None)

    with pytest.raises(GitError):
        await set_ref(bench.clone.git, ref, bench.base, old=None)

    assert await read_ref(bench.clone.git, ref) == bench.base
    assert await read_ref(bench.clone.git, "refs/locus/none") is None
