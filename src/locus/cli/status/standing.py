"""How things stand in a workspace, asked from the control plane at one moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from locus.client.errors import NotFound
from locus.client.plane import ControlPlane
from locus.client.tasks import Filter
from locus.wire.agents import Agent, AgentLiveness
from locus.wire.sprints import Sprint, SprintStatus
from locus.wire.tasks import Status, Task
from locus.wire.work import SprintProgress

T = TypeVar("T")
MOST = 100  # of each list; who has more needs the lists themselves
LOST_SHOWN = timedelta(hours=1)  # a lost agent is news for that long


class Standing(Struct, frozen=True, kw_only=True):
    """What `locus status --json` says."""

    workspace: str
    sprint: Sprint | None
    """The active one."""
    progress: SprintProgress | None
    planned: Sprint | None
    """The oldest sprint that is planned, told when none is active."""
    agents: list[Agent]
    next_up: list[Task]
    """In the order in which agents will take them."""
    reviews: list[Task]
    blocked: list[Task]
    asked_at: datetime


async def ask(plane: ControlPlane, workspace: str) -> Standing:
    """Ask how things stand; `workspace` is its name. Raises PlaneError."""
    now = datetime.now(UTC)
    sprint, progress = await _active(plane)
    following = Filter(view="next", sprint="active")
    reviews, blocked, agents, next_up = await asyncio.gather(
        _first(plane.tasks.all(Filter(status=[Status.IN_REVIEW]))),
        _first(plane.tasks.all(Filter(status=[Status.BLOCKED]))),
        _first(plane.agents.all()),
        _first(plane.tasks.all(following)) if sprint else _nothing(),
    )
    return Standing(
        workspace=workspace,
        sprint=sprint,
        progress=progress,
        planned=None if sprint else await _planned(plane),
        agents=[agent for agent in agents if _is_news(agent, now)],
        next_up=next_up,
        reviews=reviews,
        blocked=blocked,
        asked_at=now,
    )


async def _active(plane: ControlPlane) -> tuple[Sprint | None, SprintProgress | None]:
    try:
        return await asyncio.gather(plane.sprints.get("active"), plane.sprints.progress("active"))
    except NotFound:
        return None, None


async def _first(items: AsyncIterator[T]) -> list[T]:
    found: list[T] = []
    async for item in items:
        found.append(item)
        if len(found) == MOST:
            break
    return found


async def _nothing() -> list[Task]:
    return []


async def _planned(plane: ControlPlane) -> Sprint | None:
    planned = [sprint for sprint in await _first(plane.sprints.all()) if sprint.status is SprintStatus.PLANNED]
    return planned[-1] if planned else None


def _is_news(agent: Agent, now: datetime) -> bool:
    if agent.liveness is AgentLiveness.STOPPED:
        return False
    return agent.liveness is not AgentLiveness.LOST or now - agent.last_heartbeat_at < LOST_SHOWN
