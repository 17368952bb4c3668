"""Questions of an agent at the terminal of its run: a letter and Enter answer them, if no phone was faster."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from locus.cli.output import is_terminal
from locus.cli.text import safe
from locus.local.errors import LocalError
from locus.local.permissions.asker import GONE, NOBODY, Asker
from locus.local.permissions.desk import Answer, Desk, Question
from locus.local.providers.asking import Verdict
from locus.local.providers.base import Provider
from locus.local.settings import Settings
from locus.local.worker import told

BY = "somebody at the terminal"
LETTERS = {"o": Verdict.ONCE, "r": Verdict.RUN, "d": Verdict.NO}
LONGEST = 1000  # bytes of a line that somebody typed
SHOWN = 40  # lines of a command
WORDS = {Verdict.ONCE: "allowed once", Verdict.RUN: "allowed for this run", Verdict.NO: "denied"}


def question_lines(question: Question) -> list[str]:
    """What the agent wants to do, and what each answer means. What it says of itself is made harmless."""
    wish, *more = safe(question.what, lines=True).expandtabs(4).split("\n")
    lines = [f"{safe(question.tool)}  {wish}", *(f"    {line}" for line in more[: SHOWN - 1])]
    if len(more) >= SHOWN:
        lines.append(f"    … {len(more) - SHOWN + 1} more lines are not shown: deny what you cannot read")
    scope = [*question.scope, *(f"edits below {folder}" for folder in question.folders)]
    letters = "o: once  d: deny"
    if question.for_run:
        lines.append(f"for the run this would allow {safe(', '.join(scope))}")
        letters = "o: once  r: for this run  d: deny"
    lines.append(f"Type a letter and Enter.  {letters}")
    lines.append(f"Without an answer in {question.until - question.asked:.0f} s it is denied.")
    return lines


def answer_line(question: Question, answer: Answer) -> str:
    """What was decided, and by whom."""
    if answer.by in (NOBODY, GONE):
        return f"denied: {'nobody answered in time' if answer.by == NOBODY else 'the run was stopped'}"
    return f"{WORDS[answer.verdict]} by {safe(answer.by)}"


class AtTerminal:
    """Reads the terminal while a question waits."""

    def __init__(self, state: Path) -> None:
        self._desk = Desk(state)
        self._waiting: Question | None = None

    def also(self, tell: Callable[[told.Told], None]) -> Callable[[told.Told], None]:
        """Pass on what the run tells, and remember which question waits."""

        def heard(what: told.Told) -> None:
            match what:
                case told.Asked(question=question):
                    self._waiting = question
                case told.Answered():
                    self._waiting = None
            tell(what)

        return heard

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take what is typed until the end of the block. Needs a running loop, and a terminal."""
        loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()
        loop.add_reader(terminal, self._typed, terminal)
        try:
            yield
        finally:
            loop.remove_reader(terminal)

    def _typed(self, terminal: int) -> None:
        if os.tcgetpgrp(terminal) != os.getpgrp():
            return  # what is typed is for somebody else
        try:
            line = os.read(terminal, LONGEST).decode("utf-8", "replace").strip().lower()
        except OSError:
            line = ""
            asyncio.get_running_loop().remove_reader(terminal)
        verdict = LETTERS.get(line)
        if self._waiting is None or verdict is None or (verdict is Verdict.RUN and not self._waiting.for_run):
            return
        self._desk.answer(self._waiting.id, Answer(verdict=verdict, by=BY))


def at_terminal() -> bool:
    """Whether somebody sits at a terminal, who can read a question and answer it."""
    return is_terminal() and is_terminal(sys.stdin)


def asker(
    settings: Settings, provider: Provider, state: Path, root: Path, *, terminal: bool, command: str = "run"
) -> Asker | None:
    """Who asks for the agents of a command; None when they may work unasked.

    Raises LocalError when the provider's agents cannot ask, or there is nobody who could answer.
    """
    if settings.permissions != "ask":
        return None
    if not provider.ASKS:
        raise LocalError(
            f"Agents of {provider.NAME} cannot ask before they act.",
            remedy=f"Use claude, or let the sandbox alone decide: locus {command} --permissions allow",
        )
    if command == "run" and settings.on_limit == "switch":
        raise LocalError(
            "The agent that would take over at a usage limit could not ask before it acts.",
            remedy="Wait or stop at the limit: locus run --on-limit wait",
        )
    if not terminal and not _bot_listens():
        raise LocalError(
            "Nobody could answer the agent: there is no terminal, and no bot is at work.",
            remedy="Start the bot (locus telegram run), run this at a terminal, or add --permissions allow.",
        )
    return Asker(state, root, float(settings.ask_seconds))


def _bot_listens() -> bool:
    from locus.telegram import account, serving

    found = account.read()
    return found is not None and bool(found.people) and serving.is_running()
