"""The private clone: a git-dir and a tree of our own for one worker, beside the user's repository and never in it.

`<state>/repositories/<name>-<hash>/<slot>/` holds `git` (the git-dir), `tree/<name>` (what the agent sees) and `lock`.
Objects that the user's repository has are borrowed, so a clone takes a moment and little room.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from locus.local.errors import LocalError
from locus.local.git import disk, remote
from locus.local.git.checkout import Checkout
from locus.local.git.commit import read_ref
from locus.local.git.lock import Lock
from locus.local.git.publish import Published, Rebasing, publish, rebase_onto
from locus.local.git.remote import check_branch
from locus.local.git.runner import Git
from locus.local.git.throwaway import View
from locus.local.git.trouble import GitError, Reason
from locus.local.git.worktree import PARKED, Worktree

SLOTS = 64  # workers at once on one repository of one machine
FETCH_TIMEOUT = 900.0  # seconds; a stalled connection is given up earlier
LAYOUT = "1\n"  # of a git-dir that was made completely; another number makes it new


class Fetched(Struct, frozen=True):
    """What the remote has, in commits that are here now."""

    base_branch: str
    base: str
    branch: str
    head: str | None
    """Where the sprint's branch is on the remote; None when it is not there yet."""

    @property
    def start(self) -> str:
        """The commit that the next task starts from."""
        return self.head or self.base


class Parked(Struct, frozen=True):
    """Work that was kept although its lease or its attempt had ended."""

    ref: str
    commit: str
    git_dir: Path


