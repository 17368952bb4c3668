"""Answers: as long as the forge takes them, written down until they are given, and only to what is still open."""

from pathlib import Path

from locus.local.forge.github import BODY_LIMIT
from locus.local.forge.threads import Said, Thread
from locus.local.worker.answering import Notebook, Waiting, replies_to
from locus.local.worker.criticism import ANSWERED, Criticism


def said(number: int, text: str = "Louder.") -> Said:
    return Said(number, "bea", "MEMBER", text)


def waiting(task: str, *threads: Thread) -> Waiting:
    replies = replies_to(Criticism(threads=threads), {}, None)
    return Waiting(task=task, commit=None, resumed=False, checks=[], replies=replies, taken=[])


def test_every_answer_fits_the_forge_and_ends_with_its_mark() -> None:
    open_ = Criticism(
        threads=(Thread("a.txt", 1, (said(1), said(2)), 1),),
        remarks=tuple(said(number, "x" * 9000) for number in range(3, 28)),
    )
    answers = {"T1": "y" * 100_000, **{f"R{at}": "@bea " + "z" * 100_000 for at in range(1, 26)}}

    replies = replies_to(open_, answers, "a" * 40)

    assert [(reply.to, reply.about) for reply in replies[:2]] == [(1, [2]), (None, list(range(3, 13)))]
    assert sorted(one for reply in replies[1:] for one in reply.about) == list(range(3, 28))
    for reply in replies:
        found = ANSWERED.search(reply.text)
        assert found and reply.text.endswith(found[0]) and len(reply.text) <= BODY_LIMIT
        assert "Done in aaaaaaaaaa." in reply.text and "@bea" not in reply.text


def test_an_answer_is_due_while_nothing_more_was_said() -> None:
    thread = Thread("a.txt", 1, (said(1), said(2)), 1)
    (reply,) = waiting("WEB-1", thread).replies

    assert reply.is_due(Criticism(threads=(thread,)))
    assert not reply.is_due(Criticism(threads=(Thread("a.txt", 1, (said(1), said(2), said(3)), 1),)))
    assert not reply.is_due(Criticism())


def test_what_is_to_be_said_is_known_until_it_is_said(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "iterated.json")
    assert book.waiting(1) == [] and book.taken(1) == []

    book.keep(1, waiting("WEB-1", Thread("a.txt", 1, (said(1),), 1)))
    book.keep(1, waiting("WEB-2"))
    book.keep(1, waiting("WEB-1"))
    book.drop(1, "WEB-2", taken=["check-1"])

    again = Notebook(tmp_path / "iterated.json")
    assert [(one.task, one.replies) for one in again.waiting(1)] == [("WEB-1", [])]
    assert again.taken(1) == ["check-1"] and again.taken(2) == []
    (tmp_path / "iterated.json").write_text("{")
    assert again.waiting(1) == [], "a file that cannot be read costs a question, and no more"
