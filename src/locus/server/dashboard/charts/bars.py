"""Bars side by side: one amount for each sprint."""

from collections.abc import Sequence
from dataclasses import dataclass

from locus.server.dashboard import words
from locus.server.dashboard.charts.drawing import (
    BOTTOM,
    HEIGHT,
    LEFT,
    TOP,
    WIDTH,
    Amounts,
    Chart,
    Label,
    Shape,
    Stop,
    Table,
    Tick,
)
from locus.wire.reports import Pace
from locus.wire.sprints import SprintStatus

WIDEST = 36
EDGE = 12  # the right margin: bars have their labels above them


@dataclass(frozen=True)
class Bar:
    """`text` stands above it; `under` below."""

    amount: float
    text: str
    under: str
    says: str
    open: bool = False  # it may still grow


def bars(name: str, title: str, given: Sequence[Bar], table: Table) -> Chart | None:
    """The chart; None without bars."""
    if not given:
        return None
    amounts = Amounts(max(bar.amount for bar in given) * 1.15 or 1)
    each = (WIDTH - EDGE - LEFT) / max(len(given), 6)
    width = min(WIDEST, each * 0.6)
    shapes, labels, ticks, stops = [], [], [], []
    for index, bar in enumerate(given):
        middle = round(LEFT + each * (index + 0.5), 1)
        top, left = amounts.y(bar.amount), middle - width / 2
        path = f"M{left:g} {HEIGHT - BOTTOM}V{top:g}H{left + width:g}V{HEIGHT - BOTTOM}Z"
        shapes.append(Shape("bar open-ended" if bar.open else "bar", path))
        labels.append(Label(middle, max(top - 5, TOP), bar.text, anchor="middle"))
        ticks.append(Tick(middle, bar.under))
        stops.append(Stop(middle, bar.says))
    return Chart(
        name=name,
        title=title,
        says="; ".join(bar.says for bar in given) + ".",
        table=table,
        x_ticks=ticks,
        y_ticks=[],
        shapes=shapes,
        labels=labels,
        stops=stops,
        right=WIDTH - EDGE,
    )


def velocity(paces: Sequence[Pace]) -> Chart | None:
    """Accepted tasks of each sprint."""
    given = [
        Bar(
            pace.accepted,
            str(pace.accepted),
            str(pace.number),
            f"Sprint {pace.number}: {words.plural(pace.accepted, 'task')} accepted",
            open=pace.status is SprintStatus.ACTIVE,
        )
        for pace in paces
    ]
    rows = [[f"{pace.number} {pace.name}", str(pace.accepted), str(pace.open)] for pace in paces]
    return bars("velocity", "Accepted tasks", given, Table(["Sprint", "Accepted", "Left open"], rows))


def cost(paces: Sequence[Pace]) -> Chart | None:
    """What an accepted task cost in each sprint that has a price."""
    priced = [pace for pace in paces if pace.spending.usd_micros_per_accepted is not None]
    given = [
        Bar(
            (pace.spending.usd_micros_per_accepted or 0) / 1_000_000,
            words.usd(pace.spending.usd_micros_per_accepted),
            str(pace.number),
            f"Sprint {pace.number}: {words.usd(pace.spending.usd_micros_per_accepted)} for each accepted task",
            open=pace.status is SprintStatus.ACTIVE,
        )
        for pace in priced
    ]
    rows = [
        [
            f"{pace.number} {pace.name}",
            words.usd(pace.spending.usd_micros),
            str(pace.accepted),
            words.usd(pace.spending.usd_micros_per_accepted),
        ]
        for pace in paces
    ]
    return bars("cost", "Cost of an accepted task", given, Table(["Sprint", "Cost", "Accepted", "Each"], rows))
