"""Which pull request carries a task's work, as the worker that made it tells."""

from uuid import UUID

from msgspec.structs import replace

from locus.server.db.pool import Db
from locus.server.errors import Conflict
from locus.server.events.log import Actor
from locus.server.tasks import references, store
from locus.server.tasks.actions import tell
from locus.wire.events import EventDetail, EventKind
from locus.wire.tasks import PullRequestLink, Task


async def link(db: Db, workspace_id: UUID, actor: Actor, wish: PullRequestLink) -> list[Task]:
    """Link tasks to the pull request of the branch that has their work; linking them again changes nothing.

    Raises:
        Invalid: an id is not here, or comes twice.
        Conflict: a task's work is not on that branch.
    """
    references.check_unlike("task_ids", wish.task_ids)
    found = await store.lock_many(db, workspace_id, wish.task_ids)
    references.check_here(found, "task_ids", wish.task_ids, "task")
    for task_id in wish.task_ids:
        task = found[task_id]
        if task.branch != wish.branch:
            raise Conflict(f"The work of {task.key} is not on the branch {wish.branch}.", code="not_on_branch")
        if task.pull_request_url == wish.url:
            continue
        await store.save(db, replace(task, pull_request_url=wish.url))
        detail = EventDetail(status=task.status, pull_request_url=wish.url, number=wish.number, commit=wish.head)
        await tell(db, workspace_id, actor, EventKind.TASK_LINKED, task_id, task.sprint_id, detail)
    return await store.many(db, workspace_id, wish.task_ids)
