"""The lessons of a repository, in `.locus/LEARNINGS.md`: every agent reads them, so each is there once and short."""

import re
from itertools import pairwise
from pathlib import Path

from locus.local import files
from locus.local.context.documents import listed
from locus.local.errors import LocalError, Usage
from locus.local.project import LEARNINGS

LONGEST = 300  # characters of one lesson
ALIKE = 0.8  # share of their words from which on two lessons say the same
HEAD = "# What we learned\n\nOne line per lesson, newest last. Agents read this file before their task.\n"
WORD = re.compile(r"[^\W_]+")
# They turn what the next word says, all in the same way.
TURNING = frozenset({"not", "no", "never", "without", "cannot"})
SHORT_NOT = re.compile(r"n['\u2019]t\b")


def lessons(root: Path) -> list[str]:
    """The lessons that are there, oldest first. Raises LocalError when the file cannot be read."""
    return listed(files.read(root / LEARNINGS) or "")


def learn(root: Path, lesson: str) -> str:
    """Add a lesson, and return it as it stands there.

    Raises Usage when it is empty or too long, LocalError when one says the same already.
    """
    text = " ".join(lesson.split()).removeprefix("- ")
    if not WORD.search(text):
        raise Usage("There is no lesson in that.", remedy="Say what the next agent should know, in one sentence.")
    if len(text) > LONGEST:
        raise Usage(
            f"A lesson has at most {LONGEST} characters; this one has {len(text)}.",
            remedy="Every agent reads it before every task: say it in one sentence.",
        )
    path = root / LEARNINGS
    if path.is_symlink() or path.parent.is_symlink():
        raise LocalError(f"{path} is a link, and would be written somewhere else.", remedy="Make it a file.")
    with files.locked(path):
        if (same := like(text, lessons(root))) is not None:
            raise LocalError(f"That is known already: {same}", remedy=f"Edit {LEARNINGS} to say it better.")
        before = files.read(path)
        start = HEAD if before is None else before if before.endswith("\n") else f"{before}\n"
        gap = "" if start.rstrip().split("\n")[-1].startswith("- ") else "\n"
        files.write(path, f"{start.rstrip()}\n{gap}- {text}\n", mode=0o644)
    return text


def like(lesson: str, known: list[str]) -> str | None:
    """The one of `known` that says the same, if any does: nearly the same words, of which none decides otherwise."""
    words, deciding = _words(lesson)
    for other in known:
        others, otherwise = _words(other)
        if deciding == otherwise and words and len(words & others) / len(words | others) >= ALIKE:
            return other
    return None


def _words(lesson: str) -> tuple[set[str], set[str]]:
    """The words of a lesson, and those that change what the same words say: numbers, and what it says not to do."""
    said = WORD.findall(SHORT_NOT.sub(" not", lesson.casefold()))
    said = ["not" if word in TURNING else word for word in said]
    turned = {f"not {word}" for before, word in pairwise(said) if before == "not"}
    return set(said), turned | {word for word in said if any(map(str.isdigit, word))}
