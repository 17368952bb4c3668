"""What an agent beside a person takes, in the ledger of the machine: a limit of the day counts it with the workers'."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from locus.local.directories import directories
from locus.local.journal import LEDGER, Account, Amounts, Ledger
from locus.local.prices import Price, PriceList, load
from locus.local.providers.base import Event, Finished, SessionStarted, Spent, Turn, Usage


@dataclass
class Spending:
    """Counts one turn while it goes on, so that one that is killed is counted, too. `session` names its account."""

    ledger: Ledger
    prices: PriceList
    session: str
    model: str | None
    clock: Callable[[], float] = time.monotonic
    _seen: Usage = field(default_factory=Usage)
    _cost: float = 0.0  # by the list of prices
    _turns: int = 0
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def hear(self, event: Event) -> None:
        """Write down what an event tells of what was taken."""
        match event:
            case SessionStarted(model=model):
                self.model = model or self.model
            case Turn(number=number):
                self._count(number)
            case Spent(usage=usage, model=model):
                self.model = model or self.model
                self._add(usage)
            case Finished(usage=usage, turns=turns, model=model):
                self.model = model or self.model
                self._count(turns)
                self._add(usage)
                if usage.usd is not None:
                    self._write(Amounts(usd=usage.usd - self._cost))  # what the provider says outranks our list

    def _count(self, turns: int) -> None:
        new, self._turns = max(turns - self._turns, 0), max(turns, self._turns)
        self._write(Amounts(turns=new))

    def _add(self, usage: Usage) -> None:
        delta, self._seen = usage.since(self._seen), usage
        cost = cost_of(delta, self.prices.find(self.model))
        self._cost += cost
        self._write(Amounts(tokens=delta.tokens, usd=cost))

    def _write(self, taken: Amounts) -> None:
        now = self.clock()
        seconds, self._since = now - self._since, now
        account = Account(attempt=self.session, run=self.session, budget=self.session)
        self.ledger.add(account, Amounts(taken.turns, taken.tokens, taken.usd, seconds))


def spending_of(session: str, model: str | None, environment: Mapping[str, str]) -> Spending:
    """What counts a turn on this machine. Raises LocalError when the user's own list of prices is wrong."""
    ours = directories(environment)
    return Spending(Ledger(ours.state / LEDGER), load(ours.prices), session, model)


def cost_of(usage: Usage, price: Price | None) -> float:
    """US dollars by the list; nothing where the price is not known."""
    if price is None:
        return 0.0
    return price.of(
        input=usage.input_tokens,
        cached=usage.cached_tokens,
        written=usage.written_tokens,
        output=usage.output_tokens,
    )
