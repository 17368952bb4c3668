"""Insights: what discussions came to. They are the person's to edit and export, and are told to later agents."""

# No `from __future__ import annotations`: msgspec reads them.

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from locus.local import files
from locus.local.errors import LocalError
from locus.local.sessions.folder import Folder
from locus.local.sessions.shelf import new_id
from locus.local.text import EMPTY

BUDGET = 6_000  # characters of insights in one prompt
WORD = re.compile(r"[^\W_]{2,}")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ENDING = re.compile(r"(?<=\w{3})(?:ies|ing|ed|es|s|e|y)$")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # Thai, Lao, Japanese, Chinese

Moment = Annotated[datetime, Meta(tz=True)]
Title = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Tag = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f,]+$")]
Tags = Annotated[list[Tag], Meta(max_length=8)]


class Kind(StrEnum):
    DECISION = "decision"
    REQUIREMENT = "requirement"
    IDEA = "idea"
    CONCERN = "concern"
    LEARNING = "learning"


class Draft(Struct, kw_only=True, forbid_unknown_fields=True):
    """An insight as it is found or written."""

    kind: Kind
    title: Title
    text: Text
    tags: Tags = []
    replaces: str | None = None
    """The id of an earlier insight that this one is a better version of."""


class Insight(Struct, kw_only=True):
    id: str
    kind: Kind
    title: Title
    text: Text
    tags: Tags
    discussion: str | None
    created_at: Moment
    updated_at: Moment

    @property
    def line(self) -> str:
        """The insight as one item of a prompt."""
        return f"{self.kind.value.capitalize()}: {self.title}. {' '.join(self.text.split())}"


class NoSuchInsight(LocalError):
    """There is no insight of that id, or there are several."""


class Insights:
    """The insights of one repository, in one file."""

    def __init__(self, folder: Folder) -> None:
        self._path = folder.insights

    def all(self) -> list[Insight]:
        """Every insight, oldest first. Raises LocalError when the file cannot be read."""
        text = files.read_private(self._path)
        if text is None:
            return []
        try:
            return msgspec.json.decode(text, type=list[Insight])
        except msgspec.MsgspecError as e:
            raise LocalError(f"{self._path} cannot be read: {e}.", remedy="Mend that place, or move it away.") from e

    def find(self, wanted: str) -> Insight:
        """The insight with that id, or with an id that begins so. Raises NoSuchInsight."""
        given = wanted.strip().lower()
        found = [one for one in self.all() if given and one.id.startswith(given)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found[:5])
            raise NoSuchInsight(f"{wanted!r} is the beginning of several insights: {ids}.", remedy="Write more of it.")
        raise NoSuchInsight(f"There is no insight {wanted!r} here.", remedy="See: locus insights list")

    def add(self, drafts: Iterable[Draft], discussion: str | None = None) -> list[Insight]:
        """Keep what is new, and return it: what says the same as an insight that is there is not kept twice."""
        with files.locked(self._path):
            insights = self.all()
            added = []
            for draft in drafts:
                now = datetime.now(UTC)
                fresh = Insight(
                    id=new_id(),
                    kind=draft.kind,
                    title=draft.title,
                    text=draft.text,
                    tags=list(dict.fromkeys(draft.tags)),
                    discussion=discussion,
                    created_at=now,
                    updated_at=now,
                )
                old = next((one for one in insights if one.id == draft.replaces), None)
                if old is not None:
                    fresh.id, fresh.created_at = old.id, old.created_at
                    insights[insights.index(old)] = fresh
                elif any(_same(fresh, one) for one in insights):
                    continue
                else:
                    insights.append(fresh)
                added.append(fresh)
            if added:
                self._write(insights)
        return added

    def change(self, insight: Insight) -> None:
        """Put an edited insight in the place of the one with its id. Raises NoSuchInsight."""
        with files.locked(self._path):
            insights = self.all()
            at = next((at for at, one in enumerate(insights) if one.id == insight.id), None)
            if at is None:
                raise NoSuchInsight(f"The insight {insight.id} was deleted meanwhile.")
            insight.updated_at = datetime.now(UTC)
            insights[at] = insight
            self._write(insights)

    def delete(self, insight: Insight) -> None:
        """Forget an insight."""
        with files.locked(self._path):
            self._write([one for one in self.all() if one.id != insight.id])

    def _write(self, insights: Sequence[Insight]) -> None:
        files.write(self._path, msgspec.json.format(msgspec.json.encode(insights)).decode())


def relevant(insights: Sequence[Insight], about: str, *, budget: int = BUDGET) -> list[Insight]:
    """The insights that have to do with a text, the closest first, whole ones only, within `budget` characters.

    By the words they share, of which rare ones say more than common ones (BM25). What shares none is not told.
    """
    if not insights:
        return []
    bags = [Counter(words(f"{one.title} {one.text} {' '.join(one.tags)}")) for one in insights]
    usual = sum(bag.total() for bag in bags) / len(bags) or 1.0
    spread = Counter(word for bag in bags for word in bag)
    asked = set(words(about))

    def score(bag: Counter[str]) -> float:
        total = 0.0
        for word in asked & bag.keys():
            rare = math.log(1 + (len(bags) - spread[word] + 0.5) / (spread[word] + 0.5))
            total += rare * bag[word] * 2.5 / (bag[word] + 1.5 * (0.25 + 0.75 * bag.total() / usual))
        return total

    ranked = sorted(zip(map(score, bags), insights, strict=True), key=lambda pair: (-pair[0], pair[1].created_at))
    chosen: list[Insight] = []
    for points, insight in ranked:
        if points > 0 and len(insight.line) <= budget:
            chosen.append(insight)
            budget -= len(insight.line)
    return chosen


def told_about(folder: Folder, about: str) -> list[str]:
    """What a prompt about `about` says of discussions in this repository, an item each. Raises LocalError."""
    return [insight.line for insight in relevant(Insights(folder).all(), about)]


def words(text: str) -> list[str]:
    """The words of a text that say something, so that `prices` finds `price`, and `session store` finds `SessionStore`.

    English ones lose their commonest endings. Where words stand without blanks, two characters at a time are one.
    """
    found = (word for word in WORD.findall(HUMP.sub(" ", text).casefold()) if word not in EMPTY)
    return [one for word in found for one in (_pairs(word) if UNSPACED.search(word) else [ENDING.sub("", word)])]


def _pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _same(one: Insight, other: Insight) -> bool:
    return one.kind is other.kind and words(f"{one.title} {one.text}") == words(f"{other.title} {other.text}")
