"""Agents: the machines that work here, what they do now, and what each has done."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.dashboard import answers
from locus.server.dashboard.page import Page
from locus.server.dashboard.toast import Toast
from locus.server.dispatch import agents as crew, leases, past
from locus.server.errors import Conflict
from locus.server.events.log import Log
from locus.server.settings import Timing
from locus.wire.agents import AgentLiveness

SHOWN = 100
ATTEMPTS = 50
AWAY = (AgentLiveness.STOPPED, AgentLiveness.LOST)
ALL = "/w/{workspace:str}/agents"
ONE = ALL + "/{agent:uuid}"


@get(ALL)
async def agents(
    page: NamedDependency[Page], log: NamedDependency[Log], timing: NamedDependency[Timing]
) -> Response[bytes]:
    """Who is here, and who was."""
    found = await crew.page(log.pool, page.id, after=None, limit=SHOWN, timing=timing)
    return page.render(
        "agents/all.html",
        here="agents",
        present=[agent for agent in found if agent.liveness not in AWAY],
        away=[agent for agent in found if agent.liveness in AWAY],
        lease_ms=timing.lease_ms,
    )


@get(ONE)
async def agent(
    page: NamedDependency[Page], log: NamedDependency[Log], timing: NamedDependency[Timing], agent: FromPath[UUID]
) -> Response[bytes]:
    """One agent and its attempts."""
    return page.render(
        "agents/one.html",
        here="agents",
        agent=await crew.get(log.pool, page.id, agent, timing),
        done=await past.of_agent(log.pool, page.id, agent, limit=ATTEMPTS),
        lease_ms=timing.lease_ms,
    )


@post(ONE + "/cancel")
async def cancel(
    page: NamedDependency[Page], log: NamedDependency[Log], timing: NamedDependency[Timing], agent: FromPath[UUID]
) -> Response[Any]:
    """Ask the agent to stop what it is doing now."""
    page.require()
    async with log.transaction() as db:
        found = await crew.get(db, page.id, agent, timing)
        if found.task_id is None:
            raise Conflict(f"{found.name} has no task now.")
        await leases.cancel(db, page.id, found.task_id, page.actor)
    said = f"{found.name} is asked to stop. {found.task_key} then waits for you."
    return answers.done(page, f"/agents/{agent}", Toast(said))


ROUTES = [agents, agent, cancel]
