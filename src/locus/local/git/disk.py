"""What we do to files in a tree that an agent wrote. No link is ever followed, and no call here is fooled by a mode."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from locus.local import process
from locus.local.errors import LocalError

REMOVE_TIMEOUT = 300.0  # seconds


async def discard(path: Path) -> None:
    """Remove whatever is at `path`: a file, a link, or a directory with everything in it."""
    if await asyncio.to_thread(_removed, path):
        return
    # Directories without write permission, or nested deeper than Python or PATH_MAX allow.
    await unlock(path)
    await _tool("rm", "-rf", "--", str(path), cwd=path.parent)
    if _is_there(path):
        raise LocalError(f"{path} cannot be removed.", remedy="Look at its owner and permissions, and remove it.")


async def unlock(path: Path) -> None:
    """Give the owner back the right to change everything below `path`."""
    if _is_directory(path):
        await _tool("chmod", "-R", "u+rwX", "--", str(path), cwd=path.parent)


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


async def _tool(*argv: str, cwd: Path) -> None:
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    await process.run(argv, cwd=cwd, env=env, timeout=REMOVE_TIMEOUT)


def _removed(path: Path) -> bool:
    try:
        _remove(path)
    except (OSError, RecursionError):
        return False
    return True


def _remove(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        shutil.rmtree(path)
    else:
        path.unlink()


class Survey(Struct, frozen=True):
    """What git would not tell us about a tree. Paths are relative to its root."""

    repositories: tuple[str, ...]
    """Directories with a `.git` of their own."""
    special: tuple[str, ...]
    """Pipes and devices. Sockets are left out: they are traces of a server that ran, and carry nothing."""


def survey(tree: Path, *, skip: Collection[str]) -> Survey:
    """Walk a tree, except the directories in `skip`, for what git leaves out without a word."""
    repositories: list[str] = []
    special: list[str] = []
    for directory, entry in _walk(tree, frozenset(skip)):
        if entry.name == ".git":
            if directory:
                repositories.append(directory)
        elif not (entry.is_symlink() or entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
            mode = entry.stat(follow_symlinks=False).st_mode
            if not stat.S_ISSOCK(mode):
                special.append(f"{directory}/{entry.name}" if directory else entry.name)
    return Survey(tuple(repositories), tuple(special))


def _walk(tree: Path, skip: frozenset[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        try:
            entries = list(os.scandir(tree / directory))
        except OSError:  # not readable, so git cannot read it either, and says so
            continue
        for entry in entries:
            yield directory, entry
            below = f"{directory}/{entry.name}" if directory else entry.name
            if entry.name != ".git" and below not in skip and entry.is_dir(follow_symlinks=False):
                waiting.append(below)


def gone(tree: Path, paths: Iterable[str]) -> set[str]:
    """Return the paths at which a tree has no file any more: nothing, a directory, or only something behind a link."""
    real: dict[str, bool] = {"": True}

    def is_real(directory: str) -> bool:
        if directory not in real:
            parent = directory.rpartition("/")[0]
            real[directory] = is_real(parent) and _is_directory(tree / directory)
        return real[directory]

    return {path for path in paths if not is_real(path.rpartition("/")[0]) or not _holds_file(tree / path)}


def _holds_file(path: Path) -> bool:
    return _is_there(path) and not _is_directory(path)


def check_copy(relative: str) -> str:
    """Return a path of the setting `copy` when it stays inside of a checkout; raises LocalError."""
    path = PurePosixPath(relative)
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or ".git" in map(str.lower, parts) or "\0" in relative:
        raise LocalError(
            f"{relative!r} cannot be copied into the work tree.",
            remedy="Paths under [worktree] copy are relative to the repository and stay inside of it.",
        )
    return path.as_posix()


def copy_in(checkout: Path, tree: Path, relative: str) -> bool:
    """Copy a file or directory of the user's checkout to the same place in the tree; says whether there was one.

    A source that leads out of the checkout by a link raises LocalError. In the tree, a link in the way is replaced.
    """
    source = checkout / relative
    if not source.exists():
        return False
    _check_inside(source, checkout)
    target = _clear_way(tree, relative)
    if source.is_dir():
        _copy_directory(source, target, checkout)
    elif source.is_file():
        shutil.copy2(source, target)
    else:
        raise LocalError(f"{source} is neither a file nor a directory.", remedy="Take it out of [worktree] copy.")
    return True


def _check_inside(source: Path, checkout: Path) -> None:
    if not source.resolve().is_relative_to(checkout.resolve()):
        raise LocalError(
            f"{source} is a link that leads out of the repository.",
            remedy="Put a real file there, or take it out of [worktree] copy.",
        )


def _clear_way(tree: Path, relative: str) -> Path:
    """Make the parents of a target real directories, and its own place free."""
    path = tree
    for part in PurePosixPath(relative).parts[:-1]:
        path /= part
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
        path.mkdir(exist_ok=True)
    target = tree / relative
    _remove(target)
    return target


def _copy_directory(source: Path, target: Path, checkout: Path) -> None:
    target.mkdir()
    for entry in sorted(os.scandir(source), key=lambda e: e.name):
        _check_inside(Path(entry.path), checkout)
        if entry.is_symlink():
            (target / entry.name).symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            _copy_directory(Path(entry.path), target / entry.name, checkout)
        elif entry.is_file():
            shutil.copy2(entry.path, target / entry.name)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there completely or not at all."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    beside.replace(path)
