"""Routes of dispatch: claim a task, keep its lease, tell how the attempt ended, ask for its end."""

from uuid import UUID, uuid4

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth.bearer import principal_of
from locus.server.auth.principals import Principal
from locus.server.dispatch import held, leases, needs_api, outcomes, waiting
from locus.server.dispatch.agents_api import ROUTES as AGENTS
from locus.server.dispatch.claims import Ask, Granted, Over, Spent, Unknown
from locus.server.dispatch.coalesce import Desks, give_back
from locus.server.dispatch.leases import Holder
from locus.server.errors import Conflict, Invalid, LeaseLost, NotFound
from locus.server.events.log import Actor, Log
from locus.server.http.idempotency import once
from locus.server.http.requests import Request, idempotency_key
from locus.server.settings import Timing
from locus.server.sprints import store as sprints
from locus.server.tasks import store as tasks
from locus.wire.tasks import Task
from locus.wire.work import (
    Claim,
    Claimed,
    Completion,
    Failure,
    HeldClaim,
    OutcomeRecorded,
    Release,
    Renewal,
    Renewed,
    SprintProgress,
)
from locus.wire.workspaces import Purpose

WORKSPACE = "/workspaces/{workspace_id:uuid}"
LEASE = WORKSPACE + "/tasks/{task:str}/lease"
BUDGET_SPENT = (
    "The workspace has spent its budget of 24 hours, and its settings say that agents get no task until then."
)


@post(WORKSPACE + "/dispatch/claim", operation_id="claim_task", tags=["dispatch"], status_code=200)
async def claim_task(
    workspace_id: FromPath[UUID],
    request: Request,
    # Alone: several dependencies are resolved in a group of tasks, which costs as much as all the rest of the routing.
    desks: NamedDependency[Desks],
    data: JSONBody[Claim],
) -> Claimed:
    """Claim the next task. The same claim with the same Idempotency-Key gets the same lease, while it lasts.

    With `again`, nothing is claimed: the answer is only what that claim got before.
    """
    principal, log = principal_of(request), desks.log
    principal.enter(workspace_id, Purpose.WORKER)
    key = idempotency_key(request)
    ask = Ask(data.agent_id, principal.id, None if key is None else f"{principal.id}:{key}", again=data.again)
    async with waiting.requester(request.receive) as who:
        if data.wait_ms and data.sprint_id is not None:
            await _progress(log, workspace_id, data.sprint_id)  # nobody waits for a sprint that is not there
        reply = await waiting.claim(desks, workspace_id, data.sprint_id, ask, who, data.wait_ms / 1000)
        if isinstance(reply, Granted):
            if reply.fresh and who.gone():
                await give_back(log, workspace_id, ask, reply)
            elif not _same(data, reply.snapshot.task):
                raise Invalid(
                    "This Idempotency-Key was used before with another body. Use a new key for a new request.",
                    code="idempotency_key_reused",
                )
            return Claimed(lease=reply.lease, snapshot=reply.snapshot, progress=None)
    if isinstance(reply, Unknown):
        raise NotFound
    if isinstance(reply, Spent):
        raise Conflict(BUDGET_SPENT, code="budget_spent")
    if isinstance(reply, Over):
        raise LeaseLost("The lease that this claim was given has ended. Claim again, with a new Idempotency-Key.")
    return Claimed(lease=None, snapshot=None, progress=await _progress(log, workspace_id, data.sprint_id))


def _same(data: Claim, task: Task) -> bool:
    return task.agent_id == data.agent_id and data.sprint_id in (None, task.sprint_id)


async def _progress(log: Log, workspace_id: UUID, sprint_id: UUID | None) -> SprintProgress | None:
    """How far the sprint is; None when none is named and none is active.

    Raises:
        NotFound: the named one is not here.
    """
    named = sprint_id is not None
    if sprint_id is None:
        sprint_id = await sprints.active(log.pool, workspace_id)
    progress = None if sprint_id is None else await sprints.progress(log.pool, workspace_id, sprint_id)
    if progress is None and named:
        raise NotFound
    return progress


