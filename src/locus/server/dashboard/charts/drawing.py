"""What a chart is made of, and the scales that turn amounts and moments into places."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TypeVar

WIDTH, HEIGHT = 480, 190  # about as wide as on a phone, so that its text stays readable there
LEFT, RIGHT, TOP, BOTTOM = 34, 100, 14, 26  # margins; the labels of lines stand in the right one
LINE_HEIGHT = 16  # of two labels, one above the other
STEPS = (1, 2, 5)
DAYS = timedelta(hours=30)  # from here on a chart counts days, not hours

T = TypeVar("T")


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Shape:
    """A path and its class: what it looks like is the style sheet's to say."""

    look: str
    path: str


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    look: str = ""
    anchor: str = "start"  # which end of the text stands at x: start, middle or end


@dataclass(frozen=True)
class Stop:
    """A place on the chart that can be pointed at, and what it says."""

    x: float
    text: str


@dataclass(frozen=True)
class Table:
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws. `says` is the whole chart in one sentence."""

    name: str
    title: str
    says: str
    table: Table
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    shapes: list[Shape]
    labels: list[Label] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Amounts:
    """The vertical scale, from zero."""

    most: float

    def y(self, amount: float) -> float:
        share = amount / self.most if self.most else 0
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    def ticks(self) -> list[Tick]:
        """At most five whole amounts, zero among them."""
        step = nice(self.most / 4)
        count = int(self.most // step)
        return [Tick(self.y(index * step), f"{index * step:,}") for index in range(count + 1)]


def nice(least: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= least:
                return step * power
        power *= 10


@dataclass(frozen=True)
class Moments:
    """The horizontal scale."""

    first: datetime
    last: datetime

    def x(self, moment: datetime) -> float:
        span = (self.last - self.first).total_seconds()
        share = (moment - self.first).total_seconds() / span if span > 0 else 0
        return round(LEFT + share * (WIDTH - RIGHT - LEFT), 1)

    def ticks(self, count: int = 4) -> list[Tick]:
        """Times of day for a span of hours, the beginnings of days for a longer one."""
        span = self.last - self.first
        if span >= DAYS:
            midnight = datetime.combine(self.first.astimezone(UTC), time(), UTC)
            days = [midnight + timedelta(days=index) for index in range(1, span.days + 2)]
            days = [moment for moment in days if moment <= self.last]
            step = nice(len(days) / count)
            return [Tick(self.x(moment), self.say(moment)) for moment in days[::step]]
        moments = [self.first + span * index / (count - 1) for index in range(count)]
        return [Tick(self.x(moment), self.say(moment)) for moment in moments]

    def say(self, moment: datetime) -> str:
        there = moment.astimezone(UTC)
        if self.last - self.first < DAYS:
            return f"{there:%H:%M}"
        return f"{there.day} {there:%b}"


def line(points: Sequence[tuple[float, float]]) -> str:
    """A path through these points."""
    return "M" + " L".join(f"{x:g} {y:g}" for x, y in points) if points else ""


def stairs(points: Sequence[tuple[float, float]]) -> str:
    """A path that keeps its height until it changes: counts do not slide."""
    if not points:
        return ""
    path = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (_, before), (x, y) in pairwise(points):
        path.append(f"H{x:g}" if y == before else f"H{x:g}V{y:g}")
    return "".join(path)


def area(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]]) -> str:
    """The closed path between two lines that have the same places."""
    if not upper:
        return ""
    there = stairs(upper)
    back = list(reversed(lower))
    path = [f"L{back[0][0]:g} {back[0][1]:g}"]
    for (_, _), (x, y) in pairwise(back):
        path.append(f"V{y:g}H{x:g}")
    return there + "".join(path) + "Z"


def apart(labels: Sequence[Label]) -> list[Label]:
    """The labels, moved up and down until none covers another."""
    placed: list[Label] = []
    floor = float(HEIGHT - BOTTOM + 4)
    for label in sorted(labels, key=lambda one: -one.y):
        y = min(label.y, floor)
        placed.append(replace(label, y=round(y, 1)))
        floor = y - LINE_HEIGHT
    over = TOP + 4 - min((label.y for label in placed), default=TOP + 4)
    return [replace(one, y=round(one.y + max(0, over), 1)) for one in placed]


def changed(points: Sequence[T], counts: Callable[[T], object]) -> list[T]:
    """The points at which the counts are others than before, and both ends: what a table needs to show."""
    if not points:
        return []
    between = [now for before, now in pairwise(points) if now is points[-1] or counts(before) != counts(now)]
    return [points[0], *between]
