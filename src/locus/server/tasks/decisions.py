"""What people decide about a task: take it, block it, approve it, send it back. Feedback becomes a comment."""

from uuid import UUID

from msgspec.structs import replace

from locus.server.db.pool import Db
from locus.server.errors import Conflict
from locus.server.events.log import Actor
from locus.server.tasks import checklist, comments, rules, store
from locus.server.tasks.actions import check_version, tell
from locus.wire.events import ActorKind, EventDetail, EventKind
from locus.wire.tasks import CommentKind, Status, StatusChange, Task


async def change_status(
    db: Db, workspace_id: UUID, actor: Actor, task_id: UUID, change: StatusChange, *, expected: int | None = None
) -> Task:
    """Carry out a person's decision, if the task still has the version `expected` (None: any).

    Back to the backlog is a fresh start: the attempts are counted from 0 again.

    Raises:
        NotFound: there is no such task here.
        Stale: somebody else has edited it meanwhile.
        Conflict: the rules do not allow it, an agent holds the task, or its acceptance criteria are open.
        Invalid: a rejection without feedback, or a reason that people may not give.
    """
    old = await store.lock(db, workspace_id, task_id)
    check_version(old, expected)
    rules.check_free(old, "change its status")
    rules.check_transition(ActorKind.PERSON, old.status, change.status)
    reason = rules.blocked_reason(change.status, change.reason)
    rules.check_feedback(old.status, change.status, change.feedback)
    new = replace(old, status=change.status, blocked_reason=reason)
    if change.status is Status.IN_PROGRESS and old.assignee is None:
        raise Conflict(
            f"Agents take {old.key} by themselves. Assign it to a person first to work on it by hand.",
            code="not_assigned",
        )
    if change.status is Status.IN_REVIEW:
        new = replace(new, commit=None)  # an earlier attempt's commit is not what a person hands in now
    if change.status is Status.DONE:
        proven = await store.proven(db, workspace_id, task_id)
        rules.check_accepted(old.checklist, proven, force=change.force)
    if change.status is Status.BACKLOG:
        new = replace(new, attempts=0, checklist=checklist.unproven(old.checklist))
    if change.feedback is not None:
        rejected = (old.status, change.status) in rules.REJECTIONS
        kind = CommentKind.REJECTION if rejected else CommentKind.COMMENT
        await comments.write(db, actor, old, kind, change.feedback)
    await store.save(db, new)
    detail = EventDetail(
        status=new.status, previous=old.status, blocked_reason=new.blocked_reason, attempts=new.attempts
    )
    await tell(db, workspace_id, actor, EventKind.TASK_STATUS, task_id, new.sprint_id, detail)
    return await store.get(db, workspace_id, task_id)
