"""Nothing of a tree is in a summary, whatever an agent says. The oracle of the boundary's tests is the judge."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from tests.boundary.oracle import Oracle, alike

from locus.local.summaries import NotCompared, Place, scrub
from locus.local.summaries.tree import PIECE

GOOD = "Invoices now round each rate once, at the end."
OTHER = "Nobody has to press the button twice any more."


def scrubbed(message: str, *roots: Path, texts: tuple[bytes, ...] = (), **more: object) -> str | None:
    return scrub(message, Place(roots, texts), **{"environment": {}, **more}).text  # type: ignore[arg-type]


def test_what_is_in_no_file_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Something else is written here.")

    assert scrubbed(f"{GOOD} {OTHER}", tmp_path) == f"{GOOD} {OTHER}"


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        f"# {GOOD}\n",
        "x = 1  # invoices now round each rate\n",  # in other capitals
        "Invoices now\n   round each\trate once",  # with other blanks
        "now round each rate o",
        f"\0\0{GOOD}\0",
        "I\0n\0v\0o\0i\0c\0e\0s\0 \0n\0o\0w\0 \0r\0o\0u\0n\0d\0 \0e\0a\0c\0h\0",
        "x" * (PIECE - 10) + GOOD,  # where one piece ends and the next begins
        "y" * PIECE + " " * (PIECE + 7) + GOOD,
    ],
)
def test_a_sentence_with_20_bytes_of_a_file_is_left_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_bytes(content.encode())

    assert scrubbed(f"{GOOD} {OTHER}", tmp_path) == OTHER


def test_19_bytes_of_a_file_are_any_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("now round each rate")

    assert len("now round each rate") == 19
    assert scrubbed(GOOD, tmp_path) == GOOD


def test_two_sentences_that_only_together_are_those_of_a_file_do_not_stand_together(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("at the end. Nobody has")

    assert scrubbed(f"{GOOD} {OTHER}", tmp_path) == GOOD


def test_sentences_that_stand_together_because_one_between_them_went_are_compared_again(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("at the end. Nobody has")
    (tmp_path / "b.txt").write_text("There was a secret between them.")

    assert scrubbed(f"{GOOD} There was a secret between them. {OTHER}", tmp_path) == GOOD


def test_a_short_line_of_a_file_takes_its_paragraph_along(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    Import os\n    pass\n")

    assert scrubbed(f"It is about this:\nImport os\nThen it all works out well.\n\n{GOOD}", tmp_path) == GOOD


def test_a_word_that_is_the_name_of_a_file_is_not_said(tmp_path: Path) -> None:
    (tmp_path / "Makefile").touch()

    assert scrubbed(f"The targets are in the Makefile, as always. {GOOD}", tmp_path) == GOOD


def test_a_password_of_plain_letters_in_a_file_of_settings_is_not_said(tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text("# mine\nexport WORD='swordfish'\nSHORT=a\n")

    assert scrubbed(f"The word that opens it is swordfish, by the way. {GOOD}", tmp_path) == GOOD


def test_secrets_of_the_environment_and_names_are_not_said(tmp_path: Path) -> None:
    environment = {"DB_PASSWORD": "swordfish", "EDITOR": "rounds"}
    said = (
        "The word that opens it is swordfish, I think. Ada's machine has no problem with it. "
        f"It is Lovelace who knows it. {GOOD}"
    )

    assert scrubbed(said, tmp_path, environment=environment, names=["Ada Lovelace", "root", "x"]) == GOOD


def test_what_was_removed_from_the_tree_counts_as_well(tmp_path: Path) -> None:
    assert scrubbed(f"{GOOD} {OTHER}", tmp_path, texts=(f"// {GOOD}".encode(),)) == OTHER


def test_what_git_itself_keeps_is_not_compared_as_files(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "COMMIT_EDITMSG").write_text(GOOD)

    assert scrubbed(GOOD, tmp_path) == GOOD


def test_links_pipes_and_unreadable_files_stop_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "gone").symlink_to("nowhere")

    assert scrubbed(GOOD, tmp_path) == GOOD


def test_what_cannot_be_compared_to_its_end_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Something else.")

    with pytest.raises(NotCompared):
        scrubbed(GOOD, tmp_path, over=lambda: True)


def test_it_ends_with_a_sentence_before_500_characters(tmp_path: Path) -> None:
    said = " ".join(f"This is sentence number {number} of a long message." for number in range(30))

    text = scrubbed(said, tmp_path)

    assert text is not None
    assert 450 < len(text) <= 500
    assert said.startswith(text)
    assert text.endswith("message.")
    assert scrubbed("A word and " * 60 + "no end.", tmp_path) is None


def test_there_may_be_nothing_to_say(tmp_path: Path) -> None:
    assert scrubbed("", tmp_path) is None
    assert scrubbed("Done.", tmp_path) is None


WORDS = st.sampled_from(
    ["The", "total", "of", "all", "rows", "is", "now", "rounded", "once", "per", "rate", "any", "more"]
)
PROSE = st.lists(WORDS, min_size=4, max_size=14).map(lambda words: " ".join(words).capitalize() + ". ")
LINES = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
CODE = st.sampled_from(
    ["`f(x)` ", "x = f(y)\n", "```\nThe total of all rows is code.\n```\n", "- ", "\n\n", "src/a/b.py "]
)
BLANKS = st.sampled_from([" ", "\n", "\n    ", "\t", "\r\n", "\n# ", "  "])
FILES = st.lists(st.tuples(LINES, BLANKS).map("".join), max_size=12).map("".join)


@st.composite
def tree_and_message(draw: st.DrawFn) -> tuple[list[str], str]:
    """Files, and a message made of prose, code, and pieces of the files as they are or with other blanks."""
    files = draw(st.lists(FILES | st.text(max_size=200), min_size=1, max_size=4))
    parts = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 3))
        content = draw(st.sampled_from(files))
        start = draw(st.integers(0, max(len(content) - 1, 0)))
        piece = content[start : start + draw(st.integers(10, 80))]
        parts.append({0: draw(PROSE), 1: draw(CODE), 2: piece, 3: " ".join(piece.split()).capitalize() + ". "}[kind])
    return files, draw(st.sampled_from(["", "\n", " "])).join(parts)


@settings(deadline=None)
@given(tree_and_message())
def test_no_window_of_any_tree_is_in_what_is_made_of_any_message(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[list[str], str]
) -> None:
    files, message = made
    root = tmp_path_factory.mktemp("tree")
    oracle = Oracle({})
    for number, content in enumerate(files):
        (root / f"{number}.txt").write_text(content, newline="")
        oracle.learn(content.encode())

    text = scrubbed(message, root)

    if text is not None:
        assert len(text) <= 500
        assert oracle.leaks(text.encode()) == []
        lines = {alike(line.encode()).strip() for content in files for line in content.splitlines()}
        assert alike(text.encode()) not in lines
