"""A program that does not start, and why."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from locus.local.errors import LocalError


class CannotStart(LocalError):
    """A program that could not be started: missing, not executable, or its directory is gone."""


def cannot_start(argv: Sequence[str], cwd: Path, error: OSError | ValueError) -> CannotStart:
    """What to tell of a program that could not be started in `cwd`."""
    name = argv[0]
    if isinstance(error, ValueError):
        return CannotStart(f"{name} could not be started: {error}.")
    if not cwd.is_dir():
        return CannotStart(f"{name} could not be started in {cwd}, which is not a directory (any more).")
    if isinstance(error, FileNotFoundError) and "/" not in name:
        return CannotStart(f"{name} is not installed, or not on PATH.")
    if isinstance(error, FileNotFoundError):
        return CannotStart(f"{name} does not exist, or the interpreter that its first line names does not.")
    if isinstance(error, PermissionError):
        return CannotStart(f"{name} may not be executed.", remedy=f"chmod +x {name}")
    if error.errno == errno.ENOEXEC:
        return CannotStart(f"{name} is not a program.", remedy="A script needs a first line such as #!/bin/sh")
    return CannotStart(f"{name} could not be started: {error.strerror}.")
