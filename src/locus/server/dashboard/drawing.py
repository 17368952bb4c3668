"""Small drawings of tasks and what they wait for, as numbers that a template turns into SVG."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Generic, TypeVar

from locus.server.tasks.graph import Near
from locus.wire.work import Attempt

NODE_WIDTH, NODE_HEIGHT = 128, 30
GAP_X, GAP_Y = 34, 8
LANE = 6  # the height of an arrow that passes a column
LOOP = 22  # how far an arrow between two boxes of one column reaches out to the right
LONGEST = 16  # characters of a title in a node

K = TypeVar("K", bound=Hashable)


def short(title: str) -> str:
    """A title as far as it fits into a box."""
    return title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"


@dataclass(frozen=True)
class Node:
    """A task as a box; `x` and `y` are its upper left corner."""

    near: Near
    x: int
    y: int

    @property
    def text(self) -> str:
        return short(self.near.title)


@dataclass(frozen=True)
class Graph:
    """Boxes, and paths from what comes first to what waits for it."""

    width: int
    height: int
    nodes: list[Node]
    edges: list[str]


@dataclass(frozen=True)
class Layout(Generic[K]):
    """Where boxes stand, as the upper left corner of each, and the paths of the arrows between them."""

    width: int
    height: int
    places: dict[K, tuple[int, int]]
    edges: list[str]


def graph(found: Sequence[Near]) -> Graph | None:
    """The tasks in columns by their step; None when a task stands alone."""
    if len(found) < 2:
        return None
    steps = sorted({near.step for near in found})
    known = {near.id for near in found}
    waits = {near.id: [first for first in near.depends_on if first in known] for near in found}
    columns = [[near.id for near in found if near.step == step] for step in steps]
    laid = layout(columns, arrows(waits))
    return Graph(laid.width, laid.height, [Node(near, *laid.places[near.id]) for near in found], laid.edges)


def arrows(waits: Mapping[K, Sequence[K]]) -> list[tuple[K, K]]:
    """What comes right before each: an arrow past something that comes between says nothing new. No circles."""
    before: dict[K, set[K]] = {}
    for one in TopologicalSorter(waits).static_order():
        before[one] = set(waits[one]).union(*(before[first] for first in waits[one]))
    return [
        (first, then)
        for then, firsts in waits.items()
        for first in dict.fromkeys(firsts)
        if not any(first in before[other] for other in firsts)
    ]


def layout(columns: Sequence[Sequence[K]], edges: Iterable[tuple[K, K]]) -> Layout[K]:
    """Boxes in columns. An arrow that passes a column has a lane of its own below the boxes: none hides it."""
    column = {key: at for at, keys in enumerate(columns) for key in keys}
    edges = list(edges)
    passing = [[edge for edge in edges if column[edge[0]] < at < column[edge[1]]] for at in range(len(columns))]
    heights = [
        len(keys) * (NODE_HEIGHT + GAP_Y) + len(lanes) * (LANE + GAP_Y) - GAP_Y
        for keys, lanes in zip(columns, passing, strict=True)
    ]
    height = max(heights)
    places: dict[K, tuple[int, int]] = {}
    by_way: dict[tuple[K, K], list[tuple[int, int]]] = {edge: [] for edge in edges}
    for at, (keys, lanes) in enumerate(zip(columns, passing, strict=True)):
        x, y = at * (NODE_WIDTH + GAP_X), (height - heights[at]) // 2
        for key in keys:
            places[key] = (x, y)
            y += NODE_HEIGHT + GAP_Y
        for edge in lanes:
            by_way[edge].append((x, y + LANE // 2))
            y += LANE + GAP_Y
    last = len(columns) - 1
    loops = any(column[first] == column[then] == last for first, then in edges)
    width = len(columns) * (NODE_WIDTH + GAP_X) - GAP_X + (LOOP if loops else 0)
    return Layout(width, height, places, [_path(places[a], by_way[a, b], places[b]) for a, b in edges])


def _path(first: tuple[int, int], by_way: Sequence[tuple[int, int]], then: tuple[int, int]) -> str:
    """The path of an arrow from what comes first to what waits for it, straight through the lanes on its way."""
    x1, y1 = first[0] + NODE_WIDTH, first[1] + NODE_HEIGHT // 2
    x2, y2 = then[0], then[1] + NODE_HEIGHT // 2
    if x2 < x1:  # one column: around the right side
        return f"M{x1} {y1}C{x1 + LOOP} {y1} {x1 + LOOP} {y2} {x1 + 4} {y2}"
    path = f"M{x1} {y1}"
    for x, y in by_way:
        half = (x1 + x) // 2
        path += f"C{half} {y1} {half} {y} {x} {y}H{x + NODE_WIDTH}"
        x1, y1 = x + NODE_WIDTH, y
    half = (x1 + x2) // 2
    return f"{path}C{half} {y1} {half} {y2} {x2 - 4} {y2}"


@dataclass(frozen=True)
class Piece:
    """A stretch of an attempt: from `x`, `width` wide, of 100."""

    phase: str
    seconds: float
    x: float
    width: float


def strip(attempt: Attempt) -> list[Piece]:
    """The phases of an attempt to scale in time: the agent, the checks, and what is before, between and after."""
    total = max((attempt.ended_at - attempt.claimed_at).total_seconds(), 0.001)
    numbers = attempt.numbers
    agent = min(numbers.agent_ms / 1000, total) if numbers else 0.0
    checks = min(numbers.checks_ms / 1000, total - agent) if numbers else 0.0
    rest = total - agent - checks
    found: list[Piece] = []
    x = 0.0
    for phase, seconds in (("agent", agent), ("checks", checks), ("rest", rest)):
        width = 100 * seconds / total
        if seconds > 0:
            found.append(Piece(phase, seconds, round(x, 2), round(width, 2)))
        x += width
    return found
