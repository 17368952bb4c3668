"""Counts what an attempt takes while it takes it, writes it into the ledger, and knows which limit is reached."""

import time
from collections.abc import Callable
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from locus.local.journal import Account, Amounts, Ledger
from locus.local.journal.limits import Limits, Reached, Scope, minutes_sentence, reached
from locus.local.prices import Price, PriceList
from locus.local.providers.base import Finished, Spent, Turn, Usage
from locus.local.sessions.spending import amounts_of, cost_of, unpriced

SHORTEST_WALL = 1.0  # seconds


class Purse(Struct):
    """What one run of a worker may take, and where it is written down."""

    ledger: Ledger
    limits: Limits
    prices: Callable[[], PriceList]
    tell: Callable[[str], None]
    run: str
    _unpriced: set[str | None] = field(default_factory=set)

    def reached(self) -> Reached | None:
        """The limit of the run or of the day that is reached."""
        day = reached(self.limits.day, self.ledger.of_today(), Scope.DAY) if self.limits.day else None
        # The minutes of a run pass also where no agent works: they have a clock of their own.
        run = replace(self.limits.run, minutes=None)
        return day or (reached(run, self.ledger.of_run(self.run), Scope.RUN) if run else None)

    def price(self, model: str | None) -> Price | None:
        """What a model costs; that it is not known is said once, where it matters."""
        found = self.prices().find(model)
        if found is None and self.limits.of_money and model not in self._unpriced:
            self._unpriced.add(model)
            self.tell(unpriced(model))
        return found


class Meter:
    """The meter of one attempt, over all rounds of its agent."""

    def __init__(
        self, purse: Purse, *, attempt: str, task_id: UUID, first: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`first` is whether a person has given the task to agents since the last attempt at it."""
        budget = attempt if first else purse.ledger.budget_of(task_id) or attempt
        self._purse = purse
        self._account = Account(attempt, purse.run, budget, task_id)
        self._clock = clock
        self._model: str | None = None
        self._begin(None)

    @property
    def account(self) -> Account:
        return self._account

    def continues(self, budget: str) -> None:
        """Take from the budget of an attempt that this one goes on with."""
        self._account = replace(self._account, budget=budget)

    def _begin(self, model: str | None) -> None:
        self._model = model or self._model
        self._since = self._clock()
        self._seen = Usage()
        self._cost = 0.0  # of this round, by the list, answer by answer
        self._priced = True  # whether every answer of this round has a price
        self._turns = 0

    def begin_round(self, model: str | None, wall: float) -> tuple[float, Reached | None]:
        """An agent is about to start. Returns the seconds that it may take, and the limit that they come from.

        `wall` is what is left for the attempt; None is the limit that this comes from.
        """
        self._begin(model)
        caps = self._purse.limits.day
        if caps.minutes is not None:
            left = caps.minutes * 60 - self._purse.ledger.of_today().seconds
            if left < wall:
                why = Reached(Scope.DAY, "day_minutes", minutes_sentence(caps.minutes, Scope.DAY))
                return max(left, SHORTEST_WALL), why
        return max(wall, SHORTEST_WALL), None

    def answered_by(self, model: str | None) -> None:
        """Which model answers, as the agent says it."""
        self._model = model or self._model

    def turn(self, turn: Turn) -> None:
        """The model begins an answer."""
        before = self._turns
        self._turns = max(self._turns, turn.number)
        self._write(Amounts(turns=self._turns - before))

    def spent(self, spent: Spent) -> Reached | None:
        """The model has answered and the agent wants to go on; the limit that forbids it, if there is one."""
        self.answered_by(spent.model)
        self._add(spent.usage)
        return self.over()

    def finish_round(self, finished: Finished) -> Usage:
        """The agent has ended. Returns what it took, with a price where one is known."""
        self.answered_by(finished.model)
        self._write(Amounts(turns=max(finished.turns - self._turns, 0)))
        self._add(finished.usage)
        said = finished.usage.usd
        if said is not None:
            self._write(Amounts(usd=said - self._cost))  # what the provider says outranks our list
            return finished.usage
        if not self._priced or finished.usage == Usage():
            return finished.usage
        return replace(finished.usage, usd=self._cost, by_list=True)

    def over(self) -> Reached | None:
        """The limit that forbids another answer."""
        caps = self._purse.limits.task
        task = reached(caps, self._purse.ledger.of_budget(self._account.budget), Scope.TASK) if caps else None
        return task or self._purse.reached()

    @property
    def money_left(self) -> float | None:
        """US dollars until the first limit of money; None when there is none."""
        limits, ledger = self._purse.limits, self._purse.ledger
        left = [
            caps.usd - taken.usd
            for caps, taken in (
                (limits.task, ledger.of_budget(self._account.budget)),
                (limits.run, ledger.of_run(self._purse.run)),
                (limits.day, ledger.of_today()),
            )
            if caps.usd is not None
        ]
        return max(min(left), 0.0) if left else None

    def _add(self, usage: Usage) -> None:
        """Count what came since the last look; the price of an answer depends on its own size."""
        delta = usage.since(self._seen)
        if delta.tokens == 0:
            self._write(Amounts())
            return
        self._seen = usage
        price = self._purse.price(self._model)
        self._priced = self._priced and price is not None
        cost = cost_of(delta, price)
        self._cost += cost
        self._write(amounts_of(delta, cost))

    def _write(self, taken: Amounts) -> None:
        now = self._clock()
        self._purse.ledger.add(self._account, replace(taken, seconds=now - self._since))
        self._since = now
