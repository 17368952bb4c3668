"""The map of the codebase."""

from hypothesis import given, strategies as st

from locus.local.context.index import codebase_map


def test_folders_are_counted_by_kind_and_landmarks_named() -> None:
    drawn = codebase_map(["pyproject.toml", "src/a.py", "src/b.py", "src/__main__.py", "docs/x.md"])

    assert drawn.splitlines() == [
        "./  1 toml  (pyproject.toml)",
        "docs/  1 md",
        "src/  3 py  (__main__.py)",
    ]


def test_what_does_not_fit_is_counted() -> None:
    drawn = codebase_map([f"folder{number:04}/file.py" for number in range(1000)], limit=200)

    assert len(drawn) < 250
    assert drawn.splitlines()[-1] == f"… and {1000 - (len(drawn.splitlines()) - 1)} more folders"


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)))
def test_no_name_of_a_file_breaks_it(paths: list[str]) -> None:
    codebase_map(paths)
