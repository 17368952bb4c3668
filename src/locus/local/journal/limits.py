"""Limits of turns, tokens, money and time: for a task, for a run, for a day. What they are, and which one is reached.

They are looked at whenever the model has answered and the agent wants to go on, so that what is taken beyond a limit is
at most the answer that reached it.
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct, field

from locus.local.journal.ledger import Amounts


class Scope(StrEnum):
    TASK = "task"  # the attempts at a task since a person last gave it to agents, on this machine
    RUN = "run"
    DAY = "day"  # everything of this user on this machine since midnight, local time


class Caps(Struct, frozen=True):
    """The most that may be taken; None is no limit."""

    turns: int | None = None
    tokens: int | None = None
    usd: float | None = None
    minutes: int | None = None

    def __bool__(self) -> bool:
        return any(cap is not None for cap in (self.turns, self.tokens, self.usd, self.minutes))


class Limits(Struct, frozen=True):
    """All limits of agents. The time of one task has a limit of its own, for each attempt."""

    task: Caps = field(default_factory=Caps)
    run: Caps = field(default_factory=Caps)
    day: Caps = field(default_factory=Caps)

    @property
    def of_money(self) -> bool:
        """Whether any of them is in US dollars."""
        return any(caps.usd is not None for caps in (self.task, self.run, self.day))

    @property
    def needs_a_stream(self) -> bool:
        """Whether any of them can only be kept when the agent tells what it takes."""
        counted = ((caps.turns, caps.tokens, caps.usd) for caps in (self.task, self.run, self.day))
        return any(cap is not None for caps in counted for cap in caps)


class Reached(Struct, frozen=True):
    """One limit that is reached. `name` is that of its setting."""

    scope: Scope
    name: str
    sentence: str


def reached(caps: Caps, taken: Amounts, scope: Scope) -> Reached | None:
    """The first limit of a scope that is reached by what was taken."""
    return next(_over(caps, taken, scope), None)


def _over(caps: Caps, taken: Amounts, scope: Scope) -> Iterator[Reached]:
    where = {Scope.TASK: "for this task", Scope.RUN: "for this run", Scope.DAY: "for today"}[scope]
    if caps.usd is not None and taken.usd >= caps.usd:
        yield Reached(scope, f"{scope}_usd", f"The limit of ${caps.usd:.2f} {where} is reached: ${taken.usd:.2f}.")
    if caps.tokens is not None and taken.tokens >= caps.tokens:
        said = f"The limit of {caps.tokens:,} tokens {where} is reached: {taken.tokens:,}."
        yield Reached(scope, f"{scope}_tokens", said)
    if caps.turns is not None and taken.turns >= caps.turns:
        yield Reached(scope, f"{scope}_turns", f"The limit of {_turns(caps.turns)} {where} is reached.")
    if caps.minutes is not None and taken.seconds >= caps.minutes * 60:
        yield Reached(scope, f"{scope}_minutes", minutes_sentence(caps.minutes, scope))


def minutes_sentence(minutes: int, scope: Scope) -> str:
    """What is said when a limit of time is reached."""
    worked = "of agents' work for today" if scope is Scope.DAY else f"for this {scope}"
    return f"The limit of {minutes} {'minute' if minutes == 1 else 'minutes'} {worked} is reached."


def _turns(number: int) -> str:
    return "1 turn" if number == 1 else f"{number:,} turns"
