"""Going on where an attempt was cut off: the same conversation, with the work that was kept of it."""

from uuid import UUID

from msgspec import Struct

from locus.local.git.checkout import Checkout
from locus.local.git.clone import Parked
from locus.local.git.parked import drop
from locus.local.git.publish import Rebased
from locus.local.providers.base import Usage
from locus.local.worker.site import Site
from locus.wire.work import Lease, TaskSnapshot


class Kept(Struct, frozen=True):
    """What is left of an attempt that may go on later: its conversation, its work, and what it was told."""

    task_id: UUID
    fence: int
    told: str
    provider: str
    session: str
    used: Usage  # in that session
    base: str
    work: Parked | None  # None when nothing had been changed yet
    budget: str  # that a limit of the task counts it in

    def fits(self, lease: Lease, snapshot: TaskSnapshot, provider: str) -> bool:
        """Whether a claim is of the same task, which nobody has had or changed since, for the same provider."""
        same = (self.task_id, self.fence + 1, self.told) == (lease.task_id, lease.fence, told_of(snapshot))
        return same and self.provider == provider


def told_of(snapshot: TaskSnapshot) -> str:
    """What an agent is told about a task; when that has changed, it has to be told anew."""
    task = snapshot.task
    said = [f"{comment.id}" for comment in snapshot.comments]
    docs = [f"{doc.id}/{doc.version}" for doc in snapshot.docs]
    return repr((task.title, task.description, task.checklist, said, docs))


class Unfinished:
    """What a run can go on with, by task."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._kept: dict[UUID, Kept] = {}

    def take(self, lease: Lease, snapshot: TaskSnapshot, provider: str) -> Kept | None:
        """What a claimed task can go on with. It is not kept any longer."""
        kept = self._kept.pop(lease.task_id, None)
        return kept if kept is not None and kept.fits(lease, snapshot, provider) else None

    async def after(self, gone_on_with: Kept | None, unfinished: Kept | None) -> None:
        """An attempt has ended: forget what it has gone on with, and keep what is unfinished now. Raises GitError."""
        if unfinished is not None:
            self._kept[unfinished.task_id] = unfinished
        if gone_on_with is not None and gone_on_with.work is not None:
            await drop(self._checkout, gone_on_with.work)  # it is in what came of this attempt


class Restored(Struct, frozen=True):
    """The kept work is in the tree; `moved` when it was put on top of what others have pushed since."""

    moved: bool


async def restore(site: Site, kept: Kept, base: str) -> Restored | None:
    """Put the work of an attempt into the tree that is prepared at `base`; None when it does not fit any more.

    Raises LocalError, GitError.
    """
    if kept.work is None:
        return Restored(moved=base != kept.base)
    if base == kept.base:
        await site.reset_to(f"{kept.work.commit}^{{tree}}", base=base)
        return Restored(moved=False)
    if isinstance(await site.rebase(kept.work.commit, base), Rebased):
        return Restored(moved=True)
    return None  # the tree is clean at the base again
