"""What a sync decides, and how a doc is written as a file: nothing is lost, whatever it says."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given, strategies as st

from locus.local.docs import form
from locus.local.docs.contents import contents
from locus.local.docs.form import Content, NotADoc, draft_of, edit_of, read, written
from locus.local.docs.rules import LEAVES, Act, decide
from locus.server.dashboard.markdown import rendered
from locus.wire.docs import DocKind

LINES = st.from_regex(r"[^\x00-\x20\x7f\ud800-\udfff][^\x00-\x1f\x7f\ud800-\udfff]{0,60}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
CONTENTS = st.builds(Content, LINES, st.sampled_from(DocKind), st.just("") | LINES, TEXTS)
A, B, C = (Content(name, DocKind.GENERAL, "", f"{name}\n") for name in "ABC")


@given(CONTENTS)
def test_a_doc_is_read_as_it_was_written(content: Content) -> None:
    assert read(written(content)) == content


@pytest.mark.parametrize("text", ["+++\n+++\n", "\n\n+++\n", "a\r\nb\r", "+++\ntitle = 1\n+++\n", "", "\n"])
def test_a_text_that_looks_like_a_head_stays_text(text: str) -> None:
    assert read(written(Content("T", DocKind.ADR, "G", text))).text == text


@pytest.mark.parametrize("text", ["a\n\nb\n", "", "+++\n"])
def test_a_file_that_an_editor_of_windows_has_saved_is_the_same_doc(text: str) -> None:
    content = Content("T", DocKind.ADR, "G", text)

    assert read("\ufeff" + written(content).replace("\n", "\r\n")) == content
    assert read("\ufeff" + written(content)) == content


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (Content("T", DocKind.ADR, "", "x" * 1_048_577), "its text has more than 1,048,576 characters."),
        (Content("", DocKind.ADR, "", ""), "its title is empty."),
        (Content("a\nb", DocKind.ADR, "", ""), "its title has a character that cannot be shown, or is no single line."),
        (Content("T", DocKind.ADR, "", "a\0"), "its text has a character that cannot be shown."),
    ],
)
def test_what_would_not_be_taken_is_said_in_words(content: Content, says: str) -> None:
    with pytest.raises(NotADoc) as refused:
        draft_of(content)

    assert refused.value.message == f"The control plane would not take it: {says}"


@pytest.mark.parametrize(
    "file",
    [
        "no head",
        '+++\ntitle = "x"\n',
        "+++\ntitle = x\n+++\n",
        '+++\ngroup = "x"\n+++\n',
        '+++\ntitle = "x"\nkind = "POEM"\n+++\n',
        '+++\ntitle = "x"\nid = 3\n+++\n',
        '+++\ntitle = "a\\nb"\n+++\n',
        '+++\ntitle = "x"\n+++\na\0b',
    ],
)
def test_a_file_that_is_no_doc_is_refused(file: str) -> None:
    with pytest.raises(NotADoc):
        read(file)


@pytest.mark.parametrize(
    ("base", "here", "there", "act"),
    [
        (A, A, A, Act.SAME),
        (A, A, B, Act.PULLED),
        (A, A, None, Act.REMOVED),
        (A, B, A, Act.UNSENT),
        (A, B, B, Act.ADOPTED),
        (A, B, C, Act.CONFLICT),
        (A, B, None, Act.GONE),
        (A, None, A, Act.RESTORED),
        (A, None, B, Act.RESTORED),
        (A, None, None, Act.FORGOTTEN),
        (None, None, A, Act.PULLED),
        (None, A, A, Act.ADOPTED),
        (None, A, B, Act.CONFLICT),
        (None, A, None, Act.NEW),
    ],
)
def test_every_state_of_both_sides_has_one_act(
    base: Content | None, here: Content | None, there: Content | None, act: Act
) -> None:
    assert decide(base, here, there, pushed=False, delete=False).act is act


def test_a_change_is_sent_only_when_the_doc_was_pushed_and_deleted_only_when_that_is_said() -> None:
    assert decide(A, B, A, pushed=True, delete=False).act is Act.SENT
    assert decide(A, None, A, pushed=True, delete=True).act is Act.DELETED
    assert decide(A, None, B, pushed=True, delete=True).act is Act.RESTORED


SIDES = st.none() | st.builds(Content, st.sampled_from("AB"), st.sampled_from(list(DocKind)[:2]), st.just(""), TEXTS)


@given(SIDES, SIDES, SIDES, st.booleans())
def test_nothing_leaves_that_was_not_pushed_and_no_words_are_lost(
    base: Content | None, here: Content | None, there: Content | None, delete: bool
) -> None:
    made = decide(base, here, there, pushed=False, delete=delete)

    assert not made.send or (made.act is Act.DELETED and delete)
    assert made.act not in LEAVES or made.send
    if here not in (None, base, there) and made.act is not Act.MERGED:
        assert made.act in (Act.CONFLICT, Act.GONE, Act.UNSENT, Act.NEW)  # the file stays as it is


def test_changes_of_different_parts_are_merged_and_of_the_same_part_are_not() -> None:
    ours = Content("A", DocKind.GENERAL, "", "ours\n")
    renamed = Content("New", DocKind.ADR, "", "A\n")

    made = decide(A, ours, renamed, pushed=True, delete=False)

    assert (made.act, made.content, made.send) == (Act.MERGED, Content("New", DocKind.ADR, "", "ours\n"), True)
    assert decide(A, ours, Content("New", DocKind.ADR, "", "theirs\n"), pushed=True, delete=False).act is Act.CONFLICT


@given(CONTENTS, CONTENTS)
def test_only_the_fields_that_differ_are_sent(one: Content, other: Content) -> None:
    edit = edit_of(one, since=other)

    differ = {name for name in form.FIELDS if getattr(one, name) != getattr(other, name)}
    assert {name for name in form.FIELDS if getattr(edit, name) is not form.msgspec.UNSET} == differ


@pytest.mark.parametrize(
    "title",
    ["](javascript:alert(1)) [x", "<script>alert(1)</script>", "](../../../../etc/passwd)", "![x](http://127.0.0.1/)"],
)
def test_no_title_becomes_more_than_the_text_of_its_link(title: str) -> None:
    doc_id: UUID = uuid4()

    html = rendered(contents({doc_id: Content(title, DocKind.GENERAL, title, "")}))

    assert html.count("<a ") == 1
    assert f'href="{doc_id}.md"' in html
    assert "<script" not in html
