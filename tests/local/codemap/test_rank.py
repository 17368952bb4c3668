"""Personalised PageRank by pushing is personalised PageRank."""

from hypothesis import given, strategies as st

from locus.local.codemap.rank import STAY, personalised

NODES = 6
graphs = st.lists(
    st.lists(st.integers(0, NODES - 1), max_size=NODES, unique=True).map(sorted), min_size=NODES, max_size=NODES
)


def iterated(seeds: dict[int, float], graph: list[list[int]]) -> list[float]:
    """The same by the power iteration of the textbook: a walk ends at each node with the chance STAY, or where it
    cannot go on."""
    total = sum(seeds.values())
    here = [seeds.get(node, 0.0) / total for node in range(NODES)]
    ended = [0.0] * NODES
    for _ in range(200):
        onward = [0.0] * NODES
        for node, weight in enumerate(here):
            stays = STAY if graph[node] else 1.0
            ended[node] += weight * stays
            for target in graph[node]:
                onward[target] += weight * (1 - stays) / len(graph[node])
        here = onward
    return ended


@given(graphs, st.dictionaries(st.integers(0, NODES - 1), st.floats(0.1, 10), min_size=1))
def test_what_is_pushed_is_what_the_iteration_finds(graph: list[list[int]], seeds: dict[int, float]) -> None:
    found = personalised(
        seeds, lambda at: dict.fromkeys(graph[at], 1 / len(graph[at]) if graph[at] else 0), enough=1e-7
    )

    exact = iterated(seeds, graph)
    assert all(abs(found.get(node, 0.0) - exact[node]) < 1e-4 for node in range(NODES))


@given(graphs)
def test_only_what_can_be_reached_has_weight(graph: list[list[int]]) -> None:
    found = personalised({0: 1.0}, lambda at: dict.fromkeys(graph[at], 1 / len(graph[at]) if graph[at] else 0))

    reached, waiting = {0}, [0]
    while waiting:
        for target in graph[waiting.pop()]:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    assert set(found) <= reached
    assert sum(found.values()) <= 1.0 + 1e-9


def test_no_seed_no_weight() -> None:
    assert personalised({}, lambda _: {0: 1.0}) == {}
