"""Where a run works: the branch of the sprint, and the tree in which the agent sees it."""

from contextlib import AsyncExitStack
from pathlib import Path

from msgspec import Struct, field

from locus.local.errors import LocalError
from locus.local.git.changes import Changes
from locus.local.git.clone import Fetched, PrivateClone
from locus.local.git.commit import commit
from locus.local.git.in_place import InPlace
from locus.local.git.publish import Rebasing
from locus.local.git.runner import Git
from locus.local.git.worktree import Worktree
from locus.local.sandbox import Sandbox
from locus.local.worker.walls import walls
from locus.local.worker.workplace import Workplace

EARLIER_COMMITS = 30
FILES_NAMED = 6  # of one earlier commit


class Site(Struct):
    """A clone, the branch that the run works on, and what the remote had when it was last asked.

    `checkout` is the user's own, when it is lent for a run in place; else the tree is the clone's.
    """

    clone: PrivateClone
    branch: str
    base_branch: str
    agent_name: str
    checkout: InPlace | None = None
    fetched: Fetched | None = None
    sandbox: Sandbox | None = None  # around what runs in the tree; None when the user has switched it off
    green: dict[str, set[str]] = field(default_factory=dict)  # by commit: the checks that this run has seen green on it
    looked_at_config: bool = False  # whether the run has compared the branch's configuration with the user's
    told_of_summaries: bool = False  # whether the run has said that the workspace asks for them
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    async def open(cls, work: Workplace, *, branch: str, agent_name: str, slot: str | None = None) -> "Site":
        """Take a clone, or with `--in-place` the user's checkout, for the branch of a sprint.

        `slot` is the clone to take when it is free, where an agent has a memory of its work. Raises LocalError when
        the checkout is not clean, the base branch is not on the remote, or there is no sandbox;
        GitError.
        """
        site = await cls._taken(work, branch=branch, agent_name=agent_name, slot=slot)
        try:
            site.sandbox = await site._open.enter_async_context(walls(work, site.clone))
        except BaseException:
            await site.leave()
            raise
        return site

    @classmethod
    async def _taken(cls, work: Workplace, *, branch: str, agent_name: str, slot: str | None) -> "Site":
        try:
            clone = await PrivateClone.open(work.checkout, work.state, slot=slot, copies=work.project.copy)
        except LocalError:
            if slot is None:
                raise
            clone = await PrivateClone.open(work.checkout, work.state, copies=work.project.copy)
        try:
            base_branch = await clone.base_branch(work.options.base)
        except BaseException:
            clone.close()
            raise
        if not work.options.in_place:
            return cls(clone, branch, base_branch, agent_name)
        clone.close()
        lent = await InPlace.open(work.checkout, work.state, base_branch=base_branch)
        return cls(lent.clone, branch, base_branch, agent_name, checkout=lent)

    async def leave(self) -> list[str]:
        """Check out the base and give back what was taken; returns what the user should know. Raises LocalError."""
        await self._open.aclose()
        if self.checkout is not None:
            head = self.clone.checkout.head
            aftermath = await self.checkout.give_back()
            return [aftermath.sentence(head)] if aftermath else []
        try:
            if self.fetched is not None:
                await self.clone.prepare(self.fetched, at=self.fetched.base)
        finally:
            self.clone.close()
        return []

    @property
    def git(self) -> Git:
        return self.clone.git

    @property
    def worktree(self) -> Worktree:
        return self.clone.worktree

    @property
    def tree(self) -> Path:
        return self.clone.worktree.root

    async def prepare(self) -> str:
        """Fetch what others pushed and make a clean tree of it; returns the commit it is the tree of.

        Raises LocalError, GitError.
        """
        self.fetched = await self.clone.fetch(self.base_branch, self.branch)
        await self._place(self.fetched, self.fetched.start)
        return self.fetched.start

    async def has_another(self, path: Path, text: str) -> bool:
        """Whether a file of the repository is not `text` in the commit that the task starts from."""
        assert self.fetched is not None
        shown = await self.git.local("cat-file", "blob", f"{self.fetched.start}:{path.as_posix()}", accept=(0, 128))
        there = shown.stdout.decode(errors="replace") if shown.exit.ok else ""
        return there.replace("\r\n", "\n") != text.replace("\r\n", "\n")

    async def reset_to(self, tree: str, *, base: str, keep_ignored: bool = True) -> None:
        """Take back what was written since the tree was read as the object `tree`; its work is committed."""
        assert self.fetched is not None
        identity = self.clone.checkout.identity
        so_far = await commit(self.git, tree=tree, parent=base, message="Work so far\n", identity=identity)
        await self._place(self.fetched, so_far, keep_ignored=keep_ignored)

    async def show(self, commit: str) -> None:
        """Make the tree that of a commit which is here; ignored files go, so that each commit stands for itself."""
        assert self.fetched is not None
        await self._place(self.fetched, commit, keep_ignored=False)

    async def rebase(self, commit: str, onto: str) -> Rebasing:
        """Put the change of a commit on top of another one, in the tree. Raises GitError."""
        assert self.fetched is not None
        return await self.clone.rebase(self.fetched, commit, onto)

    async def changes(self, base: str) -> Changes:
        """What differs from the commit `base`. Raises Unfit, GitError."""
        return await self.worktree.changes(base)

    async def fetch_head(self) -> str | None:
        """Where the branch is on the remote now, fetched; None when it is not there."""
        self.fetched = await self.clone.fetch(self.base_branch, self.branch)
        return self.fetched.head

    async def files(self) -> list[str]:
        """The paths of all tracked files of the commit that the task starts from."""
        assert self.fetched is not None
        listed = await self.git.text("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.fetched.start)
        return [path for path in listed.split("\0") if path]

    async def earlier(self) -> list[str]:
        """What the sprint's branch already has on top of its base: a line for each commit, newest last."""
        assert self.fetched is not None
        if self.fetched.head is None:
            return []
        said = await self.git.text(
            *("log", "--reverse", f"--max-count={EARLIER_COMMITS}", "--format=%x1e%s", "--name-only"),
            f"{self.fetched.base}..{self.fetched.head}",
        )
        return [_described(entry) for entry in said.split("\x1e") if entry.strip()]

    async def _place(self, fetched: Fetched, commit: str, *, keep_ignored: bool = True) -> None:
        """Put the files of a commit where the agent works. In the user's checkout, ignored files always stay."""
        if self.checkout is not None:
            await self.checkout.prepare(fetched, at=commit)
        else:
            await self.clone.prepare(fetched, at=commit, keep_ignored=keep_ignored)


def _described(entry: str) -> str:
    subject, *paths = [line for line in entry.splitlines() if line.strip()]
    if not paths:
        return subject
    more = f" and {len(paths) - FILES_NAMED} more" if len(paths) > FILES_NAMED else ""
    return f"{subject} ({', '.join(paths[:FILES_NAMED])}{more})"
