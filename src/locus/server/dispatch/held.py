"""Held work that a person lets through: from BLOCKED onto a lease in one step, so that nobody else can take it."""

from uuid import UUID

from locus.server.db.pool import Db
from locus.server.dispatch import claims
from locus.server.dispatch.claims import Ask, Granted
from locus.server.errors import Conflict, NotFound
from locus.server.events.log import Actor
from locus.server.settings import Timing
from locus.server.tasks import decisions, store
from locus.wire.tasks import BlockedReason, Status, StatusChange, Task
from locus.wire.work import Claimed


async def take(
    db: Db, workspace_id: UUID, task_id: UUID, actor: Actor, ask: Ask, *, fence: int, timing: Timing
) -> Claimed:
    """Give a task that waits for a person's look at its change to an agent of that person; `fence` is of the change.

    Raises:
        NotFound: there is no such task here, or this key has registered no such agent.
        Conflict: the task does not wait for that, was tried again since, or is in no sprint.
    """
    task = await store.lock(db, workspace_id, task_id)
    _check(task, fence)
    await decisions.change_status(db, workspace_id, actor, task_id, StatusChange(status=Status.BACKLOG))
    reply = await claims.claim_this(db, workspace_id, task_id, ask, timing=timing)
    if not isinstance(reply, Granted):
        raise NotFound
    return Claimed(lease=reply.lease, snapshot=reply.snapshot, progress=None)


def _check(task: Task, fence: int) -> None:
    if task.status is not Status.BLOCKED or task.blocked_reason is not BlockedReason.POLICY:
        raise Conflict(f"{task.key} does not wait for a person to look at its change.", code="not_held_back")
    if task.fence != fence:
        raise Conflict(
            f"{task.key} was tried again since: its last attempt is {task.fence}, not {fence}. Look at that one.",
            code="tried_since",
        )
    if task.sprint_id is None:
        raise Conflict(f"{task.key} is in no sprint, so there is no branch for its change.", code="no_sprint")
