"""Files that git ignores: what a set-up has installed, and what was done to it since.

They are in no commit and yet in the tree, so a check that an agent has tampered with would not show in any change.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from locus.local.git.worktree import Worktree

# Read by an interpreter before anything else, wherever they turn up.
STARTUP = ("sitecustomize.py", "usercustomize.py", "conftest.py")
STARTUP_SUFFIX = ".pth"
BYTECODE = ".pyc"

Stamp = tuple[int, int, int, int]  # size, both times in ns, inode: nobody can change a file and keep its ctime


class Ignored(Struct, frozen=True):
    """The ignored files of a tree at one moment."""

    stamps: Mapping[str, Stamp]


async def look(worktree: Worktree) -> Ignored:
    """Note the ignored files of a tree as they are now. Raises GitError."""
    paths = await worktree.ignored()
    return Ignored(await asyncio.to_thread(_stamps, worktree.root, paths))


def tampered(before: Ignored, after: Ignored) -> list[str]:
    """The files that were there before and are others now, and new ones that an interpreter starts with.

    Bytecode is left out: it is made by every run, and removed instead.
    """
    changed = [
        path for path, stamp in before.stamps.items() if not _is_bytecode(path) and after.stamps.get(path) != stamp
    ]
    new = [path for path in after.stamps.keys() - before.stamps.keys() if _starts_something(path)]
    return sorted([*changed, *new])


async def drop_bytecode(worktree: Worktree, before: Ignored, after: Ignored) -> None:
    """Remove compiled files that are new or changed: they need not be what their source says."""
    paths = [path for path, stamp in after.stamps.items() if _is_bytecode(path) and before.stamps.get(path) != stamp]
    await asyncio.to_thread(_remove, worktree.root, paths)


def _stamps(root: Path, paths: list[str]) -> dict[str, Stamp]:
    found: dict[str, Stamp] = {}
    for path in paths:
        try:
            status = os.lstat(root / path)
        except OSError:  # removed meanwhile
            continue
        found[path] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return found


def _remove(root: Path, paths: list[str]) -> None:
    for path in paths:
        (root / path).unlink(missing_ok=True)


def _is_bytecode(path: str) -> bool:
    return path.endswith(BYTECODE)


def _starts_something(path: str) -> bool:
    return PurePosixPath(path).name in STARTUP or path.endswith(STARTUP_SUFFIX)
