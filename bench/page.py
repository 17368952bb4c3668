"""docs/benchmarks.md: a section for each measurement, which writes it itself, with a chart below each table."""

import re
from collections.abc import Sequence
from pathlib import Path

from bench.bars import Bar, svg
from bench.machine import Machine
from bench.measure import Measure, number

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
SEVERAL = 3  # figures of one unit without a target make a chart


def write(name: str, measures: Sequence[Measure], where: Machine, *, page: Path = PAGE) -> None:
    """Renew the section `name` of the page and its charts. What stands outside of the two marks is left alone.

    Raises ValueError when the page has no marks for it.
    """
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    inside = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not inside.search(text):
        raise ValueError(f"{page} has no section between {begin} and {end}; write one, with a few words about it")
    folder = page.parent / page.stem
    folder.mkdir(exist_ok=True)
    lines = [begin, "", *_table(measures), ""]
    for kind, chart in _charts(measures):
        file = folder / f"{name}-{kind}.svg"
        file.write_text(chart, encoding="utf-8")
        lines += [f"![The figures of the table as bars]({folder.name}/{file.name})", ""]
    lines += [f"Measured on {where}.", "", end]
    page.write_text(inside.sub(lambda _: "\n".join(lines), text), encoding="utf-8")


def _table(measures: Sequence[Measure]) -> list[str]:
    rows = ["| | Figure | Target | | Remarks |", "|---|---:|---:|---|---|"]
    for measure in measures:
        verdict = {None: "", True: "kept", False: "**missed**"}[measure.holds]
        remarks = "; ".join(part for part in (measure.baseline, measure.note) if part)
        target = f"{measure.target} {measure.unit}" if measure.target else ""
        figure = f"{number(measure.value)} {measure.unit}"
        rows.append(f"| {measure.name} | {figure} | {target} | {verdict} | {remarks} |")
    return rows


def _charts(measures: Sequence[Measure]) -> list[tuple[str, str]]:
    """The charts that the figures are fit for: those with a target in relation to it, the others among themselves."""
    charts = []
    bound = [measure for measure in measures if measure.target is not None and measure.target.bound > 0]
    if bound:
        title = "Figures in relation to their targets"
        charts.append(("targets", svg([_of_target(one) for one in bound], title=title, line=1.0, line_label="target")))
    free = [measure for measure in measures if measure.target is None]
    for unit in dict.fromkeys(measure.unit for measure in free):
        alike = [measure for measure in free if measure.unit == unit]
        if len(alike) >= SEVERAL:
            bars = [Bar(one.name, one.value, f"{number(one.value)} {unit}") for one in alike]
            charts.append(("parts", svg(bars, title=f"Figures in {unit}")))
    return charts


def _of_target(measure: Measure) -> Bar:
    assert measure.target is not None
    figure = f"{number(measure.value)} {measure.unit}, target {measure.target}"
    return Bar(measure.name, measure.value / measure.target.bound, figure)
