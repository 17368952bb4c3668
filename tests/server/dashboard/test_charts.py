"""Charts: from zero, labels that do not cover each other, and a table that says the same."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, strategies as st

from locus.server.dashboard.charts import bars, burndown, flow
from locus.server.dashboard.charts.drawing import BOTTOM, HEIGHT, LINE_HEIGHT, Amounts, Label, apart
from locus.wire.reports import Forecast, Pace, Spending, SprintPoint, SprintReport
from locus.wire.sprints import Sprint, SprintStatus, TaskCounts

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SPENT = Spending(
    attempts=2,
    unpriced=0,
    usd_micros=3_000_000,
    input_tokens=1,
    output_tokens=1,
    accepted=2,
    usd_micros_per_accepted=1_500_000,
)


def report(points: list[SprintPoint], *, ends_on: date | None = None, ahead: Forecast | None = None) -> SprintReport:
    sprint = Sprint(
        id=UUID(int=1),
        workspace_id=UUID(int=2),
        number=1,
        name="Sign-in",
        goal="",
        status=SprintStatus.ACTIVE,
        starts_on=None,
        ends_on=ends_on,
        started_at=BEGAN,
        completed_at=None,
        tasks=TaskCounts(),
        version=1,
        created_at=BEGAN,
        updated_at=BEGAN,
    )
    return SprintReport(sprint=sprint, points=points, forecast=ahead, spending=SPENT)


def points(*counts: tuple[int, int]) -> list[SprintPoint]:
    """One an hour: backlog and done."""
    return [
        SprintPoint(at=BEGAN + timedelta(hours=index), backlog=backlog, done=done)
        for index, (backlog, done) in enumerate(counts)
    ]


def heights(path: str) -> list[float]:
    """The heights that a path goes through."""
    return [float(found) for found in re.findall(r"(?:V|[ML]\S+ )([\d.]+)", path)]


def test_a_burn_down_begins_at_its_scope_and_ends_on_zero_when_all_is_done() -> None:
    chart = burndown.burndown(report(points((4, 0), (3, 1), (0, 4))))

    assert chart is not None
    [actual] = [shape for shape in chart.shapes if shape.look == "open"]
    assert heights(actual.path)[0] == Amounts(4).y(4)
    assert heights(actual.path)[-1] == HEIGHT - BOTTOM
    assert [label.text for label in chart.labels] == ["0 open"]
    assert [tick.text for tick in chart.y_ticks] == ["0", "1", "2", "3", "4"]
    assert chart.table.rows[0][1:] == ["4", "0", "4"]
    assert chart.table.rows[-1][1:] == ["0", "4", "4"]
    assert len(chart.stops) == 3


def test_the_ideal_line_needs_an_end_and_the_band_a_forecast() -> None:
    ahead = Forecast(
        remaining=3,
        early=BEGAN + timedelta(hours=3),
        likely=BEGAN + timedelta(hours=4),
        late=BEGAN + timedelta(days=300),
        based_on=9,
    )
    bare = burndown.burndown(report(points((4, 0), (3, 1))))
    full = burndown.burndown(report(points((4, 0), (3, 1)), ends_on=date(2026, 3, 2), ahead=ahead))

    assert bare is not None
    assert full is not None
    assert {shape.look for shape in bare.shapes} == {"scope", "open"}
    assert {shape.look for shape in full.shapes} == {"scope", "open", "ideal", "band", "forecast"}
    assert "2026-03-02 12:00:00 UTC" in full.says  # the likely end, in words
    past = [stop.x for stop in full.stops]
    assert max(past) - min(past) > 20, "a far forecast leaves the past its room"


def test_a_sprint_that_has_not_begun_has_no_charts() -> None:
    assert burndown.burndown(report([])) is None
    assert flow.flow([]) is None
    assert bars.velocity([]) is None


def test_layers_lie_on_each_other_and_the_highest_is_all_tasks() -> None:
    chart = flow.flow(points((4, 0), (3, 1), (2, 2)))

    assert chart is not None
    edges = [shape for shape in chart.shapes if shape.look.startswith("edge")]
    assert [heights(edge.path)[-1] for edge in edges] == [Amounts(4).y(2), Amounts(4).y(4)]
    assert sorted(label.text for label in chart.labels) == ["2 backlog", "2 done"]
    assert chart.table.head == ["Time", "Backlog", "In progress", "Blocked", "In review", "Done"]


@given(st.lists(st.floats(0, HEIGHT), min_size=1, max_size=8))
def test_labels_never_cover_each_other(places: list[float]) -> None:
    found = sorted(label.y for label in apart([Label(0, y, "x") for y in places]))

    assert all(below - above >= LINE_HEIGHT - 0.2 for above, below in pairwise(found))


def test_bars_have_their_amount_above_and_their_sprint_below() -> None:
    paces = [
        Pace(
            sprint_id=UUID(int=number),
            number=number,
            name="S",
            status=SprintStatus.COMPLETED,
            started_at=BEGAN,
            completed_at=BEGAN,
            accepted=2 * number,
            open=0,
            spending=SPENT,
        )
        for number in (1, 2)
    ]

    speed, price = bars.velocity(paces), bars.cost(paces)

    assert speed is not None
    assert price is not None
    assert [(label.text, tick.text) for label, tick in zip(speed.labels, speed.x_ticks, strict=True)] == [
        ("2", "1"),
        ("4", "2"),
    ]
    assert [label.text for label in price.labels] == ["$1.50", "$1.50"]
    assert price.table.rows[0] == ["1 S", "$3.00", "2", "$1.50"]
