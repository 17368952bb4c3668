"""The drawing of a plan: its tasks as boxes, in columns by how many others come before them."""

from collections.abc import Sequence
from dataclasses import dataclass

from locus.server.dashboard.drawing import arrows, layout, short
from locus.wire.plans import PlanTask


@dataclass(frozen=True)
class Box:
    """A task of a plan; `number` is its place in the order, `x` and `y` are its upper left corner."""

    number: int
    title: str
    waits_for: list[int]
    x: int
    y: int

    @property
    def text(self) -> str:
        return short(self.title)

    @property
    def said(self) -> str:
        """The box for people who do not see the arrows."""
        after = ", ".join(str(number) for number in self.waits_for)
        return f"{self.number}: {self.title}" + (f", after {after}" if after else ", waits for nothing")


@dataclass(frozen=True)
class Drawing:
    """Boxes, and paths from what comes first to what waits for it."""

    width: int
    height: int
    boxes: list[Box]
    edges: list[str]


def drawing(tasks: Sequence[PlanTask]) -> Drawing | None:
    """The tasks of a plan without circles; None when nothing waits for anything, which a list says better."""
    if not any(task.depends_on for task in tasks):
        return None
    numbers = {task.ref: number for number, task in enumerate(tasks, start=1)}
    steps = _steps(tasks)
    columns: list[list[str]] = [[] for _ in range(max(steps.values()) + 1)]
    for task in tasks:
        columns[steps[task.ref]].append(task.ref)
    laid = layout(columns, arrows({task.ref: task.depends_on for task in tasks}))
    boxes = [
        Box(numbers[task.ref], task.title, sorted(numbers[ref] for ref in set(task.depends_on)), *laid.places[task.ref])
        for task in tasks
    ]
    return Drawing(laid.width, laid.height, boxes, laid.edges)


def _steps(tasks: Sequence[PlanTask]) -> dict[str, int]:
    """How many tasks in a row come before each."""
    waiting = {task.ref: task.depends_on for task in tasks}
    steps: dict[str, int] = {}
    while len(steps) < len(waiting):
        ready = [ref for ref in waiting if ref not in steps and all(first in steps for first in waiting[ref])]
        assert ready, "a plan that is kept has no circle"
        steps |= {ref: max((steps[first] + 1 for first in waiting[ref]), default=0) for ref in ready}
    return steps
