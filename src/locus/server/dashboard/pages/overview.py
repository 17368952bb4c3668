"""The overview: what needs the reader, how the sprint goes, who works, what happened."""

from litestar import Response, get
from litestar.di import NamedDependency

from locus.server.dashboard.charts.burndown import burndown
from locus.server.dashboard.page import Page
from locus.server.dashboard.sentences import sentences
from locus.server.dispatch import agents, needs
from locus.server.events import activity, subjects
from locus.server.events.log import Log
from locus.server.settings import Timing
from locus.server.sprints import figures, reports, store
from locus.wire.agents import AgentLiveness

AGENTS, EVENTS, NEEDS = 12, 12, 12
AWAY = (AgentLiveness.STOPPED, AgentLiveness.LOST)


@get("/w/{workspace:str}")
async def overview(
    page: NamedDependency[Page], log: NamedDependency[Log], timing: NamedDependency[Timing]
) -> Response[bytes]:
    """Needs you, the sprint, agents now, cost of the last day, activity."""
    waiting = await needs.of_workspace(log.pool, page.id, limit=NEEDS)
    active = await store.active(log.pool, page.id)
    report = None if active is None else await reports.of_sprint(log.pool, page.id, active)
    crew = await agents.page(log.pool, page.id, after=None, limit=AGENTS, timing=timing)
    spent, budget = await figures.last_day(log.pool, page.id)
    events = await activity.newest(log.pool, page.id, activity.Filter(), limit=EVENTS)
    names = await subjects.of_events(log.pool, page.id, events)
    return page.render(
        "overview/page.html",
        here="overview",
        needs=waiting,
        report=report,
        chart=None if report is None else burndown(report),
        agents=[agent for agent in crew if agent.liveness not in AWAY],
        known_agents=bool(crew),
        spent=spent,
        budget=budget,
        lines=sentences(events, names),
    )


ROUTES = [overview]
