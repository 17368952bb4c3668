"""This machine: git, disk space, who may read and write our directories."""

import os
import re
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from locus.local import process
from locus.local.doctor.finding import Finding, failed, ok, warning
from locus.local.git.checkout import OLDEST_GIT

LITTLE_SPACE = 2 << 30  # bytes; a clone, a worktree and the agent's caches of a middling project
NO_SPACE = 200 << 20  # bytes
TRIAL_LIMIT = 10.0  # seconds for a program that answers at once when it works


async def git(environ: Mapping[str, str]) -> Finding:
    """Look for git, and whether it is new enough."""
    try:
        done = await process.run(
            ["git", "version"], cwd=Path("/"), env=process.base_environment(environ), timeout=TRIAL_LIMIT
        )
    except process.CannotStart:
        return failed("git", "git is not installed, or not on PATH.", "Install git.")
    said = done.stdout.decode(errors="replace").strip()
    found = re.search(r"\d+(\.\d+)+", said)
    if found is None:
        return failed("git", f"`git version` said {said!r}.", "Check which program is called git on your PATH.")
    if tuple(int(part) for part in found[0].split(".")[:2]) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return failed("git", f"git {found[0]} is too old: {oldest} is the oldest that works.", "Update git.")
    return ok("git", f"git {found[0]}")


def disk(directory: Path) -> Finding:
    """Look whether the disk of the directory has room for clones and worktrees."""
    free = shutil.disk_usage(_existing(directory)).free
    says = f"{free / (1 << 30):.1f} GiB free where clones and worktrees are kept ({directory})"
    remedy = "Free some space, or keep them elsewhere with LOCUS_STATE_DIR."
    if free < NO_SPACE:
        return failed("disk", f"Only {says}.", remedy)
    if free < LITTLE_SPACE:
        return warning("disk", f"Only {says}.", remedy)
    return ok("disk", says)


def private(directories: Sequence[Path], secrets: Sequence[Path]) -> Finding:
    """Look whether other accounts of the machine could change our directories or read our secrets."""
    there = [path for path in directories if path.exists()]
    for path in there:
        found = path.stat()
        if found.st_uid != os.geteuid():
            return failed("directories", f"{path} belongs to another account.", f"sudo chown -R $(id -un) {path}")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return failed(
                "directories", f"Other accounts may write to {path}, and could plant work there.", f"chmod go-w {path}"
            )
    for path in secrets:
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return failed("directories", f"Other accounts may read {path}, which holds keys.", f"chmod 600 {path}")
    if not there:
        return ok("directories", "Nothing is kept on this machine yet.")
    return ok("directories", "Only this account may write to our directories and read our keys.")


def _existing(path: Path) -> Path:
    """The nearest ancestor that exists: directories are made on first use."""
    while not path.exists():
        path = path.parent
    return path