@post(LEASE, operation_id="take_held_task", tags=["dispatch"], status_code=200)
async def take_held_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
    data: JSONBody[HeldClaim],
) -> Response[Claimed]:
    """Let held work through: a person has looked at it, and their own agent proves and delivers exactly that."""
    principal.enter(workspace_id, Purpose.MEMBER)
    ask = Ask(data.agent_id, principal.id, f"{principal.id}:{idempotency_key(request) or uuid4()}")
    async with log.transaction(work=workspace_id) as db:

        async def act() -> Claimed:
            task_id = await tasks.find(db, workspace_id, task)
            actor = Actor.of(principal)
            return await held.take(db, workspace_id, task_id, actor, ask, fence=data.fence, timing=timing)

        return await once(db, request, principal, act, status=200)


@post(LEASE + "/renew", operation_id="renew_lease", tags=["dispatch"], status_code=200)
async def renew_lease(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
    data: JSONBody[Renewal],
) -> Renewed:
    """Keep a lease; also tells whether somebody wants the work to stop."""
    principal.enter(workspace_id, Purpose.WORKER)
    task_id = await tasks.find(log.pool, workspace_id, task)
    return await leases.renew(log.pool, Holder(workspace_id, task_id, data.fence, principal.id), data.phase, timing)


@post(LEASE + "/complete", operation_id="complete_task", tags=["dispatch"], status_code=200)
async def complete_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[Completion],
) -> Response[OutcomeRecorded]:
    """Report that the commit is on the remote and its checks are green: the task is in review."""
    principal.enter(workspace_id, Purpose.WORKER)
    async with log.transaction(work=workspace_id) as db:
        holder = Holder(workspace_id, await tasks.find(db, workspace_id, task), data.fence, principal.id)

        async def act() -> OutcomeRecorded:
            return OutcomeRecorded(task=await outcomes.complete(db, holder, data))

        return await once(db, request, principal, act, status=200)


@post(LEASE + "/fail", operation_id="fail_task", tags=["dispatch"], status_code=200)
async def fail_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[Failure],
) -> Response[OutcomeRecorded]:
    """Report that the attempt has failed, and why: the task is tried again, or waits for a person."""
    principal.enter(workspace_id, Purpose.WORKER)
    async with log.transaction(work=workspace_id) as db:
        holder = Holder(workspace_id, await tasks.find(db, workspace_id, task), data.fence, principal.id)

        async def act() -> OutcomeRecorded:
            return OutcomeRecorded(task=await outcomes.fail(db, holder, data))

        return await once(db, request, principal, act, status=200)


@post(LEASE + "/release", operation_id="release_task", tags=["dispatch"], status_code=200)
async def release_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[Release],
) -> Response[OutcomeRecorded]:
    """Give the task back unharmed; no attempt is used up."""
    principal.enter(workspace_id, Purpose.WORKER)
    async with log.transaction(work=workspace_id) as db:
        holder = Holder(workspace_id, await tasks.find(db, workspace_id, task), data.fence, principal.id)

        async def act() -> OutcomeRecorded:
            return OutcomeRecorded(task=await outcomes.release(db, holder, data))

        return await once(db, request, principal, act, status=200)


@post(LEASE + "/cancel", operation_id="cancel_task", tags=["dispatch"], status_code=200)
async def cancel_task(
    workspace_id: FromPath[UUID],
    task: FromPath[str],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Task]:
    """Ask the worker that has the task to stop. The task then waits for a person."""
    principal.enter(workspace_id, Purpose.MEMBER)
    async with log.transaction() as db:
        task_id = await tasks.find(db, workspace_id, task)
        return await once(
            db, request, principal, lambda: leases.cancel(db, workspace_id, task_id, Actor.of(principal)), status=200
        )


ROUTES = [
    claim_task,
    take_held_task,
    renew_lease,
    complete_task,
    fail_task,
    release_task,
    cancel_task,
    *AGENTS,
    *needs_api.ROUTES,
]
