"""The burn-down of a sprint: what is open, what would be by an even pace, and where it leads."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

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
    line,
    stairs,
)
from locus.server.sprints.series import remaining, scope
from locus.wire.reports import Forecast, SprintPoint, SprintReport

AHEAD = 1.0  # how much longer than what has passed the future is drawn, at most
LEAST_AHEAD = timedelta(minutes=30)
ROOM = 100  # of a label, in the units of the drawing


def burndown(report: SprintReport) -> Chart | None:
    """The chart; None for a sprint that has not begun."""
    points = report.points
    if not points:
        return None
    now, end = points[-1].at, end_of(report.sprint.ends_on)
    moments = Moments(points[0].at, horizon(points, report.forecast, end))
    amounts = Amounts(max(1, *(scope(point) for point in points)))
    actual = [(moments.x(point.at), amounts.y(remaining(point))) for point in points]
    shapes = [Shape("scope", stairs([(moments.x(point.at), amounts.y(scope(point))) for point in points]))]
    above = 10 if report.forecast else 0  # the line that goes on from here stays seen
    labels = [Label(actual[-1][0], actual[-1][1] - above, f"{remaining(points[-1])} open", "open")]
    if end is not None and end > points[0].at:
        ideal = [(moments.x(points[0].at), amounts.y(scope(points[0]))), (moments.x(end), amounts.y(0))]
        shapes.append(Shape("ideal", line(ideal)))
        labels.append(Label((ideal[0][0] + ideal[1][0]) / 2, (ideal[0][1] + ideal[1][1]) / 2, "even pace", "ideal"))
    if report.forecast is not None:
        shapes += cone(report.forecast, actual[-1], moments, amounts)
        likely = moments.x(min(report.forecast.likely, moments.last))
        said = f"likely {moments.say(report.forecast.likely)}"
        labels.append(Label(max(likely, actual[-1][0] + ROOM), amounts.y(0) - 12, said, "forecast", "end"))
    shapes.append(Shape("open", stairs(actual)))
    first = next(index for index, label in enumerate(labels) if label.look == "open")
    labels = [labels[first], *(label for index, label in enumerate(labels) if index != first)]
    return Chart(
        name="burndown",
        title="Burn-down",
        says=says(report, now),
        table=table(points),
        x_ticks=moments.ticks(),
        y_ticks=amounts.ticks(),
        shapes=shapes,
        labels=apart(labels) if near(labels) else labels,
        stops=[
            Stop(x, f"{words.exact(point.at)}: {remaining(point)} open of {scope(point)}")
            for (x, _), point in zip(actual, points, strict=True)
        ],
    )


def end_of(day: date | None) -> datetime | None:
    """The end of a sprint's last day."""
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1)


def horizon(points: Sequence[SprintPoint], ahead: Forecast | None, end: datetime | None) -> datetime:
    """Where the chart ends: with the plan and the forecast, but not so late that the past has no room."""
    now = points[-1].at
    room = now + max((now - points[0].at) * AHEAD, LEAST_AHEAD)
    wanted = [now, *([end] if end else []), *([min(ahead.late, room)] if ahead else [])]
    return max(wanted)


def cone(ahead: Forecast, start: tuple[float, float], moments: Moments, amounts: Amounts) -> list[Shape]:
    """Where eight of ten sprints would go from here, and the middle of it. What is beyond the edge is cut off there."""
    ends = {name: (moments.x(getattr(ahead, name)), amounts.y(0)) for name in ("early", "likely", "late")}
    band = f"{line([start, ends['early'], ends['late']])}Z"
    return [Shape("band", band), Shape("forecast", line([start, ends["likely"]]))]


def near(labels: Sequence[Label]) -> bool:
    """Whether two labels would cover each other."""
    return any(
        abs(one.x - other.x) < 90 and abs(one.y - other.y) < 14
        for index, one in enumerate(labels)
        for other in labels[index + 1 :]
    )


def says(report: SprintReport, now: datetime) -> str:
    last, first = report.points[-1], report.points[0]
    text = f"{remaining(last)} of {scope(last)} tasks are open; the sprint began with {scope(first)}."
    if report.forecast is not None:
        early, late = words.exact(report.forecast.early), words.exact(report.forecast.late)
        text += f" They will be accepted between {early} and {late}, most likely {words.exact(report.forecast.likely)}."
    return text


def table(points: Sequence[SprintPoint]) -> Table:
    """Every point at which a count has changed, and the ends."""
    shown = [
        point
        for before, point in zip([None, *points], points, strict=False)
        if before is None
        or point is points[-1]
        or (remaining(before), scope(before)) != (remaining(point), scope(point))
    ]
    rows = [[words.exact(point.at), str(remaining(point)), str(point.done), str(scope(point))] for point in shown]
    return Table(["Time", "Open", "Done", "All"], rows)
