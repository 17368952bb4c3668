"""What one turn beside a person may take: the limits of its flags, and what is left of the day."""

from msgspec import Struct, field

from locus.local.journal.limits import Caps, Scope, minutes_sentence, reached
from locus.local.sessions.spending import Spending

SHORTEST_WALL = 1.0  # seconds


class Bounds(Struct):
    """Looked at before the agent starts, and whenever the model has answered and the agent wants to go on."""

    spending: Spending
    turn: Caps = field(default_factory=Caps)
    day: Caps = field(default_factory=Caps)

    @property
    def counted(self) -> bool:
        """Whether any of them can only be kept when the agent tells what it takes."""
        return any(cap is not None for caps in (self.turn, self.day) for cap in (caps.turns, caps.tokens, caps.usd))

    @property
    def unpriced(self) -> bool:
        """Whether money is limited, and nobody knows what the model costs."""
        limited = self.turn.usd is not None or self.day.usd is not None
        return limited and not self.spending.priced

    def over(self) -> str | None:
        """The limit that forbids another answer, in a sentence; None when there is none."""
        of_turn = reached(self.turn, self.spending.taken, Scope.RUN) if self.turn else None
        if of_turn is not None:
            return of_turn.sentence
        of_day = reached(self.day, self.spending.ledger.of_today(), Scope.DAY) if self.day else None
        return f"{of_day.sentence} ({of_day.name})" if of_day is not None else None

    def wall(self, most: float) -> tuple[float, str | None]:
        """The seconds that the agent may take, of the `most` that it may anyway, and the limit that they come from."""
        if self.day.minutes is None:
            return most, None
        left = self.day.minutes * 60 - self.spending.ledger.of_today().seconds
        if left >= most:
            return most, None
        return max(left, SHORTEST_WALL), f"{minutes_sentence(self.day.minutes, Scope.DAY)} (day_minutes)"
