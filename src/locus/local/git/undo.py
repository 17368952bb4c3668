"""Undoing commits of a branch by a new one on top of it; the branch itself is never rewritten."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from locus.local.git.commit import Identity, commit, one_line
from locus.local.git.history import Commit
from locus.local.git.publish import Conflict, Vanished, unmerged
from locus.local.git.worktree import Worktree


class Undone(Struct, frozen=True):
    """The tree of the branch without the change."""

    tree: str


async def undo(
    worktree: Worktree, commits: Sequence[Commit], head: str, identity: Identity
) -> Undone | Conflict | Vanished:
    """Take the changes of `commits` (oldest first, each with one parent) out of the tree of `head`.

    Nothing but the tree on disk is touched, which must hold nothing worth keeping. Raises GitError.
    """
    git, at = worktree.git, head
    for one in reversed(commits):
        await worktree.prepare(at)
        merged = await git.local(
            *("merge-recursive", one.sha, "--", at, one.parents[0]),
            tree=worktree.root,
            index=worktree.index,
            accept=(0, 1),
        )
        if not merged.exit.ok:
            paths = await unmerged(git, worktree.index)
            await worktree.prepare(head)
            return Conflict(paths)
        tree = await git.text("write-tree", tree=worktree.root, index=worktree.index)
        at = await commit(git, tree=tree, parent=at, message="A step of undoing\n", identity=identity)
    tree = await git.text("rev-parse", "--verify", f"{at}^{{tree}}")
    if tree == await git.text("rev-parse", "--verify", f"{head}^{{tree}}"):
        return Vanished()
    return Undone(tree)


def message(task: str, title: str, commits: Sequence[Commit], *, evidence: str, why: str) -> str:
    """The message of the commit that undoes a task. Other people's words cannot add a trailer to it."""
    body = [line for raw in why.splitlines() if (line := one_line(raw).lstrip("-"))]
    trailers = [
        f"Reverts-task: {one_line(task)}",
        *(f"Reverts: {one.sha}" for one in commits),
        f"Evidence: {one_line(evidence)[:300]}",
    ]
    paragraphs = [f'Revert "{one_line(f"{task}: {title}")[:180]}"', *(["\n".join(body)] if body else [])]
    return "\n\n".join([*paragraphs, "\n".join(trailers)]) + "\n"
