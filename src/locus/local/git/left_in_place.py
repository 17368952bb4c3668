"""The user's checkout after a run in place that was killed: its files are put back as they were, if that is certain.

The mark that a run in place leaves says which commit the files were of. They are put back only while the user has
committed and staged nothing since, and everything that differs is kept first, as parked work.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from msgspec import Struct

from locus.local.git import remote
from locus.local.git.changes import between
from locus.local.git.checkout import Checkout
from locus.local.git.clone import PrivateClone, repository_place, take_slot
from locus.local.git.in_place import SLOT, in_users_tree, mark_of
from locus.local.git.lock import Lock


class Restored(Struct, frozen=True):
    """The files are as they were; `parked` is the ref that keeps what differed, if anything did."""

    parked: str | None


class Left(Struct, frozen=True):
    """The files were left as they are, for a reason that a person should hear."""

    why: str


async def restore(
    checkout: Checkout,
    state: Path,
    *,
    base: str | None = None,
    task: str = "",
    fence: int = 0,
    workspace: UUID | None = None,
) -> Restored | Left | None:
    """Put back what a killed run in place left; None when there is none, or it lives.

    `base` is the commit that the attempt `fence` of `task` in `workspace` had begun with, so that there may be work in
    the files; without it only files that are those of known commits are put back. End the processes of the run first.
    Raises GitError, LocalError.
    """
    mark = mark_of(checkout, state)
    if not mark.exists() or (lock := Lock.take(mark.with_name("lock"))) is None:
        return None
    clone = in_users_tree(checkout, lock)
    try:
        was = mark.read_text().strip()
        if was != checkout.head:
            return Left(f"you are at {checkout.head[:7]} now, and it was taken at {was[:7]}")
        if await checkout.staged():
            return Left("something is staged")
        await clone.make_ready()
        await _read_anew(clone)
        parked: str | None = None
        if base is not None:
            identity = checkout.identity
            parked = await clone.worktree.park(
                base=base, task=task, fence=fence, identity=identity, workspace=workspace
            )
        elif not await _all_known(clone, await clone.worktree.snapshot(lenient=True)):
            return Left("its files have changes that no run made")
        await clone.worktree.prepare(checkout.head)
        mark.unlink()
        return Restored(parked)
    finally:
        clone.close()


async def open_left(checkout: Checkout, state: Path) -> PrivateClone:
    """The clone of a killed run in place, whose commits may be all that is left of its work. Raises LocalError."""
    clone = in_users_tree(checkout, take_slot(repository_place(checkout, state), SLOT))
    try:
        await clone.make_ready()
    except BaseException:
        clone.close()
        raise
    return clone


async def _read_anew(clone: PrivateClone) -> None:
    """Our index may be of any commit, or half of one: what counts is how the files differ from what is checked out."""
    git, index = clone.git, clone.worktree.index
    index.unlink(missing_ok=True)
    await git.local("read-tree", clone.checkout.head, index=index)
    await git.local("update-index", "-q", "--refresh", tree=clone.worktree.root, index=index, accept=(0, 1))


async def _all_known(clone: PrivateClone, tree: str) -> bool:
    """Whether every file is as the commit has it that was checked out, or as one branch has it that we fetched."""
    git = clone.git
    differs = set((await between(git, clone.checkout.head, tree)).paths)
    if not differs:
        return True
    refs = (await git.text("for-each-ref", "--format=%(objectname)", remote.SEEN)).split()
    for commit in refs:
        if not differs & set((await between(git, commit, tree)).paths):
            return True
    return False
