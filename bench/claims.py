"""Claims: how many a second over HTTP, whether any task is given out twice, whether a large table makes them slower."""

from collections import Counter
from collections.abc import Sequence

from bench import control, load, pgbench
from bench.control import Plane
from bench.measure import Measure, at_least, at_most, median, percentile

CONNECTIONS = 64
ROUNDS = 3
SECONDS = 6
BACKLOG = 100_000  # tasks; more than anybody claims in SECONDS
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SINGLE = 900  # claims of one after the other, for each size


async def measure(
    *,
    rounds: int = ROUNDS,
    seconds: int = SECONDS,
    backlog: int = BACKLOG,
    once: int = BACKLOG,
    sizes: Sequence[int] = SIZES,
) -> list[Measure]:
    """All of it on one control plane.

    `rounds` times HTTP and pgbench in turn, for so many seconds each, with a `backlog` that they do not come to the
    end of; `once` tasks, to be claimed once each; `sizes` are numbers of tasks, the smallest first.
    """
    async with control.running() as plane:
        speed = await _speed(plane, rounds, seconds, backlog)
        return [*speed, await _double(plane, once), *await _flat(plane, sizes)]


async def _speed(plane: Plane, rounds: int, seconds: int, backlog: int) -> list[Measure]:
    ours, theirs, latencies = [], [], []
    for _ in range(rounds):
        await plane.fill(backlog)
        got = await load.claim(plane, connections=CONNECTIONS, seconds=seconds)
        ours.append(len(got.tasks) / got.seconds)
        latencies += got.latencies
        await plane.fill(backlog)
        theirs.append(await pgbench.claims_per_second(plane, clients=CONNECTIONS, seconds=seconds))
    ratio = median([one / other for one, other in zip(ours, theirs, strict=True)])
    return [
        Measure(
            f"claims over HTTP, {CONNECTIONS} connections, to pgbench",
            ratio,
            "×",
            at_least(0.6),
            baseline=f"pgbench, {CONNECTIONS} clients, the same statement: {median(theirs):,.0f}/s",
            note=f"{median(ours):,.0f}/s",
        ),
        Measure("one claim, median", percentile(latencies, 0.5) * 1000, "ms", note=f"at {CONNECTIONS} connections"),
        Measure("one claim, p99", percentile(latencies, 0.99) * 1000, "ms", note=f"at {CONNECTIONS} connections"),
    ]


async def _double(plane: Plane, once: int) -> Measure:
    await plane.fill(once)
    got = await load.claim(plane, connections=CONNECTIONS)
    counted = Counter(got.tasks)
    lost = once - len(counted)
    events = await plane.database.fetchval("SELECT count(*) FROM events WHERE kind = 'task.claimed'")
    return Measure(
        f"claimed twice, of {once:,}",
        sum(count - 1 for count in counted.values()),
        "",
        at_most(0),
        note=f"{lost} never claimed, {got.refused} refused, {events:,} events",
    )


async def _flat(plane: Plane, sizes: Sequence[int]) -> list[Measure]:
    taken = {}
    for size in sizes:
        await plane.fill(size)
        got = await load.claim(plane, connections=1, most=min(SINGLE, size))
        taken[size] = median(got.latencies) * 1000
    smallest, largest = sizes[0], sizes[-1]
    return [
        *(Measure(f"one claim of {size:,} tasks, alone", taken[size], "ms") for size in sizes),
        Measure(
            f"one claim of {largest:,} tasks to one of {smallest:,}",
            taken[largest] / taken[smallest],
            "×",
            at_most(1.5),
        ),
    ]
