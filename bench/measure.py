"""What a benchmark gives: figures, each with its target and with what it was compared to in the same run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A bound that a figure should keep."""

    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.bound)}"


@dataclass(frozen=True)
class Measure:
    """One figure. `value` is in `unit`; `baseline` says what it was compared to; `note` how to read it."""

    name: str
    value: float
    unit: str
    target: Target | None = None
    baseline: str = ""
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is kept; None when there is none."""
        if self.target is None:
            return None
        return self.value >= self.target.bound if self.target.at_least else self.value <= self.target.bound


def at_most(bound: float) -> Target:
    return Target(bound)


def at_least(bound: float) -> Target:
    return Target(bound, at_least=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed: 0.99 of 100 values is the second largest."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def number(value: float) -> str:
    """A figure with as many digits as say something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
