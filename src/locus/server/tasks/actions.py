"""What people do to a task: create, edit, tick, delete. Rules, rows and the event, in the caller's transaction."""

from uuid import UUID

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from locus.server.db.pool import Db
from locus.server.errors import Conflict, Stale
from locus.server.events.log import Actor, record
from locus.server.tasks import checklist, places, references, rules, store
from locus.server.tasks.rows import CHECKLIST
from locus.wire.events import EventDetail, EventKind
from locus.wire.tasks import ItemEdit, Status, Task, TaskDraft, TaskEdit

DEFAULT_CHECKLIST = "SELECT default_checklist FROM workspaces WHERE id = $1"


async def create(db: Db, workspace_id: UUID, actor: Actor, draft: TaskDraft) -> Task:
    """Create a task at the end of its sprint, with the workspace's default checklist.

    Raises:
        Invalid: a field is wrong, or names something that is not in this workspace.
        Conflict: the sprint is completed.
    """
    references.check_unlike("labels", draft.labels)
    default = CHECKLIST.decode(await db.fetchval(DEFAULT_CHECKLIST, workspace_id))
    items = checklist.with_default(checklist.drafted(draft.checklist), default)
    # From here on tasks are created one after the other: numbers and positions follow each other.
    number = await db.fetchval(store.NEXT_NUMBER, workspace_id)
    await references.check_sprint(db, workspace_id, draft.sprint_id)
    await references.check_parent(db, workspace_id, None, draft.parent_id)
    await references.check_tasks(db, workspace_id, "depends_on", draft.depends_on)
    await references.check_docs(db, workspace_id, draft.doc_ids)
    task_id: UUID = await db.fetchval(
        store.INSERT,
        workspace_id,
        number,
        draft.sprint_id,
        draft.parent_id,
        draft.title,
        draft.description,
        draft.priority.value,
        None if draft.role is None else draft.role.value,
        draft.labels,
        draft.assignee,
        draft.due_on,
        items,
        await places.at_the_end(db, workspace_id, draft.sprint_id),
    )
    if draft.depends_on:
        await store.set_dependencies(db, workspace_id, task_id, draft.depends_on)
    if draft.doc_ids:
        await store.set_docs(db, workspace_id, task_id, draft.doc_ids)
    detail = EventDetail(status=Status.BACKLOG, number=number, title=draft.title)
    await tell(db, workspace_id, actor, EventKind.TASK_CREATED, task_id, draft.sprint_id, detail)
    return await store.get(db, workspace_id, task_id)


async def edit(
    db: Db, workspace_id: UUID, actor: Actor, task_id: UUID, edit: TaskEdit, *, expected: int | None
) -> Task:
    """Change the fields that `edit` has, if the task still has the version `expected` (None: any).

    Raises:
        NotFound: there is no such task here.
        Stale: somebody else has edited it meanwhile.
        Invalid: a field is wrong, or names something that is not in this workspace.
        Conflict: a cycle, a completed sprint, or an agent holds the task.
    """
    if edit.labels is not UNSET:
        references.check_unlike("labels", edit.labels)
    if any(given is not UNSET for given in (edit.sprint_id, edit.parent_id, edit.depends_on)):
        await references.lock_structure(db, workspace_id)
    if edit.sprint_id is not UNSET:
        await _check_sprint_change(db, workspace_id, task_id, edit.sprint_id)
    old = await store.lock(db, workspace_id, task_id)
    check_version(old, expected)
    new = _merged(old, edit)
    fields = [name for name in edit.__struct_fields__ if getattr(new, name) != getattr(old, name)]
    if not fields:
        return old
    if "sprint_id" in fields:
        rules.check_free(old, "change its sprint")
        new = replace(new, position=await places.at_the_end(db, workspace_id, new.sprint_id))
    if "assignee" in fields:
        _check_assignee(old, new)
    if "parent_id" in fields:
        await references.check_parent(db, workspace_id, task_id, new.parent_id)
    if "depends_on" in fields:
        await references.check_tasks(db, workspace_id, "depends_on", new.depends_on)
        if task_id in new.depends_on:
            raise Conflict(f"{old.key} cannot wait for itself.", code="dependency_cycle")
        await store.set_dependencies(db, workspace_id, task_id, new.depends_on)
        await references.check_acyclic(db, workspace_id, task_id)
    if "doc_ids" in fields:
        await references.check_docs(db, workspace_id, new.doc_ids)
        await store.set_docs(db, workspace_id, task_id, new.doc_ids)
    await store.save(db, new)
    detail = EventDetail(status=new.status, fields=fields)
    await tell(db, workspace_id, actor, EventKind.TASK_EDITED, task_id, new.sprint_id, detail)
    return await store.get(db, workspace_id, task_id)


