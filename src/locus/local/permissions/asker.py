"""Asks for an agent of a run, waits until somebody answers or the time is over, and remembers a yes for the run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from locus.local.errors import LocalError
from locus.local.permissions.desk import Answer, Desk, Question, new_id
from locus.local.providers.asking import Asking, Verdict, Wanted

LOOK = 0.2  # seconds between looks for an answer
NOBODY = "nobody"
GONE = "the run"

Told = Callable[[Question, Answer | None], None]


class Asker:
    """Of one run. `patience` is in seconds; after it the answer is no."""

    def __init__(self, state: Path, root: Path, patience: float) -> None:
        self._desk = Desk(state)
        self._root = root
        self._patience = patience
        self._rules: dict[str, None] = {}
        self._folders: dict[str, None] = {}

    def asking(self, key: str, told: Told) -> Asking:
        """What an agent at the task `key` is given. `told` hears each question, and again with its answer."""

        async def decide(wanted: Wanted) -> Verdict:
            return await self._decide(key, wanted, told)

        return Asking(decide, tuple(self._rules), tuple(self._folders))

    async def _decide(self, key: str, wanted: Wanted, told: Told) -> Verdict:
        now = time.time()
        question = Question(
            id=new_id(),
            root=str(self._root),
            key=key,
            tool=wanted.tool,
            what=wanted.what,
            scope=wanted.scope,
            folders=wanted.folders,
            for_run=wanted.for_run,
            asked=now,
            until=now + self._patience,
        )
        try:
            self._desk.ask(question)
        except LocalError:
            # Where nobody can be asked the answer is no; what keeps the disk from being written is told elsewhere.
            answer = Answer(verdict=Verdict.NO, by=NOBODY)
        else:
            told(question, None)
            answer = await self._answer(question)
        told(question, answer)
        if answer.verdict is Verdict.RUN:
            if not wanted.for_run:
                return Verdict.ONCE
            self._rules |= dict.fromkeys(wanted.scope)
            self._folders |= dict.fromkeys(wanted.folders)
        return answer.verdict

    async def _answer(self, question: Question) -> Answer:
        end = time.monotonic() + self._patience
        by = GONE
        try:
            while time.monotonic() < end:
                if (answer := self._desk.answered(question.id)) is not None:
                    return answer
                await asyncio.sleep(LOOK)
            by = NOBODY
        finally:
            # Also when we are stopped meanwhile: nobody should be able to answer what nobody asks any more.
            self._desk.answer(question.id, Answer(verdict=Verdict.NO, by=by))
        return self._desk.answered(question.id) or Answer(verdict=Verdict.NO, by=NOBODY)
