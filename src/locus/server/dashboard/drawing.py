"""Small drawings of tasks and what they wait for, as numbers that a template turns into SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from locus.server.tasks.graph import Near
from locus.wire.work import Attempt

NODE_WIDTH, NODE_HEIGHT = 128, 30
GAP_X, GAP_Y = 34, 8
LONGEST = 16  # characters of a title in a node


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


def graph(found: Sequence[Near]) -> Graph | None:
    """The tasks in columns by their step; None when a task stands alone."""
    if len(found) < 2:
        return None
    steps = sorted({near.step for near in found})
    columns = {step: [near for near in found if near.step == step] for step in steps}
    height = max(len(column) for column in columns.values()) * (NODE_HEIGHT + GAP_Y) - GAP_Y
    nodes: dict[UUID, Node] = {}
    for index, step in enumerate(steps):
        column = columns[step]
        top = (height - (len(column) * (NODE_HEIGHT + GAP_Y) - GAP_Y)) // 2
        for row, near in enumerate(column):
            nodes[near.id] = Node(near, index * (NODE_WIDTH + GAP_X), top + row * (NODE_HEIGHT + GAP_Y))
    edges = [edge(nodes[first], node) for node in nodes.values() for first in node.near.depends_on if first in nodes]
    return Graph(len(steps) * (NODE_WIDTH + GAP_X) - GAP_X, height, list(nodes.values()), edges)


class Placed(Protocol):
    """A box that stands somewhere."""

    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...


def edge(first: Placed, then: Placed) -> str:
    """The path of an arrow from what comes first to what waits for it."""
    x1, y1 = first.x + NODE_WIDTH, first.y + NODE_HEIGHT // 2
    x2, y2 = then.x, then.y + NODE_HEIGHT // 2
    if x2 > x1:
        half = (x1 + x2) // 2
        return f"M{x1} {y1}C{half} {y1} {half} {y2} {x2 - 4} {y2}"
    # Beside each other in one column: around the right side.
    return f"M{x1} {y1}C{x1 + 22} {y1} {then.x + NODE_WIDTH + 22} {y2} {then.x + NODE_WIDTH + 4} {y2}"


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
