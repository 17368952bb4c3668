"""Held work: changes that wait for a person's look because of what they touch, and why each of them does."""

from collections.abc import Sequence

from msgspec import Struct

from locus.client.plane import ControlPlane
from locus.client.tasks import Filter
from locus.local.errors import LocalError
from locus.local.git.changes import Changes, between
from locus.local.git.checkout import Checkout
from locus.local.git.clone import Parked
from locus.local.git.runner import Git
from locus.local.git.worktree import parked_ref
from locus.local.project import Project
from locus.local.worker.inspection import Inspection, inspect
from locus.wire.tasks import BlockedReason, Status, Task
from locus.wire.work import Attempt, FailReason


class Held(Struct, frozen=True):
    """A task that waits, the attempt whose change is held, and the change itself where it is on this machine."""

    task: Task
    attempt: Attempt
    parked: Parked | None

    @property
    def fence(self) -> int:
        return self.attempt.fence

    def here(self) -> Parked:
        """The change. Raises LocalError when another machine has it."""
        if self.parked is None:
            key = self.task.key
            raise LocalError(
                f"The change of {key} is not here: {self.attempt.agent_name or 'an agent'} made it on another machine"
                " or in another clone, and it has not left that.",
                remedy=f'Look there: locus review-hold {key}. Or have it done anew: locus tasks unblock {key} -m "…"',
            )
        return self.parked


class Look(Struct, frozen=True):
    """What a person sees of a held change: why it is held, what it touches, and every line of it."""

    inspection: Inspection
    changes: Changes
    diff: str


async def everything(plane: ControlPlane, parked: Sequence[Parked]) -> list[Held]:
    """All tasks whose change is held, in the order of dispatch; `parked` is what this machine keeps."""
    wanted = Filter(status=(Status.BLOCKED,), blocked_reason=(BlockedReason.POLICY,))
    tasks = [task async for task in plane.tasks.all(wanted)]
    found = [await _of(plane, parked, task) for task in tasks]
    return [held for held in found if held is not None]


async def one(plane: ControlPlane, parked: Sequence[Parked], key: str) -> Held:
    """The held change of a task. Raises LocalError when there is none, PlaneError."""
    task = await plane.tasks.get(key)
    if task.status is not Status.BLOCKED or task.blocked_reason is not BlockedReason.POLICY:
        said = "blocked" if task.status is Status.BLOCKED else task.status.value.lower().replace("_", " ")
        why = f" ({task.blocked_reason.value})" if task.blocked_reason else ""
        raise LocalError(
            f"No change of {task.key} is held: the task is {said}{why}.",
            remedy="See what is held: locus review-hold",
        )
    held = await _of(plane, parked, task)
    if held is None:
        raise LocalError(
            f"A person has blocked {task.key}; no change of it is held.",
            remedy=f"Give it back to the agents: locus tasks unblock {task.key}",
        )
    return held


async def look(checkout: Checkout, project: Project, parked: Parked) -> Look:
    """Read a held change anew, with the rules that hold changes back now. Raises GitError."""
    git = Git(parked.git_dir, checkout.reach)
    changes = await between(git, f"{parked.commit}^", f"{parked.commit}^{{tree}}")
    seen = await inspect(git, project, changes, base=f"{parked.commit}^")
    diff = await git.text(
        "diff-tree", "-p", "-M", "--stat", "--no-ext-diff", "--no-textconv", f"{parked.commit}^", parked.commit
    )
    return Look(seen, changes, diff)


async def _of(plane: ControlPlane, parked: Sequence[Parked], task: Task) -> Held | None:
    async for attempt in plane.tasks.attempts(task.id):  # newest first
        if attempt.fail_reason is not FailReason.POLICY:
            return None
        ref = parked_ref(task=task.key, fence=attempt.fence, workspace=task.workspace_id)
        first = parked_ref(task=task.key, fence=attempt.fence)  # as earlier versions named it
        kept = {one.ref: one for one in parked}
        return Held(task, attempt, kept.get(ref) or kept.get(first))
    return None
