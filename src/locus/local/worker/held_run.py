"""A held change, let through by a person: put on the branch as it is now, proved and delivered, without any agent."""

from msgspec import Struct
from msgspec.structs import replace

from locus.local.git.changes import Changes, between
from locus.local.git.clone import Parked
from locus.local.git.parked import bring, drop
from locus.local.git.publish import Conflict, Rebased, Vanished
from locus.local.git.trouble import GitError
from locus.local.git.worktree import park_commit
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.delivery import Delivery, Origin
from locus.local.worker.inspection import Inspection, inspect
from locus.local.worker.outcome import Completed, Ended, Failed, Lost, Outcome, Released
from locus.local.worker.task_run import TaskRun
from locus.wire.work import FailReason, Failure, Release


class Approved(Struct, frozen=True):
    """The change that a person has looked at, and who that was."""

    change: Parked
    agent: str  # that made it
    by: str


class HeldRun(TaskRun):
    """The attempt that delivers a held change. Unless it succeeds, the change is held as before."""

    def __init__(self, attempt: Attempt, approved: Approved) -> None:
        super().__init__(attempt)
        self.approved = approved
        self.held: Parked | None = None  # the change, kept for this attempt
        origin = Origin(agent=approved.agent, approved_by=approved.by)
        self.delivery = Delivery(attempt, self._prove_again, self._announce, origin=origin)

    async def run(self) -> Outcome:
        """Deliver the change, or leave it waiting for a person."""
        outcome = await super().run()
        match outcome:
            case Completed():
                await self._forget()
                return outcome
            case Failed(reason=FailReason.CANCELLED) | Lost():
                return outcome
            case Failed():
                return replace(outcome, reason=FailReason.POLICY)
            case Released(numbers=numbers, parked=parked):
                numbers = numbers or self.attempt.spending.numbers()
                return Failed(FailReason.POLICY, "interrupted, so nothing was pushed", numbers, parked=parked)

    def last_words(self) -> Release | Failure:
        numbers = self.attempt.spending.numbers()
        return Failure(fence=self.attempt.lease.fence, reason=FailReason.POLICY, numbers=numbers)

    async def _work(self) -> str:
        await self._take_over()
        self.checks = self.proof.possible()
        self.base = await self._prepare()
        self.attempt.journal.prepared(self.attempt.marker, base=self.base)
        changes = await self._on_the_branch(self.base)
        red = await self.proof.of(changes, base=self.base)
        if red:
            names = ", ".join(f"{result.check.name} ({result.why})" for result in red)
            raise Ended(FailReason.CHECKS_FAILED, f"{names} red on it, so it was not pushed")
        await self.delivery.make_commit(changes, base=self.base, proof=self.proof.results)
        commit = await self.delivery.deliver()
        self.site.green[commit] = {result.check.name for result in self.proof.results}
        return commit

    async def _on_the_branch(self, base: str) -> Changes:
        """The change as it is on top of the branch, in the tree. It must not be held for more than was looked at."""
        commit = self.approved.change.commit
        git, project = self.site.git, self.work.project
        before = await git.text("rev-parse", "--verify", f"{commit}^")
        was = await inspect(git, project, await between(git, before, f"{commit}^{{tree}}"), base=before)
        if before == base:
            await self.site.reset_to(f"{commit}^{{tree}}", base=base)
        else:
            match await self.site.rebase(commit, base):
                case Rebased(sha=sha):
                    # It is in the tree, from where it is read like an agent's; a next look should show it like this.
                    await self._hold(sha)
                case Conflict(paths=paths):
                    raise Ended(FailReason.CONFLICT, f"it conflicts with what was pushed since: {', '.join(paths[:5])}")
                case Vanished():
                    raise Ended(FailReason.NO_CHANGE, "the branch has the same change already")
        changes = await self._changes()
        self._refuse_more(was, await inspect(git, project, changes, base=base))
        return changes

    def _refuse_more(self, was: Inspection, now: Inspection) -> None:
        if now.secrets:
            places = ", ".join(map(str, now.secrets[:5]))
            raise Ended(FailReason.POLICY, f"it holds secrets: {places}")
        if more := [why for why in now.held if why not in was.held]:
            reasons = "; ".join(more[:5])
            raise Ended(FailReason.POLICY, f"on top of what was pushed since it is held for more: {reasons}")

    # ---- keeping the change

    async def _take_over(self) -> None:
        """Keep the change for this attempt, before anything can go wrong with it."""
        await bring(self.site.git, self.approved.change)
        await self._hold(self.approved.change.commit)
        await drop(self.work.checkout, self.approved.change)

    async def _hold(self, commit: str) -> None:
        fence, workspace = self.attempt.lease.fence, self.attempt.snapshot.task.workspace_id
        ref = await park_commit(self.site.git, commit, task=self.key, fence=fence, workspace=workspace)
        self.held = Parked(ref, commit, self.site.git.directory)

    async def _forget(self) -> None:
        """The change is on the branch; nobody needs it beside that. That it stays must not hide that it is there."""
        try:
            if self.held is not None:
                await drop(self.work.checkout, self.held)
        except GitError as e:
            self.work.tell(told.Note(text=f"The change of {self.key} is kept as parked work, too: {e}"))

    async def _park(self) -> str | None:
        return self.held.ref if self.held else None
