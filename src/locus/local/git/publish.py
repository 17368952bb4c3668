"""Getting a commit to the remote: pushed without force, proved by asking, moved on top of what others pushed first."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from locus.local.git import remote
from locus.local.git.commit import read_ref, reparent
from locus.local.git.remote import check_branch
from locus.local.git.runner import Git
from locus.local.git.trouble import GitError, Reason
from locus.local.git.worktree import Worktree

PUSH_TIMEOUT = 100.0  # seconds; with the proof after it below two minutes
PROOF_TIMEOUT = 20.0  # seconds

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
# The remote is ahead of us, or somebody pushed in the same moment.
_BEHIND = re.compile(
    r"\[rejected\]|non-fast-forward|fetch first|cannot lock ref|failed to update ref|incorrect old value|stale info"
    r"|reference already exists|is at [0-9a-f]{40,64} but expected"
)
# After these nobody knows whether the remote took the push, so it is asked.
_UNKNOWN = frozenset({Reason.TIMEOUT, Reason.UNREACHABLE, Reason.OTHER})


class Pushed(Struct, frozen=True):
    """The remote has the commit: its branch is at `head`, which is the commit or a descendant of it."""

    sha: str
    head: str


class Rejected(Struct, frozen=True):
    """The branch on the remote has moved on. `head` is where it is now, fetched; None when it could not be fetched."""

    head: str | None


class Refused(Struct, frozen=True):
    """The remote did not take the commit, and would not take it again as things are."""

    reason: Reason
    text: str
    """What git and the remote said, masked; for the local terminal only."""


Published = Pushed | Rejected | Refused


class Rebased(Struct, frozen=True):
    """The same change on top of another commit; the tree on disk is now this."""

    sha: str


class Conflict(Struct, frozen=True):
    """The change does not fit on what others pushed."""

    paths: tuple[str, ...]


class Vanished(Struct, frozen=True):
    """Others pushed the same change already: nothing of it is left."""


Rebasing = Rebased | Conflict | Vanished


async def publish(git: Git, url: str, sha: str, branch: str, *, timeout: float = PUSH_TIMEOUT) -> Published:
    """Push a commit to a branch of the remote, never with force, and prove that it is there.

    `timeout` is in seconds. A push whose end nobody saw counts as pushed when the remote has the commit.
    """
    if not _SHA.fullmatch(sha):
        raise ValueError(f"{sha!r} is not the full id of a commit")
    ref = f"refs/heads/{check_branch(branch)}"
    try:
        await git.network(
            *("push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--no-signed"),
            *("--end-of-options", url, f"{sha}:{ref}"),
            timeout=timeout,
        )
    except GitError as e:
        if _BEHIND.search(e.message) and e.reason not in (Reason.PROTECTED, Reason.HOOK):
            return await _behind(git, url, sha, branch)
        refused = Refused(e.reason, str(e))
        if e.reason not in _UNKNOWN:
            return refused
        proof = await _prove(git, url, sha, branch)
        return proof if isinstance(proof, Pushed) else refused
    return await _prove(git, url, sha, branch)


async def _behind(git: Git, url: str, sha: str, branch: str) -> Pushed | Rejected:
    proof = await _prove(git, url, sha, branch)
    if isinstance(proof, Pushed):  # an earlier push of ours that nobody saw, with others' commits on top
        return proof
    return Rejected(await read_ref(git, f"refs/locus/remote/{branch}"))


async def _prove(git: Git, url: str, sha: str, branch: str) -> Pushed | Refused:
    """Ask the remote where its branch is; when it is elsewhere, fetch it and look for the commit in it."""
    try:
        head = (await remote.advertised(git, url, [branch], timeout=PROOF_TIMEOUT)).heads.get(branch)
        if head == sha:
            # So that the next task need not fetch what came from here. It is no more than a saving: it may fail.
            await git.local("update-ref", "--no-deref", f"{remote.SEEN}/{branch}", sha, accept=(0, 1, 128))
            return Pushed(sha, sha)
        if head is None:
            return Refused(Reason.UNPROVEN, f"The remote has no branch {branch}.")
        await git.network(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-prune"),
            *("--end-of-options", url, f"+refs/heads/{branch}:refs/locus/remote/{branch}"),
        )
    except GitError as e:
        return Refused(e.reason, str(e))
    contains = await git.local("merge-base", "--is-ancestor", sha, f"refs/locus/remote/{branch}", accept=(0, 1))
    if contains.exit.ok:
        fetched = await read_ref(git, f"refs/locus/remote/{branch}")
        return Pushed(sha, fetched or head)
    return Refused(Reason.UNPROVEN, f"The branch {branch} of the remote does not contain the commit.")


async def rebase_onto(worktree: Worktree, sha: str, head: str) -> Rebasing:
    """Apply the change of one commit to `head`, in the tree, which must hold nothing else worth keeping.

    Ignored files stay. After a conflict the tree is clean at `head`; the commit itself is untouched. Raises GitError.
    """
    git = worktree.git
    parent = await git.text("rev-parse", "--verify", f"{sha}^")
    await worktree.prepare(head)
    merged = await git.local(
        *("merge-recursive", parent, "--", head, sha), tree=worktree.root, index=worktree.index, accept=(0, 1)
    )
    if not merged.exit.ok:
        paths = await unmerged(git, worktree.index)
        await worktree.prepare(head)
        return Conflict(paths)
    tree = await git.text("write-tree", tree=worktree.root, index=worktree.index)
    if tree == await git.text("rev-parse", "--verify", f"{head}^{{tree}}"):
        return Vanished()
    return Rebased(await reparent(git, sha, tree=tree, parent=head))


async def unmerged(git: Git, index: Path) -> tuple[str, ...]:
    """The paths at which a merge has left more than one version in the index. Raises GitError."""
    rows = (await git.text("ls-files", "-u", "-z", index=index)).split("\0")
    return tuple(dict.fromkeys(row.split("\t", 1)[1] for row in rows if "\t" in row))
