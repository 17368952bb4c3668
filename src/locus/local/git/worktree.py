"""The tree an agent works in: made clean before, read exactly after.

Only our git-dir and our index decide; whatever the agent did to a `.git` in the tree has no effect here.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.git import changes as differences, disk, throwaway
from locus.local.git.changes import GITLINK, Changes, Fault, Unfit
from locus.local.git.commit import Identity, Message, Trailers, commit, read_ref, set_ref
from locus.local.git.remote import check_branch
from locus.local.git.runner import Git
from locus.local.git.trouble import GitError, Reason

FILE_LIMIT = 100 << 20  # bytes; what large forges accept in one file
PARKED = "refs/locus/parked"


class Worktree(Struct, frozen=True):
    """A directory of files, and the index by which we read it."""

    git: Git
    root: Path
    index: Path
    copies: tuple[str, ...] = ()
    """Paths that come from the user's checkout and never get into a commit."""
    disposable: bool = True
    """Whether the tree is ours to remove and make again; the user's own checkout is not."""

    async def prepare(self, commit: str, *, keep_ignored: bool = True) -> None:
        """Make the tree exactly that of `commit`. Raises GitError.

        Ignored files such as installed packages stay unless `keep_ignored` is false; everything else that the last
        attempt left goes, with what cannot be removed the whole tree.
        """
        # In the user's own checkout there is nothing to be done by force.
        for remedy in (None, disk.unlock, disk.discard) if self.disposable else (None,):
            if remedy is not None:
                await remedy(self.root)
                self.index.unlink(missing_ok=True)
            try:
                await self._reset(commit, keep_ignored=keep_ignored)
            except (GitError, OSError, RecursionError) as e:
                failure = e
                if isinstance(e, GitError) and e.reason in (Reason.DISK_FULL, Reason.TIMEOUT):
                    break
            else:
                return
        if isinstance(failure, GitError):
            raise failure
        raise GitError(f"The work tree {self.root} cannot be made clean: {failure}") from failure

    async def _reset(self, commit: str, *, keep_ignored: bool) -> None:
        if self.disposable and (self.root.is_symlink() or not self.root.is_dir()):
            await disk.discard(self.root)
            self.root.mkdir(parents=True, mode=0o700)
        # Left by a git that was killed. Nobody else uses this index: we hold the lock of the tree.
        self.index.with_name(self.index.name + ".lock").unlink(missing_ok=True)
        await self._run("read-tree", "--reset", "-u", commit)
        flags = "-ffdq" if keep_ignored else "-ffdxq"
        await self._run("clean", flags, *self._exclusions())
        if self.disposable:
            await self._remove_what_git_does_not_see()
        left = [path for path in await self._listed("-o", "-d") if not self._is_copy(path)]
        if left:
            raise GitError(f"The work tree {self.root} could not be made clean: {differences.shown(left)}.")

    async def restore(self, tree: str) -> None:
        """Give every file of `tree` its content again; files beside them stay. Raises GitError."""
        await self._run("read-tree", "--reset", "-u", tree)

    async def ignored(self) -> list[str]:
        """The paths of files that git ignores, those copied from the user's checkout too. Raises GitError."""
        return await self._listed("-o", "-i")

    async def _remove_what_git_does_not_see(self) -> None:
        found = await self._survey()
        for path in found.repositories:
            await disk.discard(self.root / path / ".git")
        for path in found.special:
            await disk.discard(self.root / path)
        for path in await self._gitlinks():
            await disk.discard(self.root / path)
            (self.root / path).mkdir(parents=True)

    def copy_from(self, checkout: Path) -> tuple[str, ...]:
        """Copy the configured paths from the user's checkout; returns those that were there. Raises LocalError."""
        return tuple(path for path in self.copies if disk.copy_in(checkout, self.root, path))

    async def refuse_tracked_copies(self) -> None:
        """Raise LocalError when a path to copy is one that git tracks: it would end up in a commit."""
        if not self.copies:
            return
        tracked = [path for path in await self._listed("-c", paths=self.copies) if self._is_copy(path)]
        if tracked:
            raise LocalError(
                f"[worktree] copy names what git tracks: {differences.shown(tracked)}.",
                remedy="Take it out of the setting: the agent has tracked files anyway.",
            )

    async def show_git(self, view: throwaway.View, *, objects: Path, excludes: bytes) -> None:
        """Give the agent a `.git` of its own; in the user's checkout it sees the user's, which is left alone."""
        if not self.disposable:
            return
        excludes += b"\n" + b"".join(f"{_anchored(path)}\n".encode() for path in self.copies)
        await throwaway.build(self.root, objects=objects, index=self.index, excludes=excludes, view=view)

    async def snapshot(self, *, lenient: bool = False) -> str:
        """Write what is in the tree as a tree object and return its id. Raises Unfit, GitError.

        `lenient` leaves out what cannot be committed instead of raising Unfit.
        """
        listed = [path for path in await self._listed("-m", "-o", "-d") if not self._is_copy(path)]
        paths = [path for path in listed if not path.endswith("/")]
        submodules = set(await self._gitlinks())
        # Git lists the directory of another repository as one untracked entry.
        nested = {path.rstrip("/") for path in listed if path.endswith("/")}
        nested |= {path for path in submodules if self._was_used(path, modified=path in paths)}
        special = set((await self._survey()).special)
        large = {path for path in paths if self._size(path) > FILE_LIMIT}
        if lenient:
            large |= {path for path in paths if not self._is_readable(path)}
        else:
            _raise_for(Fault.NESTED_REPOSITORY, nested)
            _raise_for(Fault.SPECIAL_FILE, special)
            _raise_for(Fault.TOO_LARGE, large)
        # The directory of a submodule is empty here, and tools remove empty directories. Who means to remove
        # the submodule itself also changes .gitmodules.
        left_out = nested | special | large | (set() if ".gitmodules" in paths else submodules)
        await self._stage([path for path in paths if path not in left_out])
        return (await self._run("write-tree")).decode().strip()

    async def _stage(self, paths: Sequence[str]) -> None:
        gone = await asyncio.to_thread(disk.gone, self.root, paths)
        if gone:
            # Not by --remove: that refuses a path whose directory has become a link, or which is now a directory.
            zeros = "0" * len(await self.git.text("hash-object", "--stdin", stdin=b""))
            rows = b"".join(f"0 {zeros}\t".encode() + os.fsencode(path) + b"\0" for path in gone)
            await self._run("update-index", "-z", "--index-info", stdin=rows)
        listed = b"".join(os.fsencode(path) + b"\0" for path in paths if path not in gone)
        try:
            await self._run("update-index", "-z", "--add", "--replace", "--stdin", stdin=listed)
        except GitError as e:
            if e.reason is Reason.DISK_FULL:
                raise
            raise Unfit(Fault.UNREADABLE, [path for path in paths if not self._is_readable(path)] or [str(e)]) from e

    def _was_used(self, submodule: str, *, modified: bool) -> bool:
        """Whether a submodule is at another commit, or has files that no commit of ours could carry."""
        place = self.root / submodule
        if not place.is_dir() or place.is_symlink():
            return False
        return modified or (not (place / ".git").exists() and any(place.iterdir()))

    async def changes(self, base: str, *, allow_conflict_markers: bool = False) -> Changes:
        """Return how the tree differs from the commit `base`. Raises Unfit, GitError."""
        tree = await self.snapshot()
        found = await differences.between(self.git, base, tree)
        _raise_for(Fault.NESTED_REPOSITORY, differences.new_gitlinks(found))
        if found and not allow_conflict_markers:
            _raise_for(Fault.CONFLICT_MARKERS, await differences.conflicted(self.git, base, found))
        return found

    async def park(
        self, *, base: str, task: str, fence: int, identity: Identity, workspace: UUID | None = None
    ) -> str | None:
        """Keep what is in the tree as a commit under `parked_ref(…)` of our git-dir.

        Returns the ref, or None when the tree is that of `base`. Takes everything that git can hold, also what a
        commit for others may not have.
        """
        if self.disposable:
            for path in (await self._survey()).repositories:
                await disk.discard(self.root / path / ".git")
        tree = await self.snapshot(lenient=True)
        if tree == await self.git.text("rev-parse", "--verify", f"{base}^{{tree}}"):
            return None
        message = Message(f"Parked work on {task}", Trailers(task=task, attempt=fence, agent="unknown"))
        sha = await commit(self.git, tree=tree, parent=base, message=message, identity=identity)
        return await park_commit(self.git, sha, task=task, fence=fence, workspace=workspace)

    async def _survey(self) -> disk.Survey:
        ignored = await self._listed("-o", "-i", "--directory")
        skip = {path.rstrip("/") for path in ignored if path.endswith("/")}
        return await asyncio.to_thread(disk.survey, self.root, skip=skip)

    async def _gitlinks(self) -> tuple[str, ...]:
        rows = (await self._run("ls-files", "-s", "-z")).decode(errors="surrogateescape").split("\0")
        return tuple(row.split("\t", 1)[1] for row in rows if row.startswith(GITLINK))

    async def _listed(self, *flags: str, paths: Sequence[str] = ()) -> list[str]:
        """Return what `ls-files` lists, each path once."""
        out = await self._run("ls-files", "-z", "--exclude-standard", *self._exclusions(), *flags, "--", *paths)
        return list(dict.fromkeys(path for path in os.fsdecode(out).split("\0") if path))

    def _exclusions(self) -> list[str]:
        # On the command line, because there they outrank a .gitignore that the agent wrote.
        return [f"--exclude={_anchored(path)}" for path in self.copies]

    def _is_copy(self, path: str) -> bool:
        return any(path == copy or path.startswith(f"{copy}/") for copy in self.copies)

    def _size(self, path: str) -> int:
        try:
            status = (self.root / path).lstat()
        except OSError:
            return 0
        return status.st_size if stat.S_ISREG(status.st_mode) else 0

    def _is_readable(self, path: str) -> bool:
        try:
            os.close(os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
        except FileNotFoundError:
            return True  # removed, which can be committed
        except OSError:
            return (self.root / path).is_symlink()
        return True

    async def _run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        return (await self.git.local(*arguments, tree=self.root, index=self.index, stdin=stdin)).stdout


def parked_ref(*, task: str, fence: int, workspace: UUID | None = None) -> str:
    """The ref that keeps the work of an attempt: `refs/locus/parked/<workspace>/<task>/<fence>`.

    Two workspaces on one repository may call their tasks alike. Without a workspace it is the name that refs had first.
    """
    space = "" if workspace is None else f"{workspace}/"
    return f"{PARKED}/{space}{check_branch(f'{task}/{fence}')}"


async def park_commit(git: Git, sha: str, *, task: str, fence: int, workspace: UUID | None = None) -> str:
    """Keep a commit under `parked_ref(…)`; returns the ref."""
    ref = parked_ref(task=task, fence=fence, workspace=workspace)
    await set_ref(git, ref, sha, old=await read_ref(git, ref))
    return ref


def _raise_for(fault: Fault, paths: Collection[str]) -> None:
    if paths:
        raise Unfit(fault, paths)


def _anchored(path: str) -> str:
    """Write a path as a pattern that matches it and nothing else."""
    escaped = "".join(f"\\{char}" if char in "\\*?[]!# " else char for char in path)
    return f"/{escaped}"
