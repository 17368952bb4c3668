"""Reading a repository's own words from a tree that an agent may have written."""

import os
from pathlib import Path

from locus.local.context import documents
from locus.local.context.documents import MAX_BYTES


def test_instructions_are_read_in_their_order(tmp_path: Path) -> None:
    (tmp_path / ".locus").mkdir()
    (tmp_path / ".locus/LOCUS.md").write_text("first")
    (tmp_path / "AGENTS.md").write_text("second")

    assert [doc.text for doc in documents.instructions(tmp_path)] == ["first", "second"]


def test_instructions_that_say_the_same_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("Use tabs.\n")
    (tmp_path / "CLAUDE.md").write_text("Use tabs.\n")

    (found,) = documents.instructions(tmp_path)

    assert found.name == "AGENTS.md"


def test_a_tree_without_instructions_has_none(tmp_path: Path) -> None:
    assert documents.instructions(tmp_path) == ()
    assert documents.learnings(tmp_path) == ()


def test_learnings_are_the_items_of_the_list(tmp_path: Path) -> None:
    (tmp_path / ".locus").mkdir()
    (tmp_path / ".locus/LEARNINGS.md").write_text("# Learnings\n\n- The clock is UTC.\n- \n-no item\n- Use tabs.\n")

    assert documents.learnings(tmp_path) == ("The clock is UTC.", "Use tabs.")


def test_an_item_goes_on_in_indented_lines() -> None:
    text = "# Learnings\n\n- The clock\n  is UTC.\n\n* Use tabs.\nNot an item.\n"

    assert documents.listed(text) == ["The clock is UTC.", "Use tabs."]


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "AGENTS.md").symlink_to(tmp_path / "secret")
    (tree / ".locus").symlink_to(tmp_path)
    (tmp_path / "LOCUS.md").write_text("also secret")

    assert documents.instructions(tree) == ()


def test_a_pipe_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "AGENTS.md")

    assert documents.instructions(tmp_path) == ()


def test_a_long_file_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_bytes(b"x" * (MAX_BYTES + 1))

    (found,) = documents.instructions(tmp_path)

    assert found.text.endswith("[cut at 32 KiB]")
