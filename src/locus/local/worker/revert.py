"""Undoing one task of a sprint's branch: its change taken out on top, the checks run, the commit pushed."""

from collections.abc import Callable, Sequence
from uuid import uuid4

from msgspec import Struct, field

from locus.local.errors import LocalError
from locus.local.evidence import selection
from locus.local.evidence.checks import CheckResult, run_checks
from locus.local.git.changes import Changes, between, shown
from locus.local.git.commit import commit as write_commit
from locus.local.git.history import Commit, history, standing, touching
from locus.local.git.publish import Conflict, Pushed, Refused, Rejected, Vanished, publish
from locus.local.git.undo import message, undo
from locus.local.process import base_environment
from locus.local.worker import told
from locus.local.worker.delivery import NO_CHECKS, PUSHES
from locus.local.worker.set_up import set_up
from locus.local.worker.site import Site
from locus.local.worker.workplace import Workplace
from locus.wire.tasks import Task


class Later(Struct, frozen=True):
    """A commit after the task's that touches the same files."""

    commit: Commit
    paths: tuple[str, ...]


class Reverted(Struct, frozen=True):
    """What came of it. `commit` is None when nothing was pushed."""

    undone: tuple[Commit, ...]
    changes: Changes
    later: tuple[Later, ...]
    results: tuple[CheckResult, ...] = field(default=())
    commit: str | None = None

    @property
    def red(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if not result.passed)


class NothingToUndo(LocalError):
    """The branch has no change of the task; `by` is the commit that undid it before, if one did."""

    def __init__(self, text: str, *, remedy: str | None = None, by: Commit | None = None) -> None:
        super().__init__(text, remedy=remedy)
        self.by = by


class Revert(Struct, frozen=True):
    """Takes one task out of the branch of an open site. `required` are the checks that the workspace asks for."""

    work: Workplace
    site: Site
    task: Task
    required: Sequence[str] = ()
    why: str = ""
    marker: str = field(default_factory=lambda: str(uuid4()))

    async def run(self, *, push: bool, although_red: bool, foresee: Callable[[Reverted], None]) -> Reverted:
        """Do it on the branch as it is now, again when somebody pushes meanwhile; `foresee` hears what is about to be.

        Raises NothingToUndo; LocalError when it conflicts with later changes or the remote refuses; GitError.
        """
        for _ in range(PUSHES):
            head = await self.site.prepare()
            planned = await self._plan(head)
            foresee(planned)
            results = tuple(await self._prove(planned.changes, head))
            tried = Reverted(planned.undone, planned.changes, planned.later, results)
            if not push or (tried.red and not although_red):
                return tried
            made = await self._commit(tried, head)
            match await publish(self.site.git, self.work.checkout.remote.push_url, made, self.site.branch):
                case Pushed():
                    return Reverted(tried.undone, tried.changes, tried.later, results, made)
                case Refused(text=text):
                    raise LocalError(f"The remote refused the push: {text}", remedy="The branch is as it was.")
                case Rejected():
                    self.work.tell(told.Note(text=f"{self.site.branch} has moved on; doing it again on top of that."))
        raise LocalError(
            f"{self.site.branch} moved {PUSHES} times while we were pushing to it.",
            remedy="Wait until the workers are done, and try again. The branch has everything that was pushed.",
        )

    async def _plan(self, head: str) -> Reverted:
        fetched = self.site.fetched
        assert fetched is not None, "the site is prepared"
        commits = await history(self.site.git, fetched.base, head)
        undone = standing(commits, self.task.key)
        if not undone:
            raise self._nothing(commits)
        if merges := [commit for commit in undone if len(commit.parents) != 1]:
            raise LocalError(
                f"{merges[0].short} of {self.task.key} is a merge, which has no one change to undo.",
                remedy=f"Undo it by hand: git revert -m 1 {merges[0].short}",
            )
        own = {path for one in undone for path in (await between(self.site.git, one.parents[0], one.sha)).paths}
        after = commits[commits.index(undone[0]) + 1 :]
        others = [commit for commit in after if commit not in undone]
        later = tuple(Later(commit, paths) for commit, paths in await touching(self.site.git, others, own))
        match await undo(self.site.worktree, undone, head, self.work.checkout.identity):
            case Conflict(paths=paths):
                raise self._conflict(paths, later)
            case Vanished():
                raise NothingToUndo(
                    f"{self.site.branch} has nothing of {self.task.key} any more: later changes replaced all of it."
                )
            case done:
                return Reverted(tuple(undone), await between(self.site.git, head, done.tree), later)

    def _nothing(self, commits: Sequence[Commit]) -> NothingToUndo:
        by = next((commit for commit in reversed(commits) if commit.reverts_task == self.task.key), None)
        if by is not None:
            return NothingToUndo(f"{self.task.key} was undone already, by {by.short}.", by=by)
        return NothingToUndo(
            f"{self.site.branch} has no change of {self.task.key} on top of {self.site.base_branch}.",
            remedy="If its pull request is merged, undo it there: git revert, in a branch of your own.",
        )

    def _conflict(self, paths: Sequence[str], later: Sequence[Later]) -> LocalError:
        names = dict.fromkeys(one.commit.task or one.commit.short for one in later if {*one.paths} & {*paths})
        said = f" Later changes stand on it: {', '.join(names)}." if names else ""
        first = list(names)[-1] if names else None
        return LocalError(
            f"Undoing {self.task.key} conflicts in {shown(paths)}.{said} Nothing was changed.",
            remedy=f"Undo the later ones first (locus revert {first}), or send {self.task.key} back with what is wrong:"
            f' locus tasks reject {self.task.key} -m "…"'
            if first
            else f'Send it back with what is wrong: locus tasks reject {self.task.key} -m "…"',
        )

    async def _prove(self, changes: Changes, head: str) -> list[CheckResult]:
        work, site, key = self.work, self.site, self.task.key
        named = {*self.required}
        await site.reset_to(changes.tree, base=head)
        wrong = await set_up(
            work,
            site,
            marker=self.marker,
            begins=lambda command: work.tell(told.Preparing(key=key, command=command)),
        )
        if wrong is not None:
            raise LocalError(f"The tree could not be set up: {wrong}", remedy="Nothing was changed.")
        await site.reset_to(changes.tree, base=head)

        async def restore() -> None:
            await site.worktree.restore(changes.tree)

        return await run_checks(
            selection.due(work.project.checks, named, changes.paths),
            tree=site.tree,
            env=base_environment(work.environment),
            marker=self.marker,
            started=lambda check: work.tell(told.CheckStarted(key=key, check=check)),
            finished=lambda result: work.tell(told.CheckFinished(key=key, result=result)),
            restore=restore,
            sandbox=site.sandbox,
        )

    async def _commit(self, tried: Reverted, head: str) -> str:
        proved = ", ".join(f"{result.check.name}: {result.why}" for result in tried.results) or NO_CHECKS
        text = message(self.task.key, self.task.title, tried.undone, evidence=proved, why=self.why)
        return await write_commit(
            self.site.git,
            tree=tried.changes.tree,
            parent=head,
            message=text,
            identity=self.work.checkout.identity,
        )
