"""From a checked tree to the remote: the commit, the push without force, and the proof that it is there."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from locus.local.evidence.checks import CheckResult
from locus.local.git.changes import Changes
from locus.local.git.commit import Message, Trailers, commit
from locus.local.git.publish import Conflict, Pushed, Rebased, Refused, Rejected, Vanished, publish
from locus.local.git.trouble import Reason
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.outcome import Ended
from locus.wire.tasks import Phase
from locus.wire.work import FailReason

PUSHES = 4  # the branch may move under us this often before the attempt gives up
NO_CHECKS = "no checks are configured"


class Origin(Struct, frozen=True):
    """Whose change it is, when it is not that of the attempt itself: the agent's, let through by a person."""

    agent: str
    approved_by: str


# Runs the checks on the tree as it is now and returns the red ones.
CheckAgain = Callable[[], Awaitable[Sequence[CheckResult]]]
# Writes down that a commit on a base is about to be pushed.
Announce = Callable[[str, str], None]


class Delivery:
    """The commit of one attempt, on its way to the remote. `commit` is None until there is one."""

    def __init__(
        self, attempt: Attempt, check_again: CheckAgain, announce: Announce, *, origin: Origin | None = None
    ) -> None:
        self._attempt = attempt
        self._origin = origin
        self._check_again = check_again
        self._announce = announce
        self._base: str | None = None
        self.commit: str | None = None

    async def make_commit(self, changes: Changes, *, base: str, proof: Sequence[CheckResult]) -> None:
        """Commit exactly the tree that was checked, on top of `base`. Raises GitError."""
        attempt = self._attempt
        proved = ", ".join(f"{result.check.name}: {result.why}" for result in proof)
        trailers = Trailers(
            task=attempt.key,
            attempt=attempt.lease.fence,
            agent=self._origin.agent if self._origin else attempt.site.agent_name,
            evidence=proved or NO_CHECKS,
            approved_by=self._origin.approved_by if self._origin else None,
        )
        self._base = base
        self.commit = await commit(
            attempt.site.git,
            tree=changes.tree,
            parent=base,
            message=Message(f"{attempt.key}: {attempt.snapshot.task.title}", trailers),
            identity=attempt.work.checkout.identity,
        )
        attempt.work.tell(
            told.Committed(
                key=attempt.key,
                commit=self.commit,
                files=changes.files,
                lines_added=changes.added,
                lines_removed=changes.removed,
            )
        )

    async def deliver(self) -> str:
        """Push until the remote has the commit, which may have been rebased and checked again; returns its id.

        Raises Ended and Stopped.
        """
        attempt, branch = self._attempt, self._attempt.site.branch
        rebased = False
        for _ in range(PUSHES):
            attempt.enter(Phase.PUSHING)
            attempt.be_sure_of_the_lease()
            assert self.commit is not None, "make_commit comes first"
            assert self._base is not None, "a commit has a base"
            self._announce(self._base, self.commit)
            match await publish(attempt.site.git, attempt.work.checkout.remote.push_url, self.commit, branch):
                case Pushed():
                    attempt.work.tell(told.Pushed(key=attempt.key, commit=self.commit, branch=branch, rebased=rebased))
                    return self.commit
                case Refused(reason=reason, text=text):
                    raise Ended(REFUSALS.get(reason, FailReason.PUSH_REFUSED), text)
                case Rejected(head=head):
                    await self._rebase(self.commit, head)
                    rebased = True
        raise Ended(FailReason.CONFLICT, f"The branch moved {PUSHES} times while we were pushing to it.")

    async def _rebase(self, made: str, head: str | None) -> None:
        """Somebody else pushed first: put our change on top of theirs, and check it there."""
        onto = head or await self._attempt.site.fetch_head()
        if onto is None:
            raise Ended(FailReason.REMOTE_UNREACHABLE, "The remote's branch could not be fetched.")
        match await self._attempt.site.rebase(made, onto):
            case Rebased(sha=sha):
                self._base, self.commit = onto, sha
            case Conflict(paths=paths):
                raise Ended(FailReason.CONFLICT, f"It conflicts with what was pushed: {', '.join(paths[:5])}.")
            case Vanished():
                raise Ended(FailReason.NO_CHANGE, "Others pushed the same change meanwhile.")
        red = await self._check_again()
        if red:
            names = ", ".join(result.check.name for result in red)
            raise Ended(FailReason.CHECKS_FAILED, f"{names} red on top of what was pushed meanwhile.")


# What a push that was not taken means, where it is not simply refused.
REFUSALS = {
    Reason.UNREACHABLE: FailReason.REMOTE_UNREACHABLE,
    Reason.TIMEOUT: FailReason.REMOTE_UNREACHABLE,
    Reason.NOT_FOUND: FailReason.REMOTE_UNREACHABLE,
    Reason.DISK_FULL: FailReason.DISK_FULL,
}
