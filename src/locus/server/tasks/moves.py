"""Moving tasks: into another sprint, or to another place in its order, many in one transaction."""

from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from locus.server.db.pool import Db
from locus.server.errors import Invalid
from locus.server.events.log import Actor
from locus.server.tasks import places, references, rules, store
from locus.server.tasks.actions import tell
from locus.wire.events import EventDetail, EventKind
from locus.wire.tasks import Task, TasksMove


@dataclass(frozen=True)
class Anchor:
    """The task beside which others shall stand, and the field that named it."""

    task: Task
    before: bool

    @property
    def field(self) -> str:
        return "before" if self.before else "after"


async def move(db: Db, workspace_id: UUID, actor: Actor, wish: TasksMove) -> list[Task]:
    """Move tasks; those that stand beside an anchor, or come to a new sprint, keep the order of `task_ids`.

    Without an anchor a task that is in the sprint already keeps its place.

    Raises:
        Invalid: nothing to do, an id that is not here, or an anchor of another sprint or priority.
        Conflict: the sprint is completed, or an agent holds a task that would leave its sprint.
    """
    _check_wish(wish)
    await references.lock_structure(db, workspace_id)
    if wish.sprint_id is not UNSET:
        await references.check_sprint(db, workspace_id, wish.sprint_id)
    anchor_id = wish.before or wish.after
    found = await store.lock_many(db, workspace_id, [*wish.task_ids, *([anchor_id] if anchor_id else [])])
    references.check_here(found, "task_ids", wish.task_ids, "task")
    old = [found[task_id] for task_id in wish.task_ids]
    new = [_placed(task, wish) for task in old]
    if anchor_id is not None:
        anchor = Anchor(_anchor(found, wish), wish.before is not None)
        _check_anchor(anchor, new)
        task = anchor.task
        positions = await places.beside(
            db, workspace_id, task.sprint_id, task.priority, task.id, len(new), before=anchor.before
        )
        new = [replace(one, position=position) for one, position in zip(new, positions, strict=True)]
    elif wish.sprint_id is not UNSET:
        last = await places.at_the_end(db, workspace_id, wish.sprint_id)
        arrivals = [one.id for one, was in zip(new, old, strict=True) if one.sprint_id != was.sprint_id]
        place = {task_id: last + index for index, task_id in enumerate(arrivals)}
        new = [replace(one, position=place.get(one.id, one.position)) for one in new]
    for task, was in zip(new, old, strict=True):
        fields = [name for name in ("sprint_id", "priority", "position") if getattr(task, name) != getattr(was, name)]
        if "sprint_id" in fields:
            rules.check_free(was, "move it")
        if fields:
            await store.save(db, task)
            detail = EventDetail(status=task.status, fields=fields)
            await tell(db, workspace_id, actor, EventKind.TASK_MOVED, task.id, task.sprint_id, detail)
    return await store.many(db, workspace_id, wish.task_ids)


def _check_wish(wish: TasksMove) -> None:
    references.check_unlike("task_ids", wish.task_ids)
    if wish.before is not None and wish.after is not None:
        raise Invalid.field("after", "cannot be given together with before")
    if wish.before is None and wish.after is None and wish.sprint_id is UNSET and wish.priority is UNSET:
        raise Invalid.field("sprint_id", "must be given, or before, after or priority: else nothing would move")
    for field, anchor in (("before", wish.before), ("after", wish.after)):
        if anchor in wish.task_ids:
            raise Invalid.field(field, "is one of the tasks that move")


def _anchor(found: dict[UUID, Task], wish: TasksMove) -> Task:
    field, anchor_id = ("before", wish.before) if wish.before is not None else ("after", wish.after)
    if anchor_id is None or anchor_id not in found:
        raise Invalid.field(field, "is no task of this workspace")
    return found[anchor_id]


def _placed(task: Task, wish: TasksMove) -> Task:
    return replace(
        task,
        sprint_id=task.sprint_id if wish.sprint_id is UNSET else wish.sprint_id,
        priority=task.priority if wish.priority is UNSET else wish.priority,
    )


def _check_anchor(anchor: Anchor, moved: list[Task]) -> None:
    # Silently giving them another sprint or priority would be a second decision that nobody made.
    for task in moved:
        if task.sprint_id != anchor.task.sprint_id:
            raise Invalid.field(
                anchor.field, f"is in another sprint than {task.key}: send the sprint_id of {anchor.task.key} too"
            )
        if task.priority is not anchor.task.priority:
            raise Invalid.field(
                anchor.field,
                f"has another priority than {task.key}, and priority goes first: send priority "
                f"{anchor.task.priority.value} too",
            )
