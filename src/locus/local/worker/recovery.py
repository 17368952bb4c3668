"""What a new run does first: end what a killed worker left running, keep its work, tell the server what it could not.

The journal says how far an attempt had come, the remote says what arrived there, and the server says whose the lease
is. Only where all three agree that the work is finished, pushed and still ours does the task go to review.
"""

from msgspec import Struct

from locus.client.errors import LeaseLost, NotFound
from locus.local.errors import LocalError
from locus.local.git.clone import PrivateClone
from locus.local.git.left_in_place import Left, Restored, open_left, restore
from locus.local.git.publish import Pushed, publish
from locus.local.git.worktree import park_commit
from locus.local.journal import Entry, Journal, OpenClaim, Report, ReportKind, Step
from locus.local.process import sweep
from locus.local.worker import told
from locus.local.worker.claiming import give_back
from locus.local.worker.held_left import held_again, held_as_before, hold
from locus.local.worker.report import remembered, send
from locus.local.worker.workplace import Workplace
from locus.wire.base import encode
from locus.wire.tasks import Phase, Task
from locus.wire.work import FailReason, Failure, Release, ReleaseReason, Renewal

# A machine may lose its power or its memory beside an agent. An agent that kills its own worker each time is another
# thing: from here on its attempts are used up, so that it comes to an end.
FREE_KILLS = 3


