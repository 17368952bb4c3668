"""Asking beside a person: an agent wants to act, and somebody at the terminal or at a phone says whether it may."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from msgspec import Struct

from locus.cli.beside.voice import print_question
from locus.cli.run import asking
from locus.cli.run.asking import AtTerminal
from locus.local.permissions.asker import Asker
from locus.local.permissions.desk import Answer, Question
from locus.local.providers.asking import Asking
from locus.local.providers.base import Provider
from locus.local.settings import Settings
from locus.local.worker import told


def permitting(
    settings: Settings, provider: Provider, state: Path, root: Path, *, command: str, typed: bool
) -> "Permitting | None":
    """Who is asked for the agents of a command; None when they need not ask. `typed` is whether keys are for that.

    Raises LocalError when the provider's agents cannot ask, or there is nobody who could answer.
    """
    terminal = AtTerminal(state) if typed and asking.at_terminal() else None
    asker = asking.asker(settings, provider, state, root, terminal=terminal is not None, command=command)
    return None if asker is None else Permitting(asker, terminal, print_question)


class Permitting(Struct, frozen=True):
    """Who can be asked as long as a command goes on. What is allowed for the run holds until its end."""

    asker: Asker
    terminal: AtTerminal | None
    """None when nobody can type an answer; then the phone decides."""
    show: Callable[[str], None]

    @contextmanager
    def during(self, session: str) -> Iterator[Asking]:
        """What an agent of the session is given for one turn, in which the terminal listens."""

        def heard(what: told.Told) -> None:
            match what:
                case told.Asked(question=question):
                    first, *more = asking.question_lines(question)
                    for line in (f"? may it?  {first}", *(f"    {line}" for line in more)):
                        self.show(line)
                case told.Answered(question=question, answer=answer):
                    self.show(f"    {asking.answer_line(question, answer)}")

        tell = self.terminal.also(heard) if self.terminal is not None else heard
        key = f"session {session}"

        def pass_on(question: Question, answer: Answer | None) -> None:
            asked = told.Asked(key=key, question=question)
            tell(asked if answer is None else told.Answered(key=key, question=question, answer=answer))

        with self.terminal.listening() if self.terminal is not None else nullcontext():
            yield self.asker.asking(key, pass_on)
