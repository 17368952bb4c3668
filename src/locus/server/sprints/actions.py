"""What people do to a sprint: create, edit, start, complete, delete. Rules, rows and the events, in one transaction."""

from uuid import UUID

from asyncpg import Record
from msgspec import UNSET
from msgspec.structs import replace

from locus.server.db.pool import Db
from locus.server.errors import Conflict, Invalid, Stale
from locus.server.events.log import Actor, record
from locus.server.sprints import rules, store
from locus.server.tasks import places, references
from locus.wire.events import EventDetail, EventKind
from locus.wire.sprints import OpenTasks, Sprint, SprintCompletion, SprintDraft, SprintEdit, SprintStatus
from locus.wire.tasks import Status


async def create(db: Db, workspace_id: UUID, actor: Actor, draft: SprintDraft) -> Sprint:
    """Create a planned sprint.

    Raises:
        Invalid: it would end before it starts.
    """
    rules.check_dates(draft.starts_on, draft.ends_on)
    sprint_id = await store.insert(db, workspace_id, draft)
    sprint = await store.get(db, workspace_id, sprint_id)
    detail = EventDetail(sprint_status=sprint.status, number=sprint.number, title=sprint.name)
    await record(db, workspace_id, EventKind.SPRINT_CREATED, actor, sprint_id=sprint_id, detail=detail)
    return sprint


async def edit(
    db: Db, workspace_id: UUID, actor: Actor, sprint_id: UUID, edit: SprintEdit, *, expected: int | None
) -> Sprint:
    """Change the fields that `edit` has, if the sprint still has the version `expected` (None: any).

    Raises:
        NotFound: there is no such sprint here.
        Stale: somebody else has edited it meanwhile.
        Invalid: it would end before it starts.
    """
    old = await store.lock(db, workspace_id, sprint_id)
    check_version(old, expected)
    new = replace(
        old, **{name: value for name in edit.__struct_fields__ if (value := getattr(edit, name)) is not UNSET}
    )
    rules.check_dates(new.starts_on, new.ends_on)
    fields = [name for name in edit.__struct_fields__ if getattr(new, name) != getattr(old, name)]
    if not fields:
        return old
    await store.save(db, new)
    detail = EventDetail(sprint_status=new.status, fields=fields)
    await record(db, workspace_id, EventKind.SPRINT_EDITED, actor, sprint_id=sprint_id, detail=detail)
    return await store.get(db, workspace_id, sprint_id)


async def start(db: Db, workspace_id: UUID, actor: Actor, sprint_id: UUID) -> Sprint:
    """Make a planned sprint the active one.

    Raises:
        NotFound: there is no such sprint here.
        Conflict: it is not planned, or another one is active.
    """
    await store.lock_workspace(db, workspace_id)
    sprint = await store.lock(db, workspace_id, sprint_id)
    rules.check_transition(sprint, SprintStatus.ACTIVE)
    if (active_id := await store.active(db, workspace_id)) is not None:
        active = await store.get(db, workspace_id, active_id)
        raise Conflict(
            f"Sprint {active.number} ({active.name}) is active. Complete it before you start sprint {sprint.number}.",
            code="another_sprint_is_active",
        )
    await db.execute(store.START, workspace_id, sprint_id)
    detail = EventDetail(sprint_status=SprintStatus.ACTIVE, number=sprint.number)
    await record(db, workspace_id, EventKind.SPRINT_STARTED, actor, sprint_id=sprint_id, detail=detail)
    return await store.get(db, workspace_id, sprint_id)


