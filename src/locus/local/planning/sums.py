"""How much a plan is: by its own estimate, and by what this workspace's tasks took."""

from collections.abc import Iterator, Sequence

from locus.local.text import duration
from locus.wire.plans import PlanForecast


def sums(estimates: Sequence[int | None], forecast: PlanForecast | None) -> Iterator[str]:
    """Sentences about so many tasks; `estimates` are the planner's own, in minutes."""
    minutes = sum(estimate or 0 for estimate in estimates)
    guess = f", {duration(minutes * 60)} by the planner's own estimate" if minutes else ""
    yield f"{_count(len(estimates), 'task')}{guess}."
    if forecast is None:
        return
    known = _count(forecast.history, "finished task")
    if forecast.usd_micros is None and forecast.agent_ms is None:
        yield f"No forecast: this workspace has {known} to learn from, and at least 5 are needed."
        return
    parts = []
    if (usd := forecast.usd_micros) is not None:
        parts.append(f"${usd.middle / 1e6:.2f} (${usd.low / 1e6:.2f} to ${usd.high / 1e6:.2f})")
    if (ms := forecast.agent_ms) is not None:
        low, middle, high = (duration(value / 1000) for value in (ms.low, ms.middle, ms.high))
        parts.append(f"{middle} of an agent's time ({low} to {high})")
    yield f"Forecast: {', '.join(parts)}; four of five times within, from {known} of this workspace."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