async def edit_item(db: Db, workspace_id: UUID, actor: Actor, task_id: UUID, item_id: str, edit: ItemEdit) -> Task:
    """Change one checklist item; edits of other items at the same time lose nothing.

    Raises:
        NotFound: there is no such task here, or no such item on its checklist.
        Invalid: the item names a check, which only evidence ticks.
    """
    old = await store.lock(db, workspace_id, task_id)
    new = replace(old, checklist=checklist.edited(old.checklist, item_id, edit))
    if new.checklist == old.checklist:
        return old
    await store.save(db, new)
    detail = EventDetail(status=new.status, fields=["checklist"])
    await tell(db, workspace_id, actor, EventKind.TASK_EDITED, task_id, new.sprint_id, detail)
    return await store.get(db, workspace_id, task_id)


async def delete(db: Db, workspace_id: UUID, actor: Actor, task_id: UUID, *, expected: int | None) -> None:
    """Delete a task; tasks that waited for it wait no longer, its children have no parent.

    Raises:
        NotFound: there is no such task here.
        Stale: somebody else has edited it meanwhile.
        Conflict: an agent holds it.
    """
    await references.lock_structure(db, workspace_id)
    task = await store.lock_to_delete(db, workspace_id, task_id)
    check_version(task, expected)
    rules.check_free(task, "delete it")
    bereaved = await store.delete(db, workspace_id, task_id)
    detail = EventDetail(status=task.status, number=task.number, title=task.title)
    await tell(db, workspace_id, actor, EventKind.TASK_DELETED, task_id, task.sprint_id, detail)
    for other in await store.many(db, workspace_id, list(bereaved)):
        detail = EventDetail(status=other.status, fields=bereaved[other.id])
        await tell(db, workspace_id, actor, EventKind.TASK_EDITED, other.id, other.sprint_id, detail)


def check_version(task: Task, expected: int | None) -> None:
    """Refuse an edit that was made from another version than the task has now."""
    if expected is not None and task.version != expected:
        raise Stale(f"{task.key} has been edited since you read it. Read it again, then edit that.")


async def tell(
    db: Db,
    workspace_id: UUID,
    actor: Actor,
    kind: EventKind,
    task_id: UUID,
    sprint_id: UUID | None,
    detail: EventDetail,
) -> None:
    """Record an event of a task; `sprint_id` is the sprint that the task is in after it."""
    await record(db, workspace_id, kind, actor, task_id=task_id, sprint_id=sprint_id, detail=detail)


def _merged(task: Task, edit: TaskEdit) -> Task:
    """The task with the fields that the edit has. Lists of ids are sets: their order says nothing."""
    given = {name: value for name in edit.__struct_fields__ if (value := getattr(edit, name)) is not UNSET}
    if edit.checklist is not UNSET:
        given["checklist"] = checklist.drafted(edit.checklist, task.checklist)
    for name in ("depends_on", "doc_ids"):
        if name in given:
            references.check_unlike(name, given[name])
            if set(given[name]) == set(getattr(task, name)):
                del given[name]
    return msgspec.structs.replace(task, **given)


async def _check_sprint_change(db: Db, workspace_id: UUID, task_id: UUID, sprint_id: UUID | None) -> None:
    # The sprint is locked before the task, as everywhere. A task that is there already may stay, even if it is over.
    if (await store.get(db, workspace_id, task_id)).sprint_id != sprint_id:
        await references.check_sprint(db, workspace_id, sprint_id)


def _check_assignee(old: Task, new: Task) -> None:
    rules.check_free(old, "assign it to a person")
    if old.status is Status.IN_PROGRESS and new.assignee is None:
        raise Conflict(
            f"{old.assignee} is working on {old.key}. Put it back into the backlog first, or name another person.",
            code="task_is_held",
        )