async def complete(db: Db, workspace_id: UUID, actor: Actor, sprint_id: UUID, wish: SprintCompletion) -> Sprint:
    """Complete the active sprint. Nothing is approved by it: open tasks go where `wish` says, as they are.

    Raises:
        NotFound: there is no such sprint here.
        Conflict: it is not active, an agent is at work in it, or tasks are not done and `wish` says nothing of them.
        Invalid: the next sprint is not a planned one of this workspace.
    """
    await references.lock_structure(db, workspace_id)
    await store.lock_workspace(db, workspace_id)
    await store.lock(db, workspace_id, sprint_id)
    unfinished = await db.fetch(store.LOCK_UNFINISHED, workspace_id, sprint_id)
    sprint = await store.get(db, workspace_id, sprint_id)
    rules.check_transition(sprint, SprintStatus.COMPLETED)
    check_no_agent(sprint, unfinished)
    rules.check_completion(sprint, wish)
    if wish.open_tasks is OpenTasks.TO_NEXT_SPRINT:
        await resettle(db, actor, sprint, unfinished, await next_sprint(db, workspace_id, wish))
    elif wish.open_tasks is OpenTasks.TO_BACKLOG:
        await resettle(db, actor, sprint, unfinished, None)
    await db.execute(store.COMPLETE, workspace_id, sprint_id)
    detail = EventDetail(sprint_status=SprintStatus.COMPLETED, number=sprint.number)
    await record(db, workspace_id, EventKind.SPRINT_COMPLETED, actor, sprint_id=sprint_id, detail=detail)
    return await store.get(db, workspace_id, sprint_id)


async def delete(db: Db, workspace_id: UUID, actor: Actor, sprint_id: UUID, *, expected: int | None) -> None:
    """Delete a sprint that is planned or empty; its tasks go to the backlog.

    Raises:
        NotFound: there is no such sprint here.
        Stale: somebody else has edited it meanwhile.
        Conflict: work was done in it, or an agent is at work in it.
    """
    await references.lock_structure(db, workspace_id)
    await store.lock(db, workspace_id, sprint_id)
    tasks = await db.fetch(store.LOCK_ALL, workspace_id, sprint_id)
    sprint = await store.get(db, workspace_id, sprint_id)
    check_version(sprint, expected)
    rules.check_deletable(sprint)
    check_no_agent(sprint, tasks)
    await resettle(db, actor, sprint, tasks, None)
    await db.execute(store.DELETE, workspace_id, sprint_id)
    detail = EventDetail(sprint_status=sprint.status, number=sprint.number, title=sprint.name)
    await record(db, workspace_id, EventKind.SPRINT_DELETED, actor, sprint_id=sprint_id, detail=detail)


async def next_sprint(db: Db, workspace_id: UUID, wish: SprintCompletion) -> UUID:
    """The planned sprint that takes the open tasks: the named one, else the one with the lowest number."""
    chosen = wish.next_sprint_id or await store.first_planned(db, workspace_id)
    if chosen is None:
        raise Invalid.field("next_sprint_id", "must be given: no sprint is planned")
    status = await db.fetchval(references.SPRINT, workspace_id, chosen)
    if status is None:
        raise Invalid.field("next_sprint_id", "is no sprint of this workspace")
    if status != SprintStatus.PLANNED.value:
        raise Invalid.field("next_sprint_id", "must be a planned sprint")
    return chosen


async def resettle(db: Db, actor: Actor, sprint: Sprint, tasks: list[Record], to: UUID | None) -> None:
    """Move locked tasks out of `sprint` to the end of another one (None: the backlog), each with its event."""
    if not tasks:
        return
    position = await places.at_the_end(db, sprint.workspace_id, to)
    moved = await store.resettle(db, sprint.workspace_id, [row["id"] for row in tasks], to, position)
    for row in moved:
        detail = EventDetail(status=Status(row["status"]), fields=["sprint_id"])
        await record(
            db, sprint.workspace_id, EventKind.TASK_MOVED, actor, task_id=row["id"], sprint_id=to, detail=detail
        )


def check_no_agent(sprint: Sprint, tasks: list[Record]) -> None:
    """Refuse while agents hold tasks of the sprint."""
    held = sum(row["held"] for row in tasks)
    if held:
        many = "An agent is" if held == 1 else f"{held} agents are"
        raise Conflict(
            f"{many} working in sprint {sprint.number}. Cancel the work or wait until it ends.", code="task_is_held"
        )


def check_version(sprint: Sprint, expected: int | None) -> None:
    """Refuse an edit that was made from another version than the sprint has now."""
    if expected is not None and sprint.version != expected:
        raise Stale(f"Sprint {sprint.number} has been edited since you read it. Read it again, then edit that.")
