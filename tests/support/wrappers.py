"""bubblewrap for a test: it works, or the test is skipped, or it fails where every real part is required."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from tests.support.person import Person


def require() -> Path:
    """The real bubblewrap, on a machine where it can make sandboxes."""
    found = _working()
    if found is None:
        missing = "bubblewrap is not installed, or cannot make a sandbox here"
        if os.environ.get("LOCUS_REQUIRE_REAL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def put_on_path(person: Person) -> None:
    """Let a person have bubblewrap installed."""
    (person.bin / "bwrap").symlink_to(require())


def works() -> bool:
    """Whether a test may expect a sandbox; where every real part is required it is an error when not."""
    if os.environ.get("LOCUS_REQUIRE_REAL") == "1":
        require()
    return _working() is not None


@cache
def _working() -> Path | None:
    found = shutil.which("bwrap")
    if found is None:
        return None
    trial = [
        found,
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    return Path(found) if subprocess.run(trial, capture_output=True, check=False).returncode == 0 else None