class PrivateClone:
    """One worker's clone, held by its lock until `close`."""

    def __init__(self, checkout: Checkout, place: Path, lock: Lock, copies: Sequence[str]) -> None:
        self.checkout = checkout
        self.place = place
        self.lock = lock
        self.git = Git(place / "git", checkout.reach, checkout.form)
        self.worktree = Worktree(
            git=self.git,
            root=place / "tree" / _plain(checkout.name),  # tools name things after the directory they run in
            index=place / "git" / "index",
            copies=tuple(disk.check_copy(path) for path in copies),
        )

    @classmethod
    async def open(
        cls, checkout: Checkout, state: Path, *, slot: str | None = None, copies: Sequence[str] = ()
    ) -> PrivateClone:
        """Take a free slot below `state` and make its git-dir ready.

        `slot` asks for a certain one, as a worker does that resumes. `copies` are the paths of `[worktree] copy`.
        Raises LocalError when the slot is taken, or all are.
        """
        repository = repository_place(checkout, state)
        lock = take_slot(repository, slot)
        clone = cls(checkout, lock.path.parent, lock, copies)
        try:
            await clone.make_ready()
        except BaseException:
            lock.release()
            raise
        return clone

    @property
    def slot(self) -> str:
        return self.place.name

    @property
    def objects(self) -> Path:
        return self.git.directory / "objects"

    def close(self) -> None:
        """Give the slot back; an agent that still has the lock's descriptor keeps it taken."""
        self.lock.release()

    async def base_branch(self, wanted: str | None = None) -> str:
        """Return the branch that work starts from: the wanted one, else the remote's default, else main or master.

        Raises LocalError when the remote does not have it, GitError when the remote cannot be asked.
        """
        if wanted is not None:
            _check_name(wanted)
        names = [wanted] if wanted is not None else ["main", "master"]
        said = await remote.advertised(self.git, self.checkout.remote.fetch_url, names)
        if wanted is None and said.head is not None:
            return said.head
        for name in names:
            if name in said.heads:
                return name
        raise self._no_base(wanted)

    async def fetch(self, base_branch: str, branch: str) -> Fetched:
        """Bring the base and the sprint's branch here, in commits that are complete. Raises LocalError, GitError.

        A git-dir in which objects are missing is made anew once; parked work moves over.
        """
        _check_name(base_branch)
        _check_name(branch)
        try:
            return await self._fetch(base_branch, branch)
        except GitError as e:
            if e.reason is not Reason.DAMAGED:
                raise
        damaged = await self._set_aside()
        fetched = await self._fetch(base_branch, branch)
        await self._bring_over_parked(damaged)
        return fetched

    async def _fetch(self, base_branch: str, branch: str) -> Fetched:
        urls = self.checkout.remote.fetch_url, self.checkout.remote.push_url
        said = await remote.advertised(self.git, urls[0], [base_branch, branch])
        if base_branch not in said.heads:
            raise self._no_base(base_branch)
        there = said if urls[0] == urls[1] else await remote.advertised(self.git, urls[1], [branch])
        base = await self._bring(urls[0], base_branch, said.heads[base_branch])
        head = await self._bring(urls[1], branch, there.heads[branch]) if branch in there.heads else None
        for commit in {base, head} - {None}:
            await self.git.local("rev-list", "--objects", "--no-walk", "--quiet", str(commit))
        return Fetched(base_branch, base, branch, head)

    async def _bring(self, url: str, branch: str, at: str) -> str:
        """Fetch a branch unless it is here as the remote has it; returns its commit, which may be newer than `at`."""
        ref = f"{remote.SEEN}/{branch}"
        if await read_ref(self.git, ref) == at:
            return at
        await self.git.network(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-prune"),
            *("--end-of-options", url, f"+refs/heads/{branch}:{ref}"),
            timeout=FETCH_TIMEOUT,
        )
        commit = await read_ref(self.git, ref)
        if commit is None:
            raise GitError(f"The branch {branch} was fetched and is not here.", reason=Reason.DAMAGED)
        return commit

    async def prepare(self, fetched: Fetched, *, at: str | None = None, keep_ignored: bool = True) -> None:
        """Give the agent a clean tree of the commit `at` (the start, when not given), with the copies and a `.git`.

        Raises LocalError, GitError.
        """
        commit = at or fetched.start
        await self.worktree.prepare(commit, keep_ignored=keep_ignored)
        await self.worktree.refuse_tracked_copies()
        self.worktree.copy_from(self.checkout.root)
        await self._show_git(fetched, commit)

    async def rebase(self, fetched: Fetched, sha: str, head: str) -> Rebasing:
        """Apply the change of the commit `sha` to `head`, which others pushed, in the tree; it can be checked there.

        After a conflict the tree is clean at `head`, and `sha` is untouched. Raises GitError.
        """
        outcome = await rebase_onto(self.worktree, sha, head)
        await self._show_git(fetched, head)
        return outcome

    async def publish(self, sha: str, branch: str) -> Published:
        """Push a commit to the remote and prove that it is there; see `publish.publish`."""
        return await publish(self.git, self.checkout.remote.push_url, sha, branch)

    async def _show_git(self, fetched: Fetched, commit: str) -> None:
        view = View(
            branch=fetched.branch,
            commit=commit,
            base_branch=fetched.base_branch,
            base=fetched.base,
            identity=self.checkout.identity,
            object_format=self.checkout.object_format,
            form=self.checkout.form,
        )
        await self.worktree.show_git(view, objects=self.objects, excludes=self.checkout.excludes)

    def _no_base(self, wanted: str | None) -> LocalError:
        where = self.checkout.remote
        if wanted is None:
            return LocalError(
                f"The remote {where} has no default branch, and neither main nor master.",
                remedy=f"Push one first: git push -u {where.name} HEAD, or name a branch with --base.",
            )
        return LocalError(
            f"The remote {where} has no branch {wanted!r} to start from.",
            remedy=f"Push it first: git push {where.name} {wanted}, or name another one with --base.",
        )

    async def make_ready(self) -> None:
        """Make the git-dir, or tidy up what a killed worker left in it."""
        marker = self.git.directory / "locus-layout"
        if not marker.is_file() or marker.read_text() != LAYOUT:
            await disk.discard(self.git.directory)
            await self._make_git_dir(borrow=self.checkout.complete)
        else:
            # Left by a git that was killed: we hold the lock of the slot, so nobody else is at work here.
            for left in (*self.git.directory.glob("*.lock"), *(self.git.directory / "refs").rglob("*.lock")):
                left.unlink(missing_ok=True)
        disk.write_whole(self.git.directory / "info" / "exclude", self.checkout.excludes)

    async def _make_git_dir(self, *, borrow: bool) -> None:
        directory = self.git.directory
        directory.mkdir(mode=0o700)
        await self.git.local(
            "init", "--quiet", "--bare", "--template=", f"--object-format={self.checkout.object_format}"
        )
        (directory / "info").mkdir(exist_ok=True)
        objects = str(self.checkout.objects)
        # A line is a path; what git would read as quoted or as two lines is not borrowed from but fetched.
        if borrow and "\n" not in objects and not objects.startswith(('"', "#")):
            (directory / "objects" / "info").mkdir(exist_ok=True)
            (directory / "objects" / "info" / "alternates").write_text(f"{objects}\n", errors="surrogateescape")
        (directory / "locus-layout").write_text(LAYOUT)

    async def _set_aside(self) -> Path:
        """Put the git-dir aside and make a new one, which borrows nothing: the lender lacks what we need."""
        damaged = self.place / "damaged"
        await disk.discard(damaged)
        self.git.directory.rename(damaged)
        await self._make_git_dir(borrow=False)
        disk.write_whole(self.git.directory / "info" / "exclude", self.checkout.excludes)
        return damaged

    async def _bring_over_parked(self, damaged: Path) -> None:
        old = replace(self.git, directory=damaged)
        listed = await old.local("for-each-ref", "--format=%(refname)", PARKED, accept=(0, 1, 128))
        for ref in listed.stdout.decode().split():
            # What cannot be read any more stays where it is, in the directory put aside.
            await self.git.local(
                *(
                    "fetch",
                    "--quiet",
                    "--no-tags",
                    "--no-write-fetch-head",
                    "--end-of-options",
                    str(damaged),
                    f"{ref}:{ref}",
                ),
                extra={"GIT_ALLOW_PROTOCOL": "file"},
                accept=(0, 1, 128),
            )


