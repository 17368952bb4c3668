"""Claiming: asked for under a key that lies in the journal first, so that no answer gets lost with who asked.

A worker that dies, or stops waiting, between the server's claim and its own reading of the answer would hold a task
that nobody does until its lease ends. The same claim again, by it or by the next run, says what it got.
"""

from uuid import UUID, uuid4

from locus.client.errors import Busy, Conflict, LeaseLost, PlaneError, Refused
from locus.client.plane import ControlPlane
from locus.local.journal import Claims, OpenClaim, Report, ReportKind
from locus.local.worker.ending import Ending
from locus.local.worker.report import send
from locus.local.worker.workplace import Workplace
from locus.wire.base import encode
from locus.wire.tasks import Task
from locus.wire.work import Claim, Claimed, Lease, Release, ReleaseReason

CLAIM_PATIENCE = 300.0  # seconds an idle worker waits for a server that does not answer
LAST_LOOK = 2.0  # seconds to find out what a claim got whose answer nobody waits for any more


class BudgetSpent(Exception):
    """The workspace gives no task to agents while its budget of the day is spent; says so in a sentence."""


class Claiming:
    """The claims of one agent. One key serves until something was got with it, however often it is asked."""

    def __init__(self, work: Workplace, claims: Claims, ending: Ending, agent_id: UUID) -> None:
        self._work = work
        self._claims = claims
        self._ending = ending
        self._agent_id = agent_id
        self._open: OpenClaim | None = None
        self._answered = True
        self.granted: str | None = None  # the key of the claim that got the last task

    async def ask(self, sprint_id: UUID | None, wait_ms: int) -> Claimed | None:
        """Ask for a task, waiting for one up to `wait_ms` milliseconds; None when the run had to end first.

        None also when the task it got was lost again, because its answer was on its way for longer than a lease. The
        key of a claim that got a task stays in the journal until the attempt takes its place. Raises PlaneError and
        BudgetSpent.
        """
        claim = self._under_a_key(sprint_id)
        self._answered = False
        ask = self._work.plane.dispatch.claim(
            Claim(agent_id=self._agent_id, sprint_id=sprint_id, wait_ms=wait_ms),
            idempotency_key=claim.key,
            deadline=CLAIM_PATIENCE,
        )
        try:
            claimed = await self._ending.unless(ask)
        except LeaseLost:
            self._forget(claim)
            return None
        except Conflict as e:
            if e.problem.code != "budget_spent":
                raise
            self._forget(claim)
            raise BudgetSpent(e.problem.detail) from e
        if claimed is None:
            await self._give_back(claim)
            return None
        self._answered = True
        if claimed.lease is not None:
            self.granted, self._open = claim.key, None
        return claimed

    def close(self) -> None:
        """Nothing is asked for any more. A claim whose answer never came is left to the next run."""
        if self._open is not None and self._answered:
            self._forget(self._open)

    def _under_a_key(self, sprint_id: UUID | None) -> OpenClaim:
        if self._open is not None and self._open.sprint_id == sprint_id:
            return self._open
        self.close()
        workspace_id = self._work.plane.workspace_id
        assert workspace_id is not None, "its agent was registered in it"
        self._open = OpenClaim(
            key=str(uuid4()),
            workspace_id=workspace_id,
            root=self._work.checkout.root,
            agent_id=self._agent_id,
            sprint_id=sprint_id,
        )
        self._claims.begin(self._open)
        return self._open

    async def _give_back(self, claim: OpenClaim) -> None:
        """Whatever the claim got after all is the next worker's; what cannot be found out now, the next run finds."""
        try:
            await give_back(self._work.plane, claim, deadline=LAST_LOOK)
        except PlaneError:
            return
        self._forget(claim)

    def _forget(self, claim: OpenClaim) -> None:
        self._claims.end(claim.key)
        self._open, self._answered = None, True


async def got(plane: ControlPlane, claim: OpenClaim, *, deadline: float | None = None) -> Lease | None:
    """The lease that a claim got and nobody has read of, if it lasts. Raises PlaneError when nobody answers."""
    again = Claim(agent_id=claim.agent_id, sprint_id=claim.sprint_id, again=True)
    try:
        return (await plane.dispatch.claim(again, idempotency_key=claim.key, deadline=deadline)).lease
    except Busy:
        raise
    except Refused:
        return None  # the lease has ended, or agent and key are not what they were


async def give_back(
    plane: ControlPlane, claim: OpenClaim, *, deadline: float | None = None
) -> tuple[Lease, Task] | None:
    """Give back what a claim got; returns it and its task as it is then. Raises PlaneError."""
    lease = await got(plane, claim, deadline=deadline)
    if lease is None:
        return None
    release = Release(fence=lease.fence, reason=ReleaseReason.INTERRUPTED)
    now = await send(plane, lease.task_id, Report(ReportKind.RELEASE, encode(release)))
    return None if now is None else (lease, now)
