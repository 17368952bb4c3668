"""Which files have to do with a text: by their words, their paths and what they define, and by who mentions whom."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from heapq import nlargest
from pathlib import Path

from msgspec import Struct

from locus.local.codemap.digest import IDENTIFIER, split
from locus.local.codemap.languages import BY_NAME, language_of
from locus.local.codemap.rank import personalised
from locus.local.codemap.refresh import files_of
from locus.local.codemap.store import File, Store
from locus.local.text import EMPTY

MOST_WORDS = 120  # of a text that are looked for
MOST_DEFINERS = 12  # a name that more contents define says little about any of them
MOST_NEIGHBOURS = 40  # of one file, the closest
SEEDS = 20  # files that the walk begins at
COPIES = 4  # files of the same content that count

# How much each thing says, in relation to the best file by it.
TEXT, PATH, DEFINED, NAMED, NEAR = 1.0, 0.3, 0.5, 2.0, 0.8
PROSE_COUNTS = 0.5  # a document speaks of everything
HISTORY_COUNTS = 0.2
_HISTORY = re.compile(r"(change|history|news|release)", re.IGNORECASE)
_RUN = re.compile(r"[\w./@+-]+")
_AROUND = "./@+-"  # which of it no path ends with


class Found(Struct, frozen=True):
    """A file and how near it is; `why` has the parts of its score, for those who want to know."""

    file: File
    score: float


class Asked(Struct, frozen=True):
    """What is looked for: words, identifiers as they were written, and what looks like a path."""

    words: tuple[str, ...]
    identifiers: frozenset[str]
    paths: frozenset[str]


def asked(text: str) -> Asked:
    """Read what a text asks for."""
    identifiers = IDENTIFIER.findall(text)
    words = dict.fromkeys(word for identifier in identifiers for word in split(identifier))
    return Asked(
        words=tuple(word for word in words if word not in EMPTY and word.isalnum())[:MOST_WORDS],
        identifiers=frozenset(identifiers),
        paths=frozenset(_paths(text)),
    )


def _paths(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        path = run.rstrip(_AROUND)
        if "/" in path or "." in path:
            yield path.lstrip("./")


def nearest(store: Store, root: Path, text: str) -> list[Found]:
    """The files of the tree at `root` that have to do with a text, the nearest first."""
    wanted = asked(text)
    files = files_of(store, root)
    ground = _Ground(store, files, wanted)
    scores = ground.direct()
    begin = sorted(scores, key=lambda at: (-scores[at], at))[:SEEDS]
    near = personalised({at: scores[at] ** 2 for at in begin}, ground.edges)
    highest = max(near.values(), default=1.0)
    for at, weight in near.items():
        scores[at] = scores.get(at, 0.0) + NEAR * _counts(files[at].path) * weight / highest
    ranked = sorted(scores, key=lambda at: (-scores[at], files[at].path))
    return [Found(files[at], scores[at]) for at in ranked]


class _Ground:
    """The files of one tree by their place in a list, and what connects them."""

    def __init__(self, store: Store, files: Sequence[File], wanted: Asked) -> None:
        self._store, self._files, self._wanted = store, files, wanted
        self._with: dict[int, list[int]] = {}
        for at, file in enumerate(files):
            if file.content is not None:
                self._with.setdefault(file.content, []).append(at)
        self._definers = store.definitions()
        self._defined_by = cache(self._find_definers)
        self.edges = cache(self._edges)

    def direct(self) -> dict[int, float]:
        """What each file has to do with the text by itself."""
        scores: dict[int, float] = {}
        texts = {one: points for one, points in self._store.texts_with(self._wanted.words).items() if one in self._with}
        self._add(scores, {at: points for one, points in texts.items() for at in self._with[one]}, TEXT)
        by_id = {file.id: at for at, file in enumerate(self._files)}
        paths = self._store.paths_with(self._wanted.words)
        self._add(scores, {by_id[one]: points for one, points in paths.items() if one in by_id}, PATH)
        self._add(scores, self._defining(), DEFINED)
        named = {at: 1.0 for at, file in enumerate(self._files) if self._wanted.paths and self._names(file.path)}
        self._add(scores, named, NAMED)
        return scores

    def _add(self, scores: dict[int, float], points: Mapping[int, float], share: float) -> None:
        counts = {at: _counts(self._files[at].path) for at in points}
        # Measured by the best code: a document that has every word must not make all code look far.
        code = [value for at, value in points.items() if counts[at] == 1.0]
        highest = max(code or points.values(), default=1.0)
        for at, value in points.items():
            scores[at] = scores.get(at, 0.0) + share * counts[at] * min(1.0, value / highest)

    def _defining(self) -> dict[int, float]:
        """The files that define what the text names."""
        points: dict[int, float] = {}
        for name in self._wanted.identifiers:
            files = self._defined_by(name)
            for at in files:
                points[at] = points.get(at, 0.0) + 1.0 / len(files)
        return points

    def _names(self, path: str) -> bool:
        parts = path.split("/")
        return any("/".join(parts[at:]) in self._wanted.paths for at in range(len(parts)))

    def _find_definers(self, name: str) -> list[int]:
        """The files that define a name, when they are few; else none."""
        numbers = self._definers.get(name)
        contents = [one for one in map(int, numbers.split(",")) if one in self._with] if numbers else []
        if len(contents) > MOST_DEFINERS:
            return []
        return [at for one in contents for at in self._with[one][:COPIES]]

    def _edges(self, at: int) -> dict[int, float]:
        """The files that define what a file mentions, with weights that add up to 1."""
        content = self._files[at].content
        if content is None:
            return {}
        weights: dict[int, float] = {}
        for name in self._definers.keys() & self._store.identifiers(content):
            if files := self._defined_by(name):
                asked_for = 4.0 if name in self._wanted.identifiers else 1.0
                for target in files:
                    if target != at:
                        weights[target] = weights.get(target, 0.0) + asked_for / len(files)
        closest = nlargest(MOST_NEIGHBOURS, weights, key=lambda target: (weights[target], -target))
        total = sum(weights[target] for target in closest)
        return {target: weights[target] / total for target in closest}


def _counts(path: str) -> float:
    """What a file counts by its kind."""
    if language_of(path) in BY_NAME:
        return 1.0
    return HISTORY_COUNTS if _HISTORY.search(path.rpartition("/")[2]) else PROSE_COUNTS