def repository_place(checkout: Checkout, state: Path) -> Path:
    """Return the directory below `state` that belongs to a checkout."""
    digest = hashlib.sha256(str(checkout.root).encode(errors="surrogateescape")).hexdigest()[:12]
    return state / "repositories" / f"{_plain(checkout.name)}-{digest}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip("-.")[:40] or "repository"


async def parked(checkout: Checkout, state: Path) -> tuple[Parked, ...]:
    """Return all work that was parked for a checkout on this machine, of every slot."""
    found = []
    for directory in sorted(repository_place(checkout, state).glob("*/git")):
        git = Git(directory, checkout.reach)
        rows = await git.text("for-each-ref", "--format=%(objectname) %(refname)", PARKED)
        found += [Parked(ref, sha, directory) for sha, _, ref in (row.partition(" ") for row in rows.splitlines())]
    return tuple(found)


def take_slot(repository: Path, slot: str | None) -> Lock:
    for number in map(str, range(1, SLOTS + 1)) if slot is None else (slot,):
        if (lock := Lock.take(repository / number / "lock")) is not None:
            return lock
    if slot is not None:
        raise LocalError(
            f"Another worker, or its agent, is at work in slot {slot} of this repository.",
            remedy="Wait until it has ended, or stop it (locus status shows the workers).",
        )
    raise LocalError(f"{SLOTS} workers are at work on this repository.", remedy="Stop one, and try again.")


def _check_name(branch: str) -> None:
    try:
        check_branch(branch)
    except ValueError as e:
        raise LocalError(f"{branch!r} is not a name that git accepts for a branch.", remedy="Choose another.") from e
