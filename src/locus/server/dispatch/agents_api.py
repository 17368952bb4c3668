"""Routes of agents: register, look, and say that one lives."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from locus.server.auth.principals import Principal
from locus.server.dispatch import agents, leases
from locus.server.dispatch.leases import Holder
from locus.server.errors import LeaseLost, NotFound
from locus.server.events.log import Actor, Log
from locus.server.http.idempotency import once
from locus.server.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from locus.server.http.requests import Request
from locus.server.settings import Timing
from locus.wire.agents import Agent, AgentRegistration, Heartbeat, HeartbeatAnswer
from locus.wire.base import Moment, Page
from locus.wire.workspaces import Purpose

AGENTS = "/workspaces/{workspace_id:uuid}/agents"
ONE = AGENTS + "/{agent_id:uuid}"


@post(AGENTS, operation_id="register_agent", tags=["agents"])
async def register_agent(
    workspace_id: FromPath[UUID],
    request: Request,
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
    data: JSONBody[AgentRegistration],
) -> Response[Agent]:
    """Register a worker. Only the key that registered it may act for it."""
    principal.enter(workspace_id, Purpose.WORKER)
    actor = Actor.of(principal)
    async with log.transaction() as db:
        return await once(
            db, request, principal, lambda: agents.register(db, workspace_id, principal.id, data, actor, timing)
        )


@get(AGENTS, operation_id="list_agents", tags=["agents"])
async def list_agents(
    workspace_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Agent]:
    """List agents, the newest first, with how they are by the database's clock."""
    principal.enter(workspace_id, Purpose.READ)
    after = decode_cursor(cursor, tuple[Moment, UUID])
    found = await agents.page(log.pool, workspace_id, after=after, limit=limit + 1, timing=timing)
    shown = found[:limit]
    last = encode_cursor((shown[-1].registered_at, shown[-1].id)) if len(found) > limit else None
    return Page(items=shown, next_cursor=last)


@get(ONE, operation_id="get_agent", tags=["agents"])
async def get_agent(
    workspace_id: FromPath[UUID],
    agent_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
) -> Agent:
    """Read an agent."""
    principal.enter(workspace_id, Purpose.READ)
    return await agents.get(log.pool, workspace_id, agent_id, timing)


@post(ONE + "/heartbeat", operation_id="agent_heartbeat", tags=["agents"], status_code=200)
async def agent_heartbeat(
    workspace_id: FromPath[UUID],
    agent_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    log: NamedDependency[Log],
    timing: NamedDependency[Timing],
    data: JSONBody[Heartbeat],
) -> HeartbeatAnswer:
    """Say that an agent lives and what it is doing, and keep its lease."""
    principal.enter(workspace_id, Purpose.WORKER)
    async with log.transaction() as db:
        await agents.beat(db, workspace_id, agent_id, principal.id, data)
        if data.lease is None:
            return HeartbeatAnswer(lease_held=None, lease_expires_in_ms=None, cancel_requested=False)
        holder = Holder(workspace_id, data.lease.task_id, data.lease.fence, principal.id)
        try:
            renewed = await leases.renew(db, holder, data.lease.phase, timing)
        except (LeaseLost, NotFound):
            return HeartbeatAnswer(lease_held=False, lease_expires_in_ms=None, cancel_requested=False)
    return HeartbeatAnswer(
        lease_held=True, lease_expires_in_ms=renewed.expires_in_ms, cancel_requested=renewed.cancel_requested
    )


ROUTES = [register_agent, list_agents, get_agent, agent_heartbeat]
