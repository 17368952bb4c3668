"""Routes of plans."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from locus.server.auth.principals import Principal
from locus.server.events.log import Actor, Log
from locus.server.http.conditional import tagged
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.plans import actions, rules, store
from locus.wire.base import MAX_DOC_BODY, Moment, Page
from locus.wire.plans import (
    MOST_TASKS,
    Plan,
    PlanApproval,
    PlanApproved,
    PlanForecast,
    PlanProposal,
    PlanRejection,
    PlanStatus,
)
from locus.wire.workspaces import Purpose

PLANS = "/workspaces/{workspace_id:uuid}/plans"
ONE = PLANS + "/{plan_id:uuid}"

Tasks = Annotated[int, QueryParameter(ge=1, le=MOST_TASKS, description="For how many tasks.")]


@get(PLANS, operation_id="list_plans", tags=["plans"])
async def list_plans(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    status: FromQuery[PlanStatus | None] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Plan]:
    """List plans, the newest first."""
    principal.enter(workspace_id, Purpose.READ)
    after = decode_cursor(cursor, tuple[Moment, UUID])
    found = await store.page(log.pool, workspace_id, status=status, after=after, limit=limit + 1)
    shown = found[:limit]
    last = encode_cursor((shown[-1].created_at, shown[-1].id)) if len(found) > limit else None
    return Page(items=shown, next_cursor=last)


@get(PLANS + "/forecast", operation_id="get_forecast", tags=["plans"])
async def get_forecast(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    tasks: Tasks,
) -> PlanForecast:
    """Tell what so many tasks may cost and take, from what finished tasks of this workspace did."""
    principal.enter(workspace_id, Purpose.READ)
    return rules.forecast(tasks, await store.history(log.pool, workspace_id))


@get(ONE, operation_id="get_plan", tags=["plans"])
async def get_plan(
    workspace_id: FromPath[UUID],
    plan_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Plan]:
    """Read a plan."""
    principal.enter(workspace_id, Purpose.READ)
    return tagged(await store.get(log.pool, workspace_id, plan_id))


@post(PLANS, operation_id="propose_plan", tags=["plans"], request_max_body_size=MAX_DOC_BODY)
async def propose_plan(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[PlanProposal],
) -> Response[Plan]:
    """Send a plan for somebody to decide about; the id is yours, and sending it again changes nothing."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction() as db:
        return await once(db, request, principal, lambda: actions.propose(db, workspace_id, actor, data.id, data.plan))


@post(
    ONE + "/approve", operation_id="approve_plan", tags=["plans"], status_code=200, request_max_body_size=MAX_DOC_BODY
)
async def approve_plan(
    workspace_id: FromPath[UUID],
    plan_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[PlanApproval],
) -> Response[PlanApproved]:
    """Turn a plan into a sprint with its tasks, all or nothing; approving it again changes nothing."""
    principal.enter(workspace_id, Purpose.MEMBER)
    actor = Actor.of(principal)
    async with log.transaction(work=workspace_id) as db:
        return await once(
            db, request, principal, lambda: actions.approve(db, workspace_id, actor, plan_id, data), status=200
        )


@post(ONE + "/reject", operation_id="reject_plan", tags=["plans"], status_code=200)
async def reject_plan(
    workspace_id: FromPath[UUID],
    plan_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    data: JSONBody[PlanRejection],
) -> Response[Plan]:
    """Send a plan back, saying what is wrong with it."""
    principal.enter(workspace_id, Purpose.MEMBER)
    async with log.transaction() as db:
        return tagged(await actions.reject(db, workspace_id, Actor.of(principal), plan_id, data))


@post(ONE + "/cancel", operation_id="cancel_plan", tags=["plans"], status_code=200)
async def cancel_plan(
    workspace_id: FromPath[UUID],
    plan_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
) -> Response[Plan]:
    """Give a plan up."""
    principal.enter(workspace_id, Purpose.MEMBER)
    async with log.transaction() as db:
        return tagged(await actions.cancel(db, workspace_id, Actor.of(principal), plan_id))


ROUTES = [list_plans, get_forecast, get_plan, propose_plan, approve_plan, reject_plan, cancel_plan]
