"""One worker per tree, also when the worker has died and its agent has not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """An exclusive lock on a file, held as long as any process has its descriptor open.

    Hand `fd` to the agent's process (`pass_fds`): then an agent that outlives its worker still holds the tree.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self.fd = fd
        self.path = path

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """Return the lock, or None when somebody holds it. Never waits."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # flock, not lockf: the lock belongs to the open file, which a child shares.
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return None
        return cls(fd, path)

    def release(self) -> None:
        """Let go of our share of it; a child that has the descriptor still holds the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
