"""How near files are to each other by what they define and mention: personalised PageRank. Pure.

Computed by pushing (Andersen, Chung and Lang, 2006): weight that is not spread yet moves from file to file until what
is left at each is too little to matter. Only files near the beginning are ever looked at, so that the graph need not
be kept: `edges` makes the part that is asked for.
"""

from collections import deque
from collections.abc import Callable, Mapping

STAY = 0.25  # of the weight that comes to a file, the part that stays there
ENOUGH = 2e-3  # weight that is not spread any further


def personalised(
    seeds: Mapping[int, float],
    edges: Callable[[int], Mapping[int, float]],
    *,
    stay: float = STAY,
    enough: float = ENOUGH,
) -> dict[int, float]:
    """The weight of each node near the `seeds`, whose own weights are what the walk begins and begins again with.

    `edges` gives for a node those that it leads to, with weights that add up to 1 or to 0.
    """
    total = sum(seeds.values())
    if total <= 0:
        return {}
    waiting = {node: weight / total for node, weight in seeds.items() if weight > 0}
    queue = deque(sorted(waiting, key=lambda node: (-waiting[node], node)))
    queued = set(queue)
    settled: dict[int, float] = {}
    while queue:
        node = queue.popleft()
        queued.discard(node)
        weight = waiting.pop(node, 0.0)
        onward = edges(node)
        settled[node] = settled.get(node, 0.0) + weight * (stay if onward else 1.0)
        for target, share in onward.items():
            waiting[target] = waiting.get(target, 0.0) + weight * (1.0 - stay) * share
            if waiting[target] > enough and target not in queued:
                queued.add(target)
                queue.append(target)
    return settled
