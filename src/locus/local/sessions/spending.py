"""What an agent beside a person takes, in the ledger of the machine: a limit of the day counts it with the workers'."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from msgspec.structs import replace

from locus.local.directories import directories
from locus.local.journal import LEDGER, Account, Amounts, Ledger
from locus.local.prices import Price, PriceList, load
from locus.local.providers.base import Event, Finished, SessionStarted, Spent, Turn, Usage

UNCOUNTED = "This agent tells neither turns nor tokens: of the limits, only those of time can be kept."


@dataclass
class Spending:
    """Counts one turn for an account while it goes on, so that one that is killed is counted, too."""

    ledger: Ledger
    prices: Callable[[], PriceList]  # asked when there are tokens of a model to be paid for
    account: Account
    model: str | None
    clock: Callable[[], float] = time.monotonic
    _seen: Usage = field(default_factory=Usage)
    _taken: Amounts = field(default_factory=Amounts)
    _cost: float = 0.0  # by the list of prices
    _all_priced: bool = True
    _turns: int = 0
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    @property
    def taken(self) -> Amounts:
        """What this turn has taken so far."""
        return self._taken

    @property
    def priced(self) -> bool:
        """Whether it is known what the model costs."""
        return self.prices().find(self.model) is not None

    def with_cost(self, usage: Usage) -> Usage:
        """The usage of the turn, with its price by the list where the provider does not say one."""
        if usage.usd is not None or usage == Usage() or not self._all_priced:
            return usage
        return replace(usage, usd=self._cost, by_list=True)

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
                taken = self._new(usage)
                # What the provider says outranks our list.
                usd = taken.usd if usage.usd is None else usage.usd - (self._cost - taken.usd)
                self._write(replace(taken, turns=self._more(turns), usd=usd))

    def _count(self, turns: int) -> None:
        self._write(Amounts(turns=self._more(turns)))

    def _add(self, usage: Usage) -> None:
        self._write(self._new(usage))

    def _more(self, turns: int) -> int:
        """How many turns there are beyond those that are counted; now they are."""
        new, self._turns = max(turns - self._turns, 0), max(turns, self._turns)
        return new

    def _new(self, usage: Usage) -> Amounts:
        """What was used since the last look, with its price by the list."""
        delta, self._seen = usage.since(self._seen), usage
        price = self.prices().find(self.model) if delta.tokens else None
        self._all_priced = self._all_priced and (price is not None or delta.tokens == 0)
        cost = cost_of(delta, price)
        self._cost += cost
        return amounts_of(delta, cost)

    def _write(self, taken: Amounts) -> None:
        now = self.clock()
        seconds, self._since = now - self._since, now
        taken = replace(taken, seconds=seconds)
        self.ledger.add(self.account, taken)
        self._taken += taken


def spending_of(account: Account, model: str | None, environment: Mapping[str, str]) -> Spending:
    """What counts a turn for an account. Raises LocalError when the user's own list of prices is wrong."""
    ours = directories(environment)
    prices = cache(partial(load, ours.prices))
    if ours.prices.exists():
        prices()  # what is wrong with it is said before an agent works
    return Spending(Ledger(ours.state / LEDGER), prices, account, model)


def unpriced(model: str | None) -> str:
    """What is said when a limit of money counts a model whose price is not known."""
    name = model or "the agent's own choice of a model"
    return f"No price is known for {name}: only its tokens are counted, unless the agent tells what it costs."


def amounts_of(usage: Usage, usd: float) -> Amounts:
    """What the ledger is told of a usage that cost so much."""
    return Amounts(
        usd=usd,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
    )


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
