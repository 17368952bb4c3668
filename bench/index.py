"""The codebase map: how fast it is made and asked on Django's source, and whether the right files are on it.

Speed: `locus index` itself, started as a program, on the source distribution of Django; then the map for a prompt,
in a process that has the index. Recall: see `bench/releases.py`; the answer to a release's description is right where
it names the files that the release has changed.
"""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Measure, at_least, at_most, median
from bench.releases import CODE, DJANGO, PACKAGES, Change, Package, changes, source
from locus.local.codemap.digest import split
from locus.local.codemap.nearest import asked, nearest
from locus.local.codemap.refresh import refresh
from locus.local.codemap.store import Store, opened
from locus.local.codemap.told import ranked

AT = 20  # files of an answer that count
ROUNDS = 5
BUDGET = 2_000  # tokens
ASKED = (
    "Add a setting for the maximum number of messages in the session cookie storage",
    "Fixed a crash when calling QuerySet.bulk_create() with unique_fields on a model with a db_column",
    "The admin changelist ignores list_select_related when get_queryset() is overridden",
    "Let the test client send JSON with a PATCH request",
)


async def measure(
    *, tree: Path | None = None, packages: Sequence[Package] = PACKAGES, rounds: int = ROUNDS
) -> list[Measure]:
    """Measure speed and memory on a `tree`, on Django's source if left out, and recall on releases of `packages`."""
    tree = tree or source(DJANGO)
    if tree is None:
        raise RuntimeError("Django's source distribution could not be had from the registry.")
    # Not in the loop that runs already: the index has loops of its own.
    speed = await asyncio.to_thread(_speed, tree, rounds)
    return [*speed, *await asyncio.to_thread(_recall, packages)]


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


def _recall(packages: Sequence[Package]) -> list[Measure]:
    rows = scores(packages)
    if not rows:
        return []
    files = sum(len(change.changed) for change, _, _ in rows)
    python = [row for row in rows if row[0].language == "Python"]
    javascript = [row for row in rows if row[0].language == "JavaScript"]
    shares = [len(files_of(change.before)) for change, _, _ in rows]
    names = ", ".join(dict.fromkeys(package.name for package in packages))
    return [
        Measure(
            f"recall@{AT}, all releases",
            100 * mean(ours for _, ours, _ in rows),
            "%",
            baseline=f"by file names alone: {100 * mean(base for _, _, base in rows):.1f} %",
            note=f"{len(rows)} releases with {files} changed files, in trees of {median(shares):.0f} code files; "
            f"{names}",
        ),
        *(
            Measure(
                f"recall@{AT}, {name}",
                100 * mean(ours for _, ours, _ in some),
                "%",
                baseline=f"by file names alone: {100 * mean(base for _, _, base in some):.1f} %",
                note=f"{len(some)} releases",
            )
            for name, some in (("Python", python), ("JavaScript", javascript))
        ),
        Measure(
            "releases measured",
            len(rows),
            "",
            at_least(200),
            note="each with a description, and 1 to 20 changed code files that were there before",
        ),
    ]


def scores(packages: Sequence[Package]) -> list[tuple[Change, float, float]]:
    """Of each change, the part of its files among the first AT of the map, and of the baseline."""
    with TemporaryDirectory(prefix="locus-bench-") as place, opened(Path(place) / "index.sqlite3") as store:
        return [
            (change, recall(ours(store, change), change), recall(by_names(change), change))
            for change in changes(packages)
        ]


def ours(store: Store, change: Change) -> list[str]:
    """The code files of the map, the nearest first."""
    paths = [path.relative_to(change.before).as_posix() for path in change.before.rglob("*") if path.is_file()]
    asyncio.run(refresh(store, change.before, paths))
    found = nearest(store, change.before, change.said)
    return [one.file.path for one in found if one.file.path.endswith(CODE)]


def by_names(change: Change) -> list[str]:
    """The plain way: the files whose paths have the most of the words, the shorter path first."""
    words = set(asked(change.said).words)
    points = {path: len(words.intersection(split(path))) for path in files_of(change.before)}
    return sorted((path for path in points if points[path]), key=lambda path: (-points[path], len(path), path))


def files_of(tree: Path) -> list[str]:
    """The code files of a tree."""
    return [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.suffix in CODE and path.is_file()]


def recall(found: Sequence[str], change: Change) -> float:
    """The part of the changed files that are among the first AT."""
    return len(change.changed.intersection(found[:AT])) / len(change.changed)


def mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
