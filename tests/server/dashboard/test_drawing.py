"""Drawings of tasks and what they wait for."""

import re
from uuid import UUID

from locus.server.dashboard.drawing import NODE_HEIGHT, NODE_WIDTH, graph
from locus.server.dashboard.plan_drawing import drawing
from locus.server.tasks.graph import Near
from locus.wire.plans import PlanTask
from locus.wire.tasks import Status

Point = tuple[float, float]


def near(number: int, step: int, *depends_on: int) -> Near:
    on = [UUID(int=first) for first in depends_on]
    key = f"WEB-{number}"
    return Near(id=UUID(int=number), key=key, title=key, status=Status.BACKLOG, step=step, depends_on=on)


def points(path: str) -> list[Point]:
    """Points along a path of lines and curves."""
    found: list[Point] = []
    for letter, text in re.findall(r"([MCH])([^MCH]*)", path):
        numbers = [float(number) for number in text.split()]
        if letter == "M":
            found.append((numbers[0], numbers[1]))
        elif letter == "H":
            x, y = found[-1]
            found += [(x + (numbers[0] - x) * n / 20, y) for n in range(1, 21)]
        else:
            xs, ys = [found[-1][0], *numbers[::2]], [found[-1][1], *numbers[1::2]]
            found += [(_bezier(xs, n / 20), _bezier(ys, n / 20)) for n in range(1, 21)]
    return found


def _bezier(p: list[float], t: float) -> float:
    u = 1 - t
    return u**3 * p[0] + 3 * u * u * t * p[1] + 3 * u * t * t * p[2] + t**3 * p[3]


def hidden(path: str, boxes: list[tuple[int, int]]) -> list[Point]:
    """The points of an arrow that are behind a box."""
    return [
        (x, y)
        for x, y in points(path)
        for left, top in boxes
        if left < x < left + NODE_WIDTH and top < y < top + NODE_HEIGHT
    ]


def test_no_arrow_is_behind_a_box_when_it_passes_a_column() -> None:
    # 1 comes three steps before 4, and right before 3 too: the one arrow goes past 2. 5 is far before, by its own way.
    made = graph([near(1, -3), near(5, -3), near(2, -2, 1), near(3, -1, 2, 5), near(4, 0, 3, 1), near(6, 1, 4, 5)])

    assert made is not None
    boxes = [(node.x, node.y) for node in made.nodes]
    assert len(made.edges) == 5  # of seven: 1 → 4 and 5 → 6 are said by what is between
    assert [hidden(edge, boxes) for edge in made.edges] == [[]] * 5
    assert all(-2 <= x <= made.width + 2 and -2 <= y <= made.height + 2 for e in made.edges for x, y in points(e))


def test_an_arrow_between_two_tasks_of_the_last_column_is_drawn_whole() -> None:
    made = graph([near(1, 0), near(2, 1, 1), near(3, 1, 1, 2)])

    assert made is not None
    assert all(x <= made.width for edge in made.edges for x, _ in points(edge))


def test_the_drawing_of_a_plan_hides_no_arrow_either() -> None:
    waits: dict[str, list[str]] = {
        "a": [],
        "b": ["a"],
        "c": ["b"],
        "d": [],
        "e": ["c", "d"],
        "f": ["a"],
        "g": ["f", "e"],
    }
    made = drawing([PlanTask(ref=ref, title=ref, depends_on=on) for ref, on in waits.items()])

    assert made is not None
    boxes = [(box.x, box.y) for box in made.boxes]
    assert len(made.edges) == 7
    assert [hidden(edge, boxes) for edge in made.edges] == [[]] * 7
