"""What people do to a plan: propose, approve, reject, cancel. Approval makes everything at once, or nothing."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from locus.server.db.pool import Db
from locus.server.errors import Conflict, NotFound
from locus.server.events.log import INSERT as INSERT_EVENT, Actor, record
from locus.server.plans import rules, store
from locus.server.sprints import actions as sprints, store as sprint_store
from locus.server.tasks import checklist, store as task_store
from locus.server.tasks.actions import DEFAULT_CHECKLIST
from locus.server.tasks.rows import CHECKLIST
from locus.wire.events import EventDetail, EventKind
from locus.wire.plans import Plan, PlanApproval, PlanApproved, PlanDraft, PlanRejection, PlanStatus, PlanTask
from locus.wire.sprints import Sprint, SprintDraft
from locus.wire.tasks import Status


async def propose(db: Db, workspace_id: UUID, actor: Actor, plan_id: UUID, draft: PlanDraft) -> Plan:
    """Write down a plan, or another version of it; the same one again changes nothing.

    Raises:
        Invalid: its tasks do not fit together.
        Conflict: it has been decided about, and this is another version.
    """
    rules.check(draft)
    if await store.insert(db, workspace_id, plan_id, draft, actor.name):
        await _tell(db, workspace_id, actor, EventKind.PLAN_PROPOSED, plan_id, draft)
        return await store.get(db, workspace_id, plan_id)
    plan = await store.lock(db, workspace_id, plan_id)
    if plan.draft == draft:
        return plan
    rules.check_transition(plan.status, PlanStatus.CANCELLED)  # whatever is open may still change
    await db.execute(store.REPLACE, workspace_id, plan_id, msgspec.to_builtins(draft), actor.name)
    await _tell(db, workspace_id, actor, EventKind.PLAN_PROPOSED, plan_id, draft)
    return await store.get(db, workspace_id, plan_id)


async def approve(
    db: Db, workspace_id: UUID, actor: Actor, plan_id: UUID, wish: PlanApproval, *, expected: int | None = None
) -> PlanApproved:
    """Make a sprint of a plan: the sprint, its tasks, what they wait for and their checklists.

    Approving it again answers the same and changes nothing. An active sprint stays the active one.

    Args:
        expected: the version that was looked at; without it, whichever there is now.

    Raises:
        Stale: it waits in another version than `expected`.
        NotFound: there is no such plan here, and `wish` brings none.
        Invalid: its tasks do not fit together.
        Conflict: it was rejected or cancelled, or approved as another version.
    """
    if wish.plan is not None:
        rules.check(wish.plan)
        await store.insert(db, workspace_id, plan_id, wish.plan, actor.name)
    plan = await store.lock(db, workspace_id, plan_id)
    draft = wish.plan or plan.draft
    if plan.status is PlanStatus.APPROVED:
        return await _approved_before(db, plan, draft)
    rules.check_transition(plan.status, PlanStatus.APPROVED)
    rules.check_version(plan.version, expected)
    if draft != plan.draft:
        await db.execute(store.REPLACE, workspace_id, plan_id, msgspec.to_builtins(draft), plan.proposed_by)
    sprint = await sprints.create(db, workspace_id, actor, SprintDraft(name=draft.name, goal=draft.goal))
    task_ids = await _create_tasks(db, workspace_id, actor, sprint, draft.tasks)
    if wish.start:
        await sprint_store.lock_workspace(db, workspace_id)
        if await sprint_store.active(db, workspace_id) is None:
            await sprints.start(db, workspace_id, actor, sprint.id)
    decided = (PlanStatus.APPROVED.value, actor.name, None, sprint.id, task_ids)
    await db.execute(store.DECIDE, workspace_id, plan_id, *decided)
    await _tell(db, workspace_id, actor, EventKind.PLAN_APPROVED, plan_id, draft, sprint_id=sprint.id)
    return await _as_it_is(db, workspace_id, plan_id, sprint.id, task_ids)


async def reject(
    db: Db, workspace_id: UUID, actor: Actor, plan_id: UUID, wish: PlanRejection, *, expected: int | None = None
) -> Plan:
    """Send a plan back with what is wrong with it; with `expected`, only that version.

    Raises:
        Stale: it waits in another version.
        NotFound: there is no such plan here.
        Conflict: it has been decided about.
    """
    return await _decide(db, workspace_id, actor, plan_id, PlanStatus.REJECTED, wish.feedback, expected=expected)


async def cancel(db: Db, workspace_id: UUID, actor: Actor, plan_id: UUID) -> Plan:
    """Give a plan up.

    Raises:
        NotFound: there is no such plan here.
        Conflict: it has been decided about.
    """
    return await _decide(db, workspace_id, actor, plan_id, PlanStatus.CANCELLED, None)


async def _decide(
    db: Db,
    workspace_id: UUID,
    actor: Actor,
    plan_id: UUID,
    wanted: PlanStatus,
    feedback: str | None,
    *,
    expected: int | None = None,
) -> Plan:
    plan = await store.lock(db, workspace_id, plan_id)
    if plan.status is wanted and plan.feedback == feedback:
        return plan
    rules.check_transition(plan.status, wanted)
    rules.check_version(plan.version, expected)
    await db.execute(store.DECIDE, workspace_id, plan_id, wanted.value, actor.name, feedback, None, [])
    kind = EventKind.PLAN_REJECTED if wanted is PlanStatus.REJECTED else EventKind.PLAN_CANCELLED
    await _tell(db, workspace_id, actor, kind, plan_id, plan.draft)
    return await store.get(db, workspace_id, plan_id)


async def _approved_before(db: Db, plan: Plan, draft: PlanDraft) -> PlanApproved:
    if draft != plan.draft:
        raise Conflict(
            "This plan was approved as another version. What it became can be edited as any sprint.",
            code="plan_is_approved",
        )
    if plan.sprint_id is None:
        raise Conflict("The sprint that this plan became was deleted.", code="plan_is_approved")
    task_ids = await db.fetchval(store.TASK_IDS, plan.workspace_id, plan.id)
    return await _as_it_is(db, plan.workspace_id, plan.id, plan.sprint_id, task_ids)


async def _as_it_is(
    db: Db, workspace_id: UUID, plan_id: UUID, sprint_id: UUID, task_ids: Sequence[UUID]
) -> PlanApproved:
    return PlanApproved(
        plan=await store.get(db, workspace_id, plan_id),
        sprint=await sprint_store.get(db, workspace_id, sprint_id),
        tasks=await task_store.many(db, workspace_id, list(task_ids)),
    )


async def _create_tasks(
    db: Db, workspace_id: UUID, actor: Actor, sprint: Sprint, tasks: Sequence[PlanTask]
) -> list[UUID]:
    """All tasks in the order of the plan, with four statements however many they are."""
    default = CHECKLIST.decode(await db.fetchval(DEFAULT_CHECKLIST, workspace_id))
    ids = {task.ref: uuid4() for task in tasks}
    last: int | None = await db.fetchval(store.NUMBERS, workspace_id, len(tasks))
    if last is None:
        raise NotFound
    rows, waits, events = [], [], []
    for at, task in enumerate(tasks):
        number = last - len(tasks) + 1 + at
        items = checklist.with_default(checklist.drafted(task.checklist), default)
        role = None if task.role is None else task.role.value
        words = (task.title, task.description, task.priority.value, role, task.labels, items)
        rows.append((workspace_id, ids[task.ref], number, sprint.id, *words, float(at + 1)))
        waits += [(workspace_id, ids[task.ref], ids[ref]) for ref in dict.fromkeys(task.depends_on)]
        detail = msgspec.to_builtins(EventDetail(status=Status.BACKLOG, number=number, title=task.title))
        told = (actor.kind.value, actor.id, actor.name, detail)
        events.append((workspace_id, EventKind.TASK_CREATED.value, ids[task.ref], sprint.id, *told))
    await db.executemany(store.INSERT_TASK, rows)
    await db.executemany(store.INSERT_DEPENDENCY, waits)
    await db.executemany(INSERT_EVENT, events)
    return list(ids.values())


async def _tell(
    db: Db,
    workspace_id: UUID,
    actor: Actor,
    kind: EventKind,
    plan_id: UUID,
    draft: PlanDraft,
    *,
    sprint_id: UUID | None = None,
) -> None:
    detail = EventDetail(plan_id=plan_id, title=draft.name, number=len(draft.tasks))
    await record(db, workspace_id, kind, actor, sprint_id=sprint_id, detail=detail)
