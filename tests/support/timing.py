"""Whether two kinds of request can be told apart by how long their answers take."""

import math
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from random import Random

ROUNDS = 3  # as often a difference has to show before it is one: chance alone does that once in four million times
CHANCE = 0.01

# One sample: how many seconds the answer took, for the first kind of request or the second.
Sample = Callable[[int], Awaitable[float]]


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """How likely chance alone orders two samples so much apart, and the share of pairs in which the second is larger.

    Of Mann and Whitney's test the approximation for large samples, with the correction for ties.
    """
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    total, ranks, ties, at = len(ranked), 0.0, 0.0, 0
    for _, group in groupby(ranked, key=lambda pair: pair[0]):
        same = list(group)
        ranks += sum(kind for _, kind in same) * (at + (len(same) + 1) / 2)
        ties += len(same) ** 3 - len(same)
        at += len(same)
    pairs = len(first) * len(second)
    larger = ranks - len(second) * (len(second) + 1) / 2
    spread = math.sqrt(pairs / 12 * ((total + 1) - ties / (total * (total - 1))))
    if spread == 0:
        return 1.0, 0.5
    distance = max(0.0, abs(larger - pairs / 2) - 0.5) / spread
    return math.erfc(distance / math.sqrt(2)), larger / pairs


async def told_apart(sample: Sample, count: int) -> list[tuple[float, float]]:
    """The rounds of `count` pairs in which a difference showed each time, and in the same direction; [] for none.

    Each pair is taken in an order by chance, one right after the other: what else the machine does meets both alike.
    Fewer than `ROUNDS` rounds are chance, which one test in a hundred would otherwise fall for.
    """
    order = Random()
    found: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        took: tuple[list[float], list[float]] = ([], [])
        for _ in range(count):
            for kind in order.sample((0, 1), 2):
                took[kind].append(await sample(kind))
        found.append(mann_whitney(*took))
        chance, larger = found[-1]
        if chance > CHANCE or (larger > 0.5) != (found[0][1] > 0.5):
            return []
    return found
