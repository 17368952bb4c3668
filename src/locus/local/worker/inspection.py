"""A look at a change before it is checked: what waits for a person, and what must not be committed at all."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from locus.local.evidence import runner, secrets
from locus.local.evidence.protected import touched
from locus.local.evidence.secrets import BASELINE, Finding
from locus.local.evidence.weakened import weakened
from locus.local.git.changes import Changes
from locus.local.git.lines import FileLines, changed_lines
from locus.local.git.runner import Git
from locus.local.known_files import TEST_FILES
from locus.local.project import Project

SHOWN = 5  # reasons in one message
# A change that removes so many files, and more than this part of all, is rarely what was asked for.
MANY = 5
PART = 0.3


class Inspection(Struct, frozen=True):
    """What was seen. `held` are sentences for a person; `secrets` are places."""

    held: tuple[str, ...] = ()
    secrets: tuple[Finding, ...] = ()

    @property
    def why(self) -> str:
        more = f", and {len(self.held) - SHOWN} more" if len(self.held) > SHOWN else ""
        return "; ".join(self.held[:SHOWN]) + more


async def inspect(git: Git, project: Project, changes: Changes, *, base: str) -> Inspection:
    """Look at the change of a task against its base. Raises GitError."""
    lines = await changed_lines(git, base, changes.tree)
    removed = await _removed(git, changes, base)
    baseline = await _baseline(git, base) if BASELINE not in changes.paths else None
    # A large change takes its time, and the heartbeat must not wait for it.
    return await asyncio.to_thread(_look, project, changes.paths, lines, removed, baseline)


def _look(
    project: Project, paths: Sequence[str], lines: Sequence[FileLines], removed: Sequence[str], baseline: str | None
) -> Inspection:
    protected = {*touched(paths, project.protected)}
    held = [f"only a person may change {path}" for path in paths if path in protected]
    if project.protected_tests:
        patterns = {*TEST_FILES, *(pattern for check in project.checks for pattern in check.test_files)}
        tests = {*touched([file.path for file in lines], tuple(patterns))}
        held += weakened(file for file in lines if file.path in tests)
        known = {file.path for file in lines if file.existed}
        held += runner.changed((file for file in lines if file.path not in protected), project.checks, known=known)
    held += removed
    return Inspection(tuple(held), tuple(secrets.scan(lines, baseline=baseline)))


async def _removed(git: Git, changes: Changes, base: str) -> list[str]:
    """Whether most of a repository goes: what was moved elsewhere is there."""
    gone = sum(entry.status == "D" for entry in changes.entries)
    if gone < MANY:
        return []
    listed = await git.local("ls-tree", "-r", "-z", "--name-only", base)
    there = listed.stdout.count(b"\0")
    return [f"it removes {gone:,} of {there:,} files"] if gone > PART * there else []


async def _baseline(git: Git, base: str) -> str | None:
    shown = await git.local("cat-file", "blob", f"{base}:{BASELINE}", accept=(0, 128))
    return shown.stdout.decode(errors="replace") if shown.exit.ok else None
