"""Files of a tree that may have been made to lead elsewhere: no link is followed, in no part of a path."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

Stamp = tuple[int, int, int, int]  # size, both times in ns, inode: nobody can change a file and keep its ctime

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Tree:
    """A folder, open. Paths are best asked for in order, since the folders on the way to the last one stay open."""

    def __init__(self, root: Path) -> None:
        """Open `root`. Raises OSError when it is no folder."""
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._way: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self._back_to(0)
        os.close(self._root)

    def stamps(self, paths: Iterable[str]) -> Iterator[tuple[str, Stamp]]:
        """The paths that are regular files, each with what tells a changed one."""
        for path in paths:
            found = self._find(path)
            if found is None:
                continue
            try:
                status = os.stat(found[1], dir_fd=found[0], follow_symlinks=False)
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def read(self, path: str, limit: int) -> bytes | None:
        """The first `limit` bytes of a regular file; None when there is none, or it cannot be read."""
        found = self._find(path)
        if found is None:
            return None
        try:
            file = os.open(found[1], _FILE, dir_fd=found[0])
        except (OSError, ValueError):
            return None
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return None
            with os.fdopen(file, "rb", closefd=False) as opened:
                return opened.read(limit)
        except OSError:
            return None
        finally:
            os.close(file)

    def _find(self, path: str) -> tuple[int, str] | None:
        """The open folder of a path, and its name in there."""
        *folders, name = path.split("/")
        if name in ("", ".", "..") or any(part in ("", ".", "..") for part in folders):
            return None
        shared = 0
        for part, (known, _) in zip(folders, self._way, strict=False):
            if part != known:
                break
            shared += 1
        self._back_to(shared)
        for part in folders[shared:]:
            try:
                self._way.append((part, os.open(part, _FOLDER, dir_fd=self._folder)))
            except (OSError, ValueError):
                return None
        return self._folder, name

    @property
    def _folder(self) -> int:
        return self._way[-1][1] if self._way else self._root

    def _back_to(self, depth: int) -> None:
        while len(self._way) > depth:
            os.close(self._way.pop()[1])
