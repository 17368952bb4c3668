"""The commits of a branch, with what their trailers say of where they come from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from locus.local.git.changes import between
from locus.local.git.runner import Git

# Between NULs, which no message can hold: whatever somebody wrote into a commit stays in its own field.
_FIELDS = (
    "%H",
    "%P",
    "%s",
    *(f"%(trailers:key={key},valueonly,unfold,separator=%x2C)" for key in ("Task", "Attempt", "Agent")),
    "%(trailers:key=Reverts-task,valueonly,unfold,separator=%x2C)",
    "%(trailers:key=Reverts,valueonly,unfold,separator=%x2C)",
)


class Commit(Struct, frozen=True):
    """One commit. `task` and `attempt` are None for one that no worker of ours made."""

    sha: str
    parents: tuple[str, ...]
    subject: str
    task: str | None
    attempt: int | None
    agent: str | None
    reverts_task: str | None
    reverts: tuple[str, ...]

    @property
    def short(self) -> str:
        return self.sha[:7]


async def history(git: Git, base: str, head: str, *, line: bool = False) -> list[Commit]:
    """What `head` has on top of `base`, both commits that are here; oldest first. Raises GitError.

    With `line`, of a merge only the side that was merged into, so that each commit follows the one before.
    """
    if base == head:
        return []
    said = await git.text(
        *("log", "-z", "--reverse", "--topo-order", "--no-show-signature", *(("--first-parent",) if line else ())),
        *(f"--format={'%x00'.join(_FIELDS)}", f"{base}..{head}"),
    )
    fields = said.split("\0")
    rows = [fields[at : at + len(_FIELDS)] for at in range(0, len(fields) - len(_FIELDS) + 1, len(_FIELDS))]
    return [_commit(row) for row in rows]


async def includes(git: Git, head: str, sha: str) -> bool:
    """Whether a commit is in the history of `head`; one that is not here at all is not. Raises GitError."""
    said = await git.local("merge-base", "--is-ancestor", sha, head, accept=(0, 1, 128))
    return said.exit.ok


def standing(commits: Sequence[Commit], task: str) -> list[Commit]:
    """The commits of a task that no later one has undone, oldest first."""
    undone = {sha for commit in commits for sha in commit.reverts}
    return [commit for commit in commits if commit.task == task and commit.sha not in undone]


async def touching(git: Git, commits: Sequence[Commit], paths: Collection[str]) -> list[tuple[Commit, tuple[str, ...]]]:
    """Those of the commits that touch any of the paths, each with the ones that it touches. Raises GitError."""
    wanted, found = set(paths), []
    for commit in commits:
        if len(commit.parents) == 1:
            touched = (await between(git, commit.parents[0], commit.sha)).paths
            if shared := tuple(path for path in touched if path in wanted):
                found.append((commit, shared))
    return found


def _commit(row: Sequence[str]) -> Commit:
    sha, parents, subject, task, attempt, agent, reverts_task, reverts = row
    return Commit(
        sha=sha,
        parents=tuple(parents.split()),
        subject=subject,
        task=task or None,
        attempt=int(attempt) if attempt.isascii() and attempt.isdigit() else None,
        agent=agent or None,
        reverts_task=reverts_task or None,
        reverts=tuple(reverts.split(",")) if reverts else (),
    )
