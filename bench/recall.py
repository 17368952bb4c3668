"""The codebase map: whether the right files are on it.

A change that people made and described is asked for with their words; the answer is right where it names the files that
they changed. The changes are commits (`bench/commits.py`) and releases (`bench/releases.py`).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.commits import PROJECTS, Project, commits
from bench.measure import Measure, at_least, median
from bench.releases import CODE, PACKAGES, Change, Package, changes
from locus.local.codemap.digest import split
from locus.local.codemap.nearest import asked, nearest
from locus.local.codemap.refresh import refresh
from locus.local.codemap.store import Store, opened

AT = 20  # files of an answer that count
COUNTED = "each with a description, and 1 to 20 changed code files that were there before"


async def measure(*, projects: Sequence[Project] = PROJECTS, packages: Sequence[Package] = PACKAGES) -> list[Measure]:
    """Measure recall on the commits of `projects` and the releases of `packages`."""
    taken = f"of the projects' own, as Debian's archive has them; {COUNTED}"
    # Not in the loop that runs already: the index has loops of its own.
    of_commits = await asyncio.to_thread(told, commits(projects), what="commits", note=taken)
    return of_commits + await asyncio.to_thread(told, changes(packages), what="releases", note=COUNTED)


def told(found: Iterable[Change], *, what: str, note: str) -> list[Measure]:
    """`what` is the plural of what was found, which has at least a word and a changed file."""
    rows = scores(found)
    if not rows:
        return []
    files = sum(len(row.change.changed) for row in rows)
    names = ", ".join(dict.fromkeys(row.change.package for row in rows))
    trees = median([float(row.files) for row in rows])
    parts = [
        (
            f"all {what}",
            rows,
            f"{len(rows)} {what} with {files} changed files, in trees of {trees:.0f} code files; {names}",
        )
    ]
    for language in ("Python", "JavaScript"):
        some = [row for row in rows if row.change.language == language]
        if some:
            parts.append((f"{language} {what}", some, f"{len(some)} {what}"))
    return [
        *(
            Measure(
                f"recall@{AT}, {name}",
                100 * mean(row.ours for row in some),
                "%",
                baseline=f"by file names alone: {100 * mean(row.by_names for row in some):.1f} %",
                note=said,
            )
            for name, some, said in parts
        ),
        Measure(f"{what} measured", len(rows), "", at_least(200), note=note),
    ]


@dataclass(frozen=True)
class Score:
    """The part of a change's files among the first AT: of the map, and by the baseline; in a tree of so many files."""

    change: Change
    ours: float
    by_names: float
    files: int


def scores(found: Iterable[Change]) -> list[Score]:
    """Score each change while its tree is as it was before it."""
    with TemporaryDirectory(prefix="locus-bench-") as place, opened(Path(place) / "index.sqlite3") as store:
        return [
            Score(
                change,
                recall(ours(store, change), change),
                recall(by_names(change), change),
                len(files_of(change.before)),
            )
            for change in found
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
