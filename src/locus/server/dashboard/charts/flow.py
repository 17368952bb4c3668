"""Cumulative flow: how many tasks are where, one layer above the other."""

from locus.server.dashboard import words
from locus.server.dashboard.charts.drawing import (
    Amounts,
    Chart,
    Label,
    Moments,
    Shape,
    Stop,
    Table,
    apart,
    area,
    changed,
    stairs,
)
from locus.server.sprints.series import scope
from locus.wire.reports import SprintPoint
from locus.wire.tasks import Status

# From the bottom: what is finished lies still, what moves lies on it.
LAYERS = (Status.DONE, Status.IN_REVIEW, Status.BLOCKED, Status.IN_PROGRESS, Status.BACKLOG)


def count(point: SprintPoint, status: Status) -> int:
    number: int = getattr(point, status.value.lower())
    return number


def flow(points: list[SprintPoint]) -> Chart | None:
    """The chart; None for a sprint that has not begun."""
    if not points:
        return None
    moments = Moments(points[0].at, points[-1].at)
    amounts = Amounts(max(1, *(scope(point) for point in points)))
    places = [moments.x(point.at) for point in points]
    below = [0] * len(points)
    shapes, labels = [], []
    for status in LAYERS:
        above = [low + count(point, status) for low, point in zip(below, points, strict=True)]
        upper = [(x, amounts.y(amount)) for x, amount in zip(places, above, strict=True)]
        lower = [(x, amounts.y(amount)) for x, amount in zip(places, below, strict=True)]
        tone = words.TONE[status]
        if above != below:
            shapes += [Shape(f"layer tone-{tone}", area(upper, lower)), Shape(f"edge tone-{tone}", stairs(upper))]
        if now := count(points[-1], status):
            middle = (upper[-1][1] + lower[-1][1]) / 2
            labels.append(Label(places[-1], round(middle, 1), f"{now} {words.STATUS[status].lower()}", f"tone-{tone}"))
        below = above
    return Chart(
        name="flow",
        title="Cumulative flow",
        says="; ".join(f"{words.STATUS[status]}: {count(points[-1], status)}" for status in reversed(LAYERS)) + ".",
        table=table(points),
        x_ticks=moments.ticks(),
        y_ticks=amounts.ticks(),
        shapes=shapes,
        labels=apart(labels),
        stops=[Stop(x, f"{words.exact(point.at)}: {told(point)}") for x, point in zip(places, points, strict=True)],
    )


def told(point: SprintPoint) -> str:
    counts = [f"{count(point, status)} {words.STATUS[status].lower()}" for status in LAYERS if count(point, status)]
    return ", ".join(counts) or "no tasks"


def table(points: list[SprintPoint]) -> Table:
    """Every point at which a count has changed, and the ends."""

    def counts(point: SprintPoint) -> list[int]:
        return [count(point, status) for status in reversed(LAYERS)]

    shown = changed(points, counts)
    head = ["Time", *(words.STATUS[status] for status in reversed(LAYERS))]
    return Table(head, [[words.exact(point.at), *map(str, counts(point))] for point in shown])
