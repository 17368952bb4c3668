"""Where a reviewer looks at a commit that is not checked out: a tree of ours, which it cannot write to."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from locus.local.directories import directories
from locus.local.errors import Usage
from locus.local.git import hunks
from locus.local.git.checkout import Checkout
from locus.local.git.clone import FETCH_TIMEOUT, PrivateClone
from locus.local.git.commit import read_ref
from locus.local.git.hunks import FileDiff
from locus.local.git.lenders import lenders
from locus.local.git.trouble import GitError, Reason
from locus.local.providers.base import Provider
from locus.local.providers.command import Command
from locus.local.sandbox import Ground, Policy, Sandbox, opened

SEEN = "refs/locus/review"


class Subject(Struct, frozen=True):
    """What is reviewed: a branch of the remote, or with `number` a pull request from somebody's copy of it."""

    base: str | None  # the name of a branch; None is the remote's default
    branch: str
    number: int | None = None


class Looked(Struct, frozen=True):
    """The change, fetched: its commits, and its lines."""

    clone: PrivateClone
    base: str
    head: str
    files: list[FileDiff]


@asynccontextmanager
async def fetched(checkout: Checkout, state: Path, subject: Subject) -> AsyncIterator[Looked]:
    """Fetch a change into a clone of ours, held until the end of the block. Raises LocalError, GitError."""
    clone = await PrivateClone.open(checkout, state)
    try:
        base_branch = await clone.base_branch(subject.base)
        there = await clone.fetch(base_branch, base_branch if subject.number is not None else subject.branch)
        head = there.head
        if subject.number is not None:
            head = await _proposed(clone, subject.number)
        if head is None:
            raise GitError(
                f"The remote has no branch {subject.branch} any more.",
                reason=Reason.NOT_FOUND,
                remedy="Its pull request may be closed, or merged.",
            )
        # What it changes is told from where it left the base, as the forge shows it.
        common = await clone.git.local("merge-base", there.base, head, accept=(0, 1))
        base = common.stdout.decode().strip() or there.base
        await clone.prepare(replace(there, branch=subject.branch, head=head), at=head)
        yield Looked(clone, base, head, await hunks.between(clone.git, base, head))
    finally:
        clone.close()


async def _proposed(clone: PrivateClone, number: int) -> str | None:
    """The head of a pull request whose branch is not in the repository itself."""
    ref = f"{SEEN}/{number:d}"
    await clone.git.network(
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-prune"),
        *("--end-of-options", clone.checkout.remote.fetch_url, f"+refs/pull/{number:d}/head:{ref}"),
        timeout=FETCH_TIMEOUT,
    )
    return await read_ref(clone.git, ref)


@asynccontextmanager
async def walls(
    provider: Provider,
    policy: Policy | None,
    clone: PrivateClone,
    state: Path,
    environment: Mapping[str, str],
    *,
    tell: Callable[[str], None],
) -> AsyncIterator[Sandbox | None]:
    """A sandbox in which the clone's tree cannot be written; None without a policy.

    Raises LocalError, and Usage when nothing else can keep the agent from writing.
    """
    if policy is None:
        if isinstance(provider, Command):
            raise Usage(
                "Only the sandbox keeps the provider `command` from writing, and the sandbox is off.",
                remedy="Leave out --no-sandbox, or have another provider review.",
            )
        yield None
        return
    ours, checkout = directories(environment), clone.checkout
    ground = Ground(
        tree=clone.worktree.root,
        private=clone.place / "review",
        read=lenders(clone.objects),
        hidden=(state, ours.config, ours.state, ours.data, checkout.root, checkout.git_dir, checkout.common_dir),
        fixed=True,
    )
    async with opened(policy, ground, provider.needs(environment), environment, tell=tell) as sandbox:
        yield sandbox
