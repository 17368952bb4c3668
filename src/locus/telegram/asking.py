"""Questions of agents on the phone: each is shown to everybody on the list, and whoever presses first has answered.

A command may hold code. Unless the terminal has allowed code here, only its first line is shown, as far as it is short
enough to be a command; what is left out is said, and cannot be allowed for the rest of the run.
"""

import asyncio
import time
from pathlib import Path

from locus.local.permissions.asker import GONE, NOBODY
from locus.local.permissions.desk import Answer, Desk as Questions, Question
from locus.local.providers.asking import Verdict
from locus.local.text import duration, safe
from locus.telegram.desk import Desk
from locus.telegram.markup import Block, Line, bold, code, plain
from locus.telegram.news import Wishes
from locus.telegram.outbox import Button
from locus.telegram.presses import Let

LOOK = 0.5  # seconds between looks for new questions and answers
LONGEST = 200  # characters of a line that is shown without leave to show code
LONGEST_CODE = 3000  # characters with it
SHOWN = "shown-questions"  # ids of questions whose messages still have buttons
LABELS = {Verdict.ONCE: "✓ Allow once", Verdict.RUN: "✓ Allow for this run", Verdict.NO: "✗ Deny"}
WORDS = {Verdict.ONCE: "✓ Allowed once", Verdict.RUN: "✓ Allowed for this run", Verdict.NO: "✗ Denied"}
LATE = "It was answered already, or its time is over."


class Asking:
    """Shows questions, takes answers, and shows what became of them."""

    def __init__(self, desk: Desk, state: Path) -> None:
        self._desk = desk
        self._questions = Questions(state)

    async def run(self) -> None:
        """Look for questions and answers, for ever."""
        while True:
            self.look(now=time.time())
            await asyncio.sleep(LOOK)

    def look(self, *, now: float) -> None:
        """Show new questions of projects that the bot serves, and take the buttons off settled ones."""
        served = {place.root: place.name for place in self._desk.account().projects}
        shown = set((self._desk.store.get(SHOWN) or "").split())
        before = set(shown)
        for question in self._questions.open(now=now):
            if question.id not in shown and question.root in served:
                self._show(question, served[question.root], now)
                shown.add(question.id)
        for id in sorted(shown):
            settled, answer = self._questions.get(id), self._questions.answered(id)
            if settled is not None and answer is None and settled.until >= now:
                continue
            shown.discard(id)
            if settled is not None:
                self._close(settled, answer)
        if shown != before:
            self._desk.store.put(SHOWN, " ".join(sorted(shown)) or None)

    def answer(self, press: Let, name: str) -> str | None:
        """Answer a question for somebody; what to tell them when that came too late."""
        question = self._questions.get(press.question)
        verdict = Verdict(press.verdict)
        late = question is None or question.until <= time.time()
        if late or not self._questions.answer(press.question, Answer(verdict=verdict, by=name)):
            return LATE
        self.look(now=time.time())
        return None

    def _show(self, question: Question, project: str, now: float) -> None:
        lines, whole = self._lines(question, project)
        left = duration(question.until - now)
        asks: list[Line] = [*lines, "", f"Without an answer it is denied in {left}."]
        verdicts = [Verdict.ONCE, Verdict.NO]
        if question.for_run and whole:
            verdicts.insert(1, Verdict.RUN)
        for person in self._desk.account().people:
            rows = [[self._button(question, verdict, person.user, now)] for verdict in verdicts]
            self._desk.outbox.say(
                person.chat,
                asks,
                buttons=rows,
                ref=_ref(question),
                once=f"asks:{question.id}:{person.chat}",
                silent=Wishes(self._desk.store, person.chat).holds(now),
            )

    def _button(self, question: Question, verdict: Verdict, person: int, now: float) -> Button:
        press = Let(question.id, verdict.value)
        return self._desk.buttons.make(LABELS[verdict], person, press, lasts=max(0.0, question.until - now))

    def _lines(self, question: Question, project: str) -> tuple[list[Line], bool]:
        """What the agent wants to do, and whether all of it is there to be read."""
        head = f"🔐 The agent on {code(question.key)} ({plain(project)}) asks: may it use {bold(question.tool)}?"
        text, whole = self._shown(question.what)
        lines: list[Line] = [head, Block(text)]
        if not whole:
            lines.append(
                "That is not all of it. All of it: at the terminal, or after <code>locus telegram allow code</code>."
            )
        scope = [*question.scope, *(f"edits below {folder}" for folder in question.folders)]
        if question.for_run and whole:
            lines.append(f"For this run would allow: {code(', '.join(scope), most=500)}")
        return lines, whole

    def _shown(self, what: str) -> tuple[str, bool]:
        text = safe(what, lines=True).strip()
        if "code" in self._desk.account().switches:
            return text[:LONGEST_CODE], len(text) <= LONGEST_CODE
        first = text.split("\n", 1)[0][:LONGEST]
        return first, first == text

    def _close(self, question: Question, answer: Answer | None) -> None:
        served = {place.root: place.name for place in self._desk.account().projects}
        lines, _ = self._lines(question, served.get(question.root, ""))
        if answer is None or answer.by in (NOBODY, GONE):
            said = "the run was stopped" if answer is not None and answer.by == GONE else "nobody answered in time"
            lines += ["", f"✗ Denied: {said}."]
        else:
            lines += ["", f"{WORDS[answer.verdict]} by {plain(answer.by)}."]
        for person in self._desk.account().people:
            self._desk.outbox.show(person.chat, _ref(question), lines)


def _ref(question: Question) -> str:
    return f"asks:{question.id}"
