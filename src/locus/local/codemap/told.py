"""The map that goes into a prompt: brought up to date, ranked for what the prompt is about, and cut to its budget."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from locus.local.codemap.draw import Drawn, draw
from locus.local.codemap.listing import of_checkout
from locus.local.codemap.nearest import asked, nearest
from locus.local.codemap.refresh import refresh
from locus.local.codemap.store import Damaged, Store, opened
from locus.local.errors import LocalError
from locus.local.settings import Settings

PATIENCE = 120.0  # seconds; a prompt does without a map that takes longer
FIELD = 60  # files whose definitions are looked up


class Wanted(Struct, frozen=True):
    """What the settings say of the map: whether prompts have one, and how many tokens it may take, about."""

    enabled: bool = True
    budget: int = 2_000

    @classmethod
    def of(cls, settings: Settings) -> "Wanted":
        """As the settings in force say."""
        return cls(settings.index, settings.index_budget)


def ranked(store: Store, root: Path, about: str, *, budget: int) -> Drawn:
    """The map of the tree at `root` for a text, as the index has it."""
    found = nearest(store, root, about)
    numbers = [one.file.content for one in found[:FIELD] if one.file.content is not None]
    return draw(found, store.contents(numbers), asked(about), budget=budget)


async def told_of_checkout(
    index: Path,
    root: Path,
    environment: Mapping[str, str],
    about: str,
    wanted: Wanted,
    *,
    trouble: Callable[[str], None],
) -> str:
    """Like `told`, for the user's own checkout, untracked files included."""
    if not wanted.enabled:
        return ""
    try:
        paths = await of_checkout(root, environment)
    except LocalError as e:
        trouble(f"This prompt has no map of the repository: {e.message}")
        return ""
    return await told(index, root, paths, about, wanted, trouble=trouble)


async def told(
    index: Path,
    root: Path,
    paths: Sequence[str],
    about: str,
    wanted: Wanted,
    *,
    trouble: Callable[[str], None],
) -> str:
    """The map for a prompt; empty when there is to be none, or none can be had, and `trouble` hears why.

    `index` is the file that it is kept in, `paths` are the files of the tree that belong to it. No task fails for want
    of a map.
    """
    if not wanted.enabled:
        return ""
    try:
        try:
            return await _told(index, root, paths, about, wanted)
        except Damaged:
            return await _told(index, root, paths, about, wanted)  # a new one
    except TimeoutError:
        trouble(f"The map of the repository took more than {PATIENCE:.0f} s, so this prompt has none.")
    except (LocalError, OSError, sqlite3.Error) as e:
        trouble(f"This prompt has no map of the repository: {e.message if isinstance(e, LocalError) else e}")
    return ""


async def _told(index: Path, root: Path, paths: Sequence[str], about: str, wanted: Wanted) -> str:
    with opened(index) as store:
        async with asyncio.timeout(PATIENCE):
            await refresh(store, root, paths)
        return ranked(store, root, about, budget=wanted.budget).text
