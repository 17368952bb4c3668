"""Parked work: what was kept of attempts that did not get to the remote, and what a person can do about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from locus.local import process
from locus.local.errors import LocalError
from locus.local.git import changes as differences
from locus.local.git.changes import Changes
from locus.local.git.checkout import Checkout
from locus.local.git.clone import Parked
from locus.local.git.runner import Git, as_the_user
from locus.local.git.trouble import words

ADOPT_TIMEOUT = 120.0  # seconds

# Refs of earlier versions have no workspace.
_REF = re.compile(
    r"refs/locus/parked/(?:(?P<workspace>[0-9a-f-]{36})/)?(?P<task>[A-Z][A-Z0-9]*-[0-9]+)/(?P<fence>[0-9]+)"
)
SHORT = 8  # letters of a workspace's id that tell two works of the same name apart


class Kept(Struct, frozen=True):
    """One parked attempt: `name` is what a person calls it, as in AUTH-12/3.

    Where two workspaces have work of that name here, it is AUTH-12/3@64224dd9, with the beginning of a workspace's id.
    """

    name: str
    task: str
    fence: int
    commit: str
    when: datetime
    files: int
    added: int
    removed: int
    workspace: str | None = None  # its id; None for work of earlier versions


def told_apart(kept: Sequence[Kept]) -> list[Kept]:
    """The same, in the same order, with names of which there is only one."""
    often = Counter(one.name for one in kept)
    return [replace(one, name=_whole_name(one)) if often[one.name] > 1 else one for one in kept]


def _whole_name(kept: Kept) -> str:
    return f"{kept.name}@{(kept.workspace or 'earlier')[:SHORT]}"


async def describe(checkout: Checkout, parked: Parked) -> Kept | None:
    """Say what a parked ref holds; None for a ref that no worker of ours made. Raises GitError."""
    named = _REF.fullmatch(parked.ref)
    if named is None:
        return None
    git = Git(parked.git_dir, checkout.reach)
    when = datetime.fromisoformat(await git.text("log", "-1", "--format=%cI", parked.commit))
    changed = await compare(checkout, parked)
    return Kept(
        name=f"{named['task']}/{named['fence']}",
        task=named["task"],
        fence=int(named["fence"]),
        commit=parked.commit,
        when=when,
        files=changed.files,
        added=changed.added,
        removed=changed.removed,
        workspace=named["workspace"],
    )


async def compare(checkout: Checkout, parked: Parked) -> Changes:
    """Return how parked work differs from what its attempt started from. Raises GitError."""
    return await differences.between(Git(parked.git_dir, checkout.reach), f"{parked.commit}^", parked.commit)


async def diff(checkout: Checkout, parked: Parked) -> str:
    """Return parked work as a diff against what its attempt started from. Raises GitError."""
    return await Git(parked.git_dir, checkout.reach).text(
        "diff-tree", "-p", "-M", "--stat", "--no-ext-diff", "--no-textconv", f"{parked.commit}^", parked.commit
    )


async def adopt(checkout: Checkout, parked: Parked, branch: str) -> None:
    """Make a branch of parked work in the user's own repository. Raises LocalError when it is there already.

    The only command of ours that writes a ref of the user's; nothing is checked out.
    """
    done = await process.run(
        [
            *("git", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--end-of-options", str(parked.git_dir), f"{parked.ref}:refs/heads/{branch}"),
        ],
        cwd=checkout.root,
        env=as_the_user(checkout.reach.environment),
        timeout=ADOPT_TIMEOUT,
    )
    if not done.ok:
        raise LocalError(
            f"The branch {branch} could not be made: {words(done.stderr)}",
            remedy=f"If it is there already, look at it: git log {branch}",
        )


async def bring(git: Git, parked: Parked) -> None:
    """Have the commits of parked work in another git-dir of ours too; no ref is made. Raises GitError."""
    if git.directory == parked.git_dir:
        return
    await git.local(
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
        *("--end-of-options", str(parked.git_dir), parked.ref),
        extra={"GIT_ALLOW_PROTOCOL": "file"},
    )


async def drop(checkout: Checkout, parked: Parked) -> None:
    """Forget parked work. Raises GitError when it has changed meanwhile."""
    await Git(parked.git_dir, checkout.reach).local("update-ref", "-d", parked.ref, parked.commit)
