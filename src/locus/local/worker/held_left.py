"""What a killed approval leaves behind: its change is kept for the attempt that broke off, and waits as before."""

from pathlib import Path
from uuid import UUID

from locus.client.errors import Busy, Refused
from locus.local.errors import LocalError
from locus.local.git.clone import Parked, parked
from locus.local.git.parked import drop
from locus.local.git.runner import Git
from locus.local.git.worktree import park_commit, parked_ref
from locus.local.journal import HeldChange, OpenClaim, Report, ReportKind
from locus.local.worker import told
from locus.local.worker.report import send, unknown
from locus.local.worker.workplace import Workplace
from locus.wire.base import encode
from locus.wire.tasks import Task
from locus.wire.work import FailReason, Failure, HeldClaim, Lease


async def hold(work: Workplace, held: HeldChange, workspace: UUID, *, fence: int) -> str:
    """Keep the change for the attempt with this fence, under which a person looks for it. Raises GitError."""
    kept = await parked(work.checkout, work.state)
    ref = parked_ref(task=held.task, fence=fence, workspace=workspace)
    before = Parked(held.ref, held.commit, Path(held.git_dir))
    if all(one.ref != ref for one in kept):
        git = Git(before.git_dir, work.checkout.reach)
        await park_commit(git, held.commit, task=held.task, fence=fence, workspace=workspace)
    if before in kept and held.ref != ref:
        await drop(work.checkout, before)
    return ref


async def held_again(
    work: Workplace, claim: OpenClaim, held: HeldChange
) -> tuple[tuple[Lease, Task] | None, str | None]:
    """Find out whether the claim of a killed approval got its task; if so the task is held as before.

    Returns the lease with the task as it is then, and the ref that keeps the change. Raises PlaneError.
    """
    try:
        claimed = await work.plane.dispatch.take(
            held.task_id, HeldClaim(agent_id=claim.agent_id, fence=held.fence), idempotency_key=claim.key
        )
    except Busy:
        raise
    except Refused:
        return None, None  # it never got it, and somebody has decided otherwise since
    assert claimed.lease is not None, "a task that is taken has a lease"
    ref: str | None = None
    try:
        ref = await hold(work, held, claim.workspace_id, fence=claimed.lease.fence)
    except LocalError as e:
        work.tell(told.Note(text=f"The change of {held.task} that is held could not be kept for its new attempt: {e}"))
    now = await send(work.plane, held.task_id, held_as_before(work, claimed.lease.fence))
    return (None if now is None else (claimed.lease, now)), ref


def held_as_before(work: Workplace, fence: int) -> Report:
    """What the server is told of an approval that was broken off."""
    failure = Failure(fence=fence, reason=FailReason.POLICY, numbers=unknown(work))
    return Report(ReportKind.FAIL, encode(failure))