class Recovery(Struct, frozen=True):
    """Settles the attempts that workers of this machine left behind in this repository."""

    work: Workplace
    journal: Journal

    async def run(self) -> None:
        """Settle every attempt of this repository and this server. Raises PlaneError when the server is not there."""
        for claim in self.journal.claims.left_behind():
            if self._is_ours(claim):
                await self._settle_claim(claim)
        for entry in self.journal.left_behind():
            if self._is_ours(entry):
                await self._settle(entry)
        # Killed between two attempts: no entry tells of it, and the user's own checkout may still be lent.
        self._tell_of_checkout(await restore(self.work.checkout, self.work.state))

    def _is_ours(self, entry: Entry | OpenClaim) -> bool:
        # Not by its address: a server may move, and keeps its workspaces.
        return (entry.workspace_id, entry.root) == (self.work.plane.workspace_id, self.work.checkout.root)

    async def _settle_claim(self, claim: OpenClaim) -> None:
        """Give back what a claim got whose worker did not live to read the answer."""
        if claim.held is not None:
            back, parked = await held_again(self.work, claim, claim.held)
        else:
            back, parked = await give_back(self.work.plane, claim), None
        self.journal.claims.end(claim.key)
        if back is not None:
            lease, now = back
            self.work.tell(told.Recovered(key=now.key, fence=lease.fence, status=now.status, parked=parked))

    async def _settle(self, entry: Entry) -> None:
        ended = await sweep(entry.marker)
        held = await self._still_ours(entry)
        parked: str | None = None
        now: Task | None = None
        kills = 0
        if entry.step is Step.OVER and entry.report is not None:
            now = await send(self.work.plane, entry.task_id, entry.report)
        else:
            pushed = False
            try:
                pushed, parked = await self._look_after_the_work(entry, held=held)
            except LocalError as e:
                self._could_not_keep(entry, e)
            if held:
                kills = self._counts(entry, pushed=pushed)
                now = await self._tell(entry, pushed=pushed, counts=kills > 0)
        if entry.slot is None:
            try:
                parked = await self._put_back(entry) or parked
            except LocalError as e:
                self._could_not_keep(entry, e)
        self.journal.end(entry.marker)
        self.work.tell(
            told.Recovered(
                key=entry.key,
                fence=entry.fence,
                status=now.status if now else None,
                parked=parked,
                processes=ended,
                kills=kills,
            )
        )

    def _counts(self, entry: Entry, *, pushed: bool) -> int:
        """How often in a row workers were killed beside the agent of the task, if that is too often to be chance."""
        if pushed or not entry.at_agent:
            return 0
        kills = self.journal.killed(entry.task_id)
        return kills if kills > FREE_KILLS else 0

    def _could_not_keep(self, entry: Entry, e: LocalError) -> None:
        self.work.tell(told.Note(text=f"The work of an earlier run on {entry.key} could not be kept: {e}"))

    async def _still_ours(self, entry: Entry) -> bool:
        """Whether the lease has not ended; if so it lives on while we look after the work."""
        try:
            await self.work.plane.dispatch.renew(entry.task_id, Renewal(fence=entry.fence, phase=Phase.REPORTING))
        except (LeaseLost, NotFound):
            return False
        return True

    async def _look_after_the_work(self, entry: Entry, *, held: bool) -> tuple[bool, str | None]:
        """Bring a finished commit to the remote, or park what there is. Returns whether it is there, and the ref."""
        if entry.held is not None:
            if entry.made is not None and held and await self._made_arrives(entry, entry.made):
                return True, None
            return False, await hold(self.work, entry.held, entry.workspace_id, fence=entry.fence)
        if entry.base is None:
            return False, None
        if entry.slot is None and entry.made is None:
            return False, None  # what there is lies in the user's own checkout
        clone = await self._clone(entry)
        try:
            if entry.made is not None:
                if held and await self._arrives(clone, entry.made, entry.branch):
                    return True, None
                return False, await park_commit(
                    clone.git, entry.made, task=entry.key, fence=entry.fence, workspace=entry.workspace_id
                )
            parked = await clone.worktree.park(
                base=entry.base,
                task=entry.key,
                fence=entry.fence,
                identity=self.work.checkout.identity,
                workspace=entry.workspace_id,
            )
            return False, parked
        finally:
            clone.close()

    async def _clone(self, entry: Entry) -> PrivateClone:
        """The clone that the attempt worked with, for us alone. Raises LocalError when another worker has it."""
        checkout, state = self.work.checkout, self.work.state
        if entry.slot is not None:
            return await PrivateClone.open(checkout, state, slot=entry.slot)
        return await open_left(checkout, state)

    async def _put_back(self, entry: Entry) -> str | None:
        """Give the user their files as they were before a run in place; returns the ref that keeps what differed."""
        checkout, state = self.work.checkout, self.work.state
        found = await restore(checkout, state)
        if isinstance(found, Left) and entry.base is not None:
            found = await restore(
                checkout,
                state,
                base=entry.base,
                task=entry.key,
                fence=entry.fence,
                workspace=entry.workspace_id,
            )
        self._tell_of_checkout(found)
        return found.parked if isinstance(found, Restored) else None

    def _tell_of_checkout(self, found: Restored | Left | None) -> None:
        root = self.work.checkout.root
        match found:
            case Restored():
                self.work.tell(told.Note(text=f"A run in {root} was killed; its files are as they were before it."))
            case Left(why=why):
                self.work.tell(
                    told.Note(text=f"A run in {root} was killed, and its files are left as they are: {why}.")
                )

    async def _made_arrives(self, entry: Entry, made: str) -> bool:
        clone = await self._clone(entry)
        try:
            return await self._arrives(clone, made, entry.branch)
        finally:
            clone.close()

    async def _arrives(self, clone: PrivateClone, made: str, branch: str) -> bool:
        """Push once more, which changes nothing if it is there already, and see it on the remote."""
        return isinstance(await publish(clone.git, self.work.checkout.remote.push_url, made, branch), Pushed)

    async def _tell(self, entry: Entry, *, pushed: bool, counts: bool) -> Task | None:
        if pushed and entry.report is not None:
            return await send(self.work.plane, entry.task_id, entry.report)
        if entry.held is not None:
            return await send(self.work.plane, entry.task_id, held_as_before(self.work, entry.fence))
        numbers = remembered(self.work, entry.marker)
        if counts:
            failure = Failure(fence=entry.fence, reason=FailReason.AGENT_CRASHED, numbers=numbers)
            return await send(self.work.plane, entry.task_id, Report(ReportKind.FAIL, encode(failure)))
        release = Release(fence=entry.fence, reason=ReleaseReason.INTERRUPTED, numbers=numbers)
        return await send(self.work.plane, entry.task_id, Report(ReportKind.RELEASE, encode(release)))
