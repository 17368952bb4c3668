"""Bringing the index of a tree up to date: only what has changed is read, only what was never seen is parsed."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from locus.local.codemap.digest import UNREADABLE, Source, split
from locus.local.codemap.languages import language_of
from locus.local.codemap.parsing import digests
from locus.local.codemap.reading import Stamp, Tree
from locus.local.codemap.store import File, Store

MOST_FILES = 50_000  # of one tree; those deepest in it are left out first
MOST_BYTES = 512 << 10  # of one file; a longer one is known by its name alone
SLICE = 16 << 20  # bytes of content that are held at once
FRESH = 100_000_000  # ns; a file changed so shortly ago may change again without its times showing it

NOT_READ, LARGE = "not read", "large"


class Refreshed(Struct, frozen=True):
    """What bringing up to date took. `read` counts files, `parsed` contents never seen before."""

    files: int
    left_out: int
    read: int
    parsed: int
    removed: int
    seconds: float


async def refresh(
    store: Store, root: Path, paths: Sequence[str], *, begins: Callable[[int], None] | None = None
) -> Refreshed:
    """Bring the index of the tree at `root` up to date; `paths` are the files that belong to it.

    `begins` hears how many have to be read. Raises LocalError.
    """
    began = time.monotonic()
    chosen = sorted(paths, key=lambda path: (path.count("/"), path))[:MOST_FILES]
    number = store.tree(root)
    known = store.files(number)
    now = time.time_ns()
    read = parsed = 0
    with Tree(root) as tree:
        stamps = dict(tree.stamps(sorted(chosen)))
        gone = [path for path in known if path not in stamps]
        changed = [path for path, stamp in stamps.items() if path not in known or known[path].stamp != stamp]
        if begins is not None:
            begins(len(changed))
        for part in _slices(changed, stamps):
            read += len(part)
            parsed += await _take(store, number, tree, part, stamps, now)
    if changed or gone:
        with store.writing():
            store.drop(number, gone)
            store.clear_away()
    return Refreshed(len(stamps), len(paths) - len(chosen), read, parsed, len(gone), round(time.monotonic() - began, 3))


async def _take(
    store: Store, tree_number: int, tree: Tree, paths: Sequence[str], stamps: dict[str, Stamp], now: int
) -> int:
    """Read some files, have their contents parsed where that is new, and note them; returns how many were parsed."""
    hashes: dict[str, bytes] = {}
    notes: dict[str, str] = {}
    sources: dict[bytes, Source] = {}
    for path in paths:
        language = language_of(path)
        if language is None:
            notes[path] = NOT_READ
        elif stamps[path][0] > MOST_BYTES:
            notes[path] = LARGE
        elif (content := tree.read(path, MOST_BYTES)) is None:
            notes[path] = UNREADABLE
        else:
            # The same bytes are another content in another language.
            hashes[path] = key = hashlib.blake2b(language.encode() + b"\0" + content, digest_size=20).digest()
            sources[key] = Source(language, content)
    known = store.known(sources)
    new = [(key, source) for key, source in sources.items() if key not in known]
    async for found in digests(new):
        with store.writing():
            known.update((key, store.add(key, digest)) for key, digest in found)
    with store.writing():
        for path in paths:
            number = known[hashes[path]] if path in hashes else None
            stamp = _settled(stamps[path], now)
            store.put(tree_number, path, stamp, words=words(path), content=number, note=notes.get(path))
    return len(new)


def words(path: str) -> str:
    """The words of a path, to be found by."""
    return " ".join(split(path))


def files_of(store: Store, root: Path) -> list[File]:
    """The files of the tree at `root`, as the index has them."""
    return list(store.files(store.tree(root)).values())


def _settled(stamp: Stamp, now: int) -> Stamp:
    return stamp if stamp[2] < now - FRESH else (-1, *stamp[1:])


def _slices(paths: Iterable[str], stamps: dict[str, Stamp]) -> list[list[str]]:
    parts: list[list[str]] = []
    size = SLICE
    for path in paths:
        if size >= SLICE:
            parts.append([])
            size = 0
        parts[-1].append(path)
        size += min(stamps[path][0], MOST_BYTES)
    return parts
