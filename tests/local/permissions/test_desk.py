"""Questions on the disk: answered once, by whoever is first, and never after their time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from locus.local.permissions.asker import Asker
from locus.local.permissions.desk import Answer, Desk, Question
from locus.local.providers.asking import Verdict, Wanted

WANTED = Wanted("Bash", "make", ("Bash(make *)",), (), dict.fromkeys(Verdict, b""))


def asked(id: str = "one", *, until: float = 2e9) -> Question:
    return Question(id=id, root="/shop", key="WEB-1", tool="Bash", what="make", asked=1.0, until=until)


def test_of_many_answers_at_once_one_counts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask(asked())

    with ThreadPoolExecutor(8) as people:
        won = list(people.map(lambda n: desk.answer("one", Answer(verdict=Verdict.ONCE, by=str(n))), range(64)))

    answer = desk.answered("one")
    assert sum(won) == 1
    assert answer is not None
    assert answer.by == str(won.index(True))
    assert desk.open() == []


def test_nobody_answers_what_was_not_asked_and_what_is_over_is_not_open(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask(asked("old", until=2.0))

    assert not desk.answer("never", Answer(verdict=Verdict.ONCE, by="Ada"))
    assert desk.open() == []


def test_only_its_owner_can_read_a_question(tmp_path: Path) -> None:
    Desk(tmp_path).ask(asked())

    places = [tmp_path / "permissions", *(tmp_path / "permissions").iterdir()]
    assert [place.stat().st_mode & 0o077 for place in places] == [0, 0]


async def test_an_answer_that_comes_when_nobody_asks_any_more_is_refused(tmp_path: Path) -> None:
    desk, seen = Desk(tmp_path), list[Question]()
    asker = Asker(tmp_path, Path("/shop"), 600.0)
    asking = asker.asking("WEB-1", lambda question, _: seen.append(question))

    deciding = asyncio.ensure_future(asking.decide(WANTED))
    async with asyncio.timeout(30):
        while not seen:
            await asyncio.sleep(0.01)
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding

    assert not desk.answer(seen[0].id, Answer(verdict=Verdict.ONCE, by="Ada"))


async def test_a_yes_for_the_run_is_remembered_for_the_next_agent_and_a_no_is_not(tmp_path: Path) -> None:
    desk, verdicts = Desk(tmp_path), [Verdict.NO, Verdict.RUN]

    def answer(question: Question, answered: Answer | None) -> None:
        if answered is None:
            assert desk.answer(question.id, Answer(verdict=verdicts.pop(0), by="Ada"))

    asker = Asker(tmp_path, Path("/shop"), 600.0)
    assert await asker.asking("WEB-1", answer).decide(WANTED) is Verdict.NO
    assert asker.asking("WEB-2", answer).rules == ()
    assert await asker.asking("WEB-2", answer).decide(WANTED) is Verdict.RUN
    assert asker.asking("WEB-3", answer).rules == ("Bash(make *)",)
