"""Insights: kept once, found by what they are about, told whole or not at all."""

import json
from pathlib import Path

import pytest

from locus.local.discussion.answer import Faults, judged
from locus.local.discussion.insights import Draft, Insights, Kind, NoSuchInsight, relevant, told_about
from locus.local.discussion.kept import Discussions, NoSuchDiscussion
from locus.local.sessions.folder import Folder, folder_of


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return folder_of(tmp_path / "shop", tmp_path / "state")


def draft(title: str, text: str = "Because we said so.", kind: Kind = Kind.DECISION) -> Draft:
    return Draft(kind=kind, title=title, text=text)


def test_an_insight_that_says_the_same_is_kept_once(folder: Folder) -> None:
    insights = Insights(folder)

    first = insights.add([draft("Sessions are cookies"), draft("Sessions  are COOKIES")])
    again = insights.add([draft("Sessions are cookies"), draft("Sessions are cookies", kind=Kind.IDEA)])

    assert (len(first), len(again)) == (1, 1)
    assert [one.kind for one in insights.all()] == [Kind.DECISION, Kind.IDEA]


def test_a_better_version_takes_the_place_of_the_earlier_one(folder: Folder) -> None:
    insights = Insights(folder)
    (old,) = insights.add([draft("Sessions are cookies")])

    insights.add([Draft(kind=Kind.DECISION, title="Sessions are tokens", text="t", replaces=old.id)])

    assert [(one.id, one.title) for one in insights.all()] == [(old.id, "Sessions are tokens")]


def test_what_is_about_the_same_is_told_closest_first_and_the_rest_is_not(folder: Folder) -> None:
    insights = Insights(folder)
    insights.add(
        [
            draft("Prices are in cents", "Never floats for money."),
            draft("Search uses an index", "The index of words is rebuilt at night."),
            draft("The index is small", "It fits into memory."),
        ]
    )

    told = told_about(folder, "Rebuild the search index when a product changes")

    assert [line.split(".")[0] for line in told] == ["Decision: Search uses an index", "Decision: The index is small"]
    assert told_about(folder, "Translate the footer") == []


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Prices are in cents", "Where is the price rounded?"),
        ("Cache every query", "The queries are slow; caching may help"),
        ("Use files, no database", "Which file holds it"),
        ("Stored for a day", "How we store it"),
        ("The session store is in memory", "Make SessionStore survive a restart"),
        ("価格はセント単位で保存する", "価格を表示する"),
    ],
)
def test_an_insight_is_found_by_other_forms_of_its_words(folder: Folder, said: str, asked: str) -> None:
    Insights(folder).add([draft(said), draft("Sign in with a link", "Mails go out at night.")])

    assert [line.split(".")[0] for line in told_about(folder, asked)] == [f"Decision: {said}"]


def test_insights_are_told_whole_and_old_ones_are_not_starved_by_new_ones(folder: Folder) -> None:
    insights = Insights(folder)
    insights.add([draft("The oldest about search", "search " * 20)])
    insights.add([draft(f"Something else {n}", "Nothing of that kind, but long. " * 20) for n in range(50)])
    insights.add([draft("A long one about search", "search and more words of other things " * 40)])

    told = relevant(insights.all(), "search", budget=400)

    assert [one.title for one in told] == ["The oldest about search"]


def test_ids_mean_one_thing_and_never_leave_the_folder(folder: Folder) -> None:
    insights, discussions = Insights(folder), Discussions(folder)
    insights.add([draft(f"Number {n}") for n in range(3)])
    discussions.save(discussions.new("t", provider="claude", session="s"))

    for bad in ("", "../insights", "..", "/etc/passwd", "*", "zzzzzzzzz"):
        with pytest.raises(NoSuchInsight):
            insights.find(bad)
        with pytest.raises(NoSuchDiscussion):
            discussions.find(bad)
    assert discussions.find(discussions.all()[0].id[:5]).topic == "t"


@pytest.mark.parametrize(
    "answer",
    [
        "Let us take cookies.",
        '{"reply": ""}',
        '{"reply": "x", "insights": [{"kind": "rumour", "title": "t", "text": "t"}]}',
        '{"reply": "x", "insights": [{"kind": "idea", "title": "two\\nlines", "text": "t"}]}',
        '{"reply": "x", "insights": [{"kind": "idea", "title": "t", "text": "t", "replaces": "nobody"}]}',
        '{"reply": "x", "other": 1}',
        json.dumps({"reply": "x", "insights": [{"kind": "idea", "title": "t", "text": "t"}] * 11}),
    ],
)
def test_an_answer_with_a_fault_is_not_taken(answer: str) -> None:
    with pytest.raises(Faults):
        judged(answer, ["known"])
