"""The codebase map: how fast it is made and asked, on Django's source.

`locus index` itself, started as a program, on the source distribution of Django; then the map for a prompt, in a
process that has the index. Whether the right files are on it: `bench/recall.py`.
"""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Measure, at_most, median
from bench.releases import DJANGO, source
from locus.local.codemap.store import opened
from locus.local.codemap.told import ranked

ROUNDS = 5
BUDGET = 2_000  # tokens
ASKED = (
    "Add a setting for the maximum number of messages in the session cookie storage",
    "Fixed a crash when calling QuerySet.bulk_create() with unique_fields on a model with a db_column",
    "The admin changelist ignores list_select_related when get_queryset() is overridden",
    "Let the test client send JSON with a PATCH request",
)


async def measure(*, tree: Path | None = None, rounds: int = ROUNDS) -> list[Measure]:
    """Measure speed and memory on a `tree`, on Django's source if left out."""
    tree = tree or source(DJANGO)
    if tree is None:
        raise RuntimeError("Django's source distribution could not be had from the registry.")
    # Not in the loop that runs already: the index has loops of its own.
    return await asyncio.to_thread(_speed, tree, rounds)


def _speed(tree: Path, rounds: int) -> list[Measure]:
    with TemporaryDirectory(prefix="locus-bench-") as place:
        root = Path(place) / "django"
        shutil.copytree(tree, root)
        subprocess.run(["git", "init", "-q", root], check=True)
        subprocess.run(["git", "-C", root, "add", "-A"], check=True)
        cold, warm = [], []
        for at in range(rounds):
            state = Path(place) / f"state-{at}"
            cold.append(_run(root, state))
            warm.append(_run(root, state))
        index = next(state.glob("beside/*/index.sqlite3"))
        asking = _asking(index, root)
        files = sum(1 for path in root.rglob("*.py"))
        size = sum(file.stat().st_size for file in index.parent.glob("index.sqlite3*"))
    memory = max(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 0) / 1000
    return [
        Measure(
            "index of Django's source, cold",
            median([wall for wall, _ in cold]),
            "s",
            at_most(10.0),
            note=f"{files:,} Python files and all others; with the start of the program; of processor time "
            f"{median([cpu for _, cpu in cold]):.1f} s in all processes; median of {rounds}",
        ),
        Measure(
            "index of Django's source, warm",
            median([wall for wall, _ in warm]),
            "s",
            at_most(1.0),
            note=f"nothing has changed; of processor time {median([cpu for _, cpu in warm]):.2f} s",
        ),
        Measure(
            "largest process of both", memory, "MB", at_most(300.0), note=f"the index on the disk: {size / 1e6:.0f} MB"
        ),
        Measure(
            "map for a prompt, warm",
            median([wall for wall, _ in asking]) * 1000,
            "ms",
            at_most(200.0),
            note=f"of processor time {median([cpu for _, cpu in asking]) * 1000:.0f} ms; median of {len(asking)}; "
            f"{BUDGET} tokens",
        ),
    ]


def _run(root: Path, state: Path) -> tuple[float, float]:
    """Seconds that `locus index` took, by the clock and of processor, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "locus", "index", "--json"],
        cwd=root,
        env={"PATH": os.environ["PATH"], "HOME": str(root.parent), "LOCUS_STATE_DIR": str(state)},
        check=True,
        capture_output=True,
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _asking(index: Path, root: Path) -> list[tuple[float, float]]:
    """Seconds that each map took, by the clock and of processor."""
    taken = []
    with opened(index) as store:
        for text in ASKED * ROUNDS:
            began, before = time.perf_counter(), time.process_time()
            ranked(store, root, text, budget=BUDGET)
            taken.append((time.perf_counter() - began, time.process_time() - before))
    return taken
