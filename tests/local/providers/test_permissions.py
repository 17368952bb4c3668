"""The real claude asks before it acts, and does what it was answered; nobody else is asked to ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace
from tests.support.agent_rigs import ClaudeRig, CodexRig
from tests.support.model_server import Says, Step

from locus.local.providers.asking import Asking, Verdict, Wanted
from locus.local.providers.base import Ask, Ending, Finished, Notice
from locus.local.providers.run import run

pytestmark = pytest.mark.real_agent

MAKES = "python3 -c 'print(1)' > {}"


@pytest.fixture
def rig(tmp_path: Path) -> ClaudeRig:
    return ClaudeRig(tmp_path)


class Person:
    """Answers as it was told, and remembers what it was asked."""

    def __init__(self, *answers: Verdict) -> None:
        self.asked: list[Wanted] = []
        self._answers = list(answers)

    async def decide(self, wanted: Wanted) -> Verdict:
        self.asked.append(wanted)
        return self._answers.pop(0)


def ask(rig: ClaudeRig | CodexRig, person: Person) -> Ask:
    return Ask(prompt="Do it.", cwd=rig.work, run_id=str(uuid4()), asking=Asking(person.decide))


async def ended(rig: ClaudeRig | CodexRig, asked: Ask, *script: Step) -> tuple[Finished, list[str]]:
    with rig.plays(*script) as played:
        said = run(played.provider, asked, environment=played.environment, silence=60.0, wall=120.0)
        events = [event async for event in said]
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished, [event.text for event in events if isinstance(event, Notice)]


async def test_claude_edits_its_tree_unasked_and_asks_before_a_command(rig: ClaudeRig) -> None:
    person = Person(Verdict.ONCE, Verdict.NO)

    finished, notices = await ended(
        rig,
        ask(rig, person),
        rig.writes("edited.txt", "x"),
        rig.runs("ls"),
        rig.runs(MAKES.format("one.txt")),
        rig.runs(MAKES.format("two.txt")),
        Says("Done."),
    )

    assert finished.ending is Ending.DONE, finished
    assert [(one.tool, one.what) for one in person.asked] == [
        ("Bash", MAKES.format("one.txt")),
        ("Bash", MAKES.format("two.txt")),
    ]
    assert sorted(path.name for path in rig.work.iterdir()) == ["edited.txt", "one.txt"]
    assert any("allowed once" in text for text in notices)
    assert any("not allowed" in text for text in notices)


async def test_a_yes_for_the_run_is_asked_for_once_also_when_the_conversation_goes_on(rig: ClaudeRig) -> None:
    person = Person(Verdict.RUN)
    asked = ask(rig, person)

    first, _ = await ended(rig, asked, rig.runs("git init -q one"), rig.runs("git init -q two"), Says("Done."))
    (wanted,) = person.asked
    known = Asking(person.decide, wanted.scope, wanted.folders)
    second, _ = await ended(
        rig,
        replace(asked, session=first.session, run_id=str(uuid4()), asking=known),
        rig.runs("git init -q three"),
        Says("Done."),
    )

    assert (first.ending, second.ending) == (Ending.DONE, Ending.DONE)
    assert wanted.scope == ("Bash(git init *)",)
    assert sorted(path.name for path in rig.work.iterdir()) == ["one", "three", "two"]


async def test_a_yes_for_the_run_leaves_nothing_in_the_tree_or_the_home(rig: ClaudeRig) -> None:
    await ended(rig, ask(rig, Person(Verdict.RUN)), rig.runs("git init -q one"), Says("Done."))

    assert not list(rig.root.rglob("settings*.json"))


async def test_who_is_stopped_while_it_asks_ends_and_has_not_acted(rig: ClaudeRig) -> None:
    stop = asyncio.Event()

    class Slow(Person):
        async def decide(self, wanted: Wanted) -> Verdict:
            stop.set()
            await asyncio.Event().wait()
            raise AssertionError

    with rig.plays(rig.runs(MAKES.format("one.txt")), Says("Done.")) as played:
        said = run(
            played.provider, ask(rig, Slow()), environment=played.environment, silence=60.0, wall=120.0, stop=stop
        )
        *_, finished = [event async for event in said]

    assert isinstance(finished, Finished)
    assert finished.ending is Ending.STOPPED
    assert not list(rig.work.iterdir())


async def test_an_agent_that_cannot_ask_is_not_started(tmp_path: Path) -> None:
    rig = CodexRig(tmp_path)

    finished, _ = await ended(rig, ask(rig, Person()), rig.writes("one.txt", "x"))

    assert finished.ending is Ending.MISSING
    assert "cannot ask" in finished.detail
    assert not list(rig.work.iterdir())
