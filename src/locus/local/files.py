"""Files of ours in the user's directories: private, written whole or not at all, trusted when nobody else can write."""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from locus.local.errors import LocalError

LOOK_AGAIN = 0.1  # seconds between two looks at a lock that another process has


def write(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Put `text` into `path`: readers see the old or the new content, never half. Missing directories are made 0700.

    Raises LocalError when the place cannot be written.
    """
    # A link (of someone who keeps their settings elsewhere) stays a link.
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise LocalError(f"{path} cannot be written: {e.strerror or e}.", remedy=_ROOM) from e


_ROOM = "Check the rights of its directory and the space on the disk."


def read(path: Path) -> str | None:
    """The text of `path`, or None when there is none. Raises LocalError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except UnicodeDecodeError as e:
        raise LocalError(f"{path} is not UTF-8 text (byte {e.start}).", remedy="Save it as UTF-8.") from e
    except OSError as e:
        raise LocalError(f"{path} cannot be read: {e.strerror or e}.", remedy="Check its rights.") from e


def read_private(path: Path, *, secret: bool = False) -> str | None:
    """Like `read`, for files whose content decides what runs here, or is a key.

    Raises LocalError when somebody else owns the file or can write it; with `secret`, also when others can read it.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise LocalError(f"{path} cannot be read: {e.strerror or e}.", remedy="Check its rights.") from e
    if found.st_uid not in (os.geteuid(), 0):
        raise LocalError(f"{path} belongs to another user.", remedy="Remove it, or take it over with chown.")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise LocalError(f"{path} can be written by other users.", remedy=f"Run `chmod 600 {path}`.")
    if secret and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LocalError(f"{path} can be read by other users.", remedy=f"Run `chmod 600 {path}`.")
    return read(path)


@contextmanager
def locked(path: Path, *, patience: float | None = None, busy: LocalError | None = None) -> Iterator[None]:
    """Keep others from changing `path` meanwhile: read, change and write inside. Raises LocalError.

    Waits for them, at most `patience` seconds, and then raises `busy`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.with_name(f".{path.name}.lock").open("a")
    except OSError as e:
        raise LocalError(f"{path} cannot be written: {e.strerror or e}.", remedy=_ROOM) from e
    with lock as handle:
        if patience is None or busy is None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        else:
            _wait(handle.fileno(), patience, busy)
        yield


def _wait(handle: int, patience: float, busy: LocalError) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise busy from None
            time.sleep(LOOK_AGAIN)
        else:
            return
