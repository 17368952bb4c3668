"""Working in the user's own checkout, for those who want to watch: only when it is clean, and given back as it was.

Even here our own git-dir and index decide; the user's `.git` is only read, and compared at the end.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from locus.local.errors import LocalError
from locus.local.git.changes import shown
from locus.local.git.checkout import Checkout
from locus.local.git.clone import Fetched, PrivateClone, repository_place, take_slot
from locus.local.git.lock import Lock
from locus.local.git.runner import Git

SLOT = "in-place"
MARK = "taken"  # a file that is there while the checkout is lent; it names the commit that was checked out

# Parts of a `.git` in which a commit, a branch switch, a hook or a setting shows.
_WATCHED = ("HEAD", "packed-refs", "config", "config.worktree", "refs", "hooks", "info", "modules", "worktrees")


class Aftermath(Struct, frozen=True):
    """What an agent did to the user's own `.git`, which we do not undo."""

    changed: tuple[str, ...]
    """Files of the git directory; `index` stands for what is staged."""

    def __bool__(self) -> bool:
        return bool(self.changed)

    def sentence(self, head: str) -> str:
        """Say it to the user; `head` is the commit that was checked out before."""
        return (
            f"The agent changed your repository itself, not only files: {shown(self.changed)}. "
            f"Look at git log and git reflog; you were at {head}."
        )


class InPlace:
    """The user's checkout, taken for a run and given back by `give_back`."""

    def __init__(self, clone: PrivateClone, before: dict[str, str]) -> None:
        self.clone = clone
        self._before = before

    @classmethod
    async def open(cls, checkout: Checkout, state: Path, *, base_branch: str) -> InPlace:
        """Take the checkout, when it is clean and on the base branch. Raises LocalError otherwise."""
        place = repository_place(checkout, state)
        marker = mark_of(checkout, state)
        _refuse_branch(checkout, base_branch)
        if dirt := await checkout.dirt():
            raise _not_clean(checkout, dirt, interrupted=marker.exists())
        if found := await checkout.submodules():
            raise LocalError(
                f"{checkout.root} has submodules ({shown(found)}), which could not be given back as they were.",
                remedy="Run without --in-place: Locus then works in a tree of its own.",
            )
        clone = in_users_tree(checkout, take_slot(place, SLOT))
        try:
            await clone.make_ready()
            await _adopt_files(clone)
            before = await _fingerprint(checkout, clone.git)
            marker.write_text(f"{checkout.head}\n")
        except BaseException:
            clone.close()
            raise
        return cls(clone, before)

    async def prepare(self, fetched: Fetched, *, at: str | None = None) -> None:
        """Put the files of the commit `at` (the start, when not given) into the checkout. Raises GitError."""
        await self.clone.worktree.prepare(at or fetched.start)

    async def give_back(self) -> Aftermath:
        """Put back the files as they were, and say what else changed. Park first what is worth keeping."""
        await self.clone.worktree.prepare(self.clone.checkout.head)
        after = await _fingerprint(self.clone.checkout, self.clone.git)
        changed = {name for name in after.keys() | self._before.keys() if after.get(name) != self._before.get(name)}
        (self.clone.place / MARK).unlink(missing_ok=True)
        self.clone.close()
        return Aftermath(tuple(sorted(changed)))


def mark_of(checkout: Checkout, state: Path) -> Path:
    """The file that says that a checkout is lent, or was when its run was killed."""
    return repository_place(checkout, state) / SLOT / MARK


def in_users_tree(checkout: Checkout, lock: Lock) -> PrivateClone:
    """A clone whose tree is the user's own checkout; `lock` is that of the slot for runs in place."""
    clone = PrivateClone(checkout, lock.path.parent, lock, ())
    clone.worktree = replace(clone.worktree, root=checkout.root, disposable=False)
    return clone


async def _adopt_files(clone: PrivateClone) -> None:
    """Make our index know the user's files as they are; raises LocalError when git would see them differently."""
    checkout, worktree = clone.checkout, clone.worktree
    worktree.index.unlink(missing_ok=True)
    await clone.git.local("read-tree", checkout.head, index=worktree.index)
    await clone.git.local("update-index", "-q", "--refresh", tree=worktree.root, index=worktree.index, accept=(0, 1))
    listed = await clone.git.text(
        *("ls-files", "-z", "-m", "-o", "-d", "--exclude-standard"), tree=worktree.root, index=worktree.index
    )
    if differing := sorted(set(listed.split("\0")) - {""}):
        raise LocalError(
            f"Some files of {checkout.root} are not as the commit has them, by a filter such as Git LFS, a sparse "
            f"checkout, or a mark in the index: {shown(differing)}.",
            remedy="Run without --in-place: Locus then works in a tree of its own.",
        )


def _refuse_branch(checkout: Checkout, base_branch: str) -> None:
    if checkout.branch == base_branch:
        return
    where = f"on the branch {checkout.branch!r}" if checkout.branch else "not on a branch"
    raise LocalError(
        f"{checkout.root} is {where}; a run in place starts from {base_branch!r} and ends there.",
        remedy=f"git switch {base_branch}, or run without --in-place.",
    )


def _not_clean(checkout: Checkout, dirt: tuple[str, ...], *, interrupted: bool) -> LocalError:
    told = " An earlier run in place ended before it could put the files back." if interrupted else ""
    return LocalError(
        f"{checkout.root} has changes that are not committed: {shown(dirt)}.{told}",
        remedy="Commit them or put them away (git stash --include-untracked), or run without --in-place.",
    )


async def _fingerprint(checkout: Checkout, git: Git) -> dict[str, str]:
    """Return name and hash of what a git directory consists of, except objects and logs; read by us, not by git."""
    prints = await asyncio.to_thread(_hashes, {checkout.git_dir, checkout.common_dir})
    # Looking at the state refreshes an index, so what is staged is compared, not the file.
    staged = await git.local("ls-files", "-s", "-z", index=checkout.git_dir / "index", accept=(0, 128))
    prints["index"] = hashlib.sha256(staged.stdout).hexdigest()
    return prints


def _hashes(directories: set[Path]) -> dict[str, str]:
    prints: dict[str, str] = {}
    for directory in directories:
        for name in _WATCHED:
            start = directory / name
            for path in (start, *sorted(start.rglob("*"))) if start.is_dir() else (start,):
                if path.is_symlink():
                    prints[str(path.relative_to(directory))] = f"-> {path.readlink()}"
                elif path.is_file():
                    prints[str(path.relative_to(directory))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return prints
