"""Looking: how things stand, tasks, events, agents. Nothing here changes anything."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from locus.client.errors import NotFound
from locus.client.plane import ControlPlane
from locus.client.tasks import Filter
from locus.local.text import duration
from locus.telegram import views
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.markup import Line, bold, code, plain
from locus.telegram.outbox import Rows
from locus.telegram.presses import Approve, Reject, Run
from locus.wire.agents import AgentLiveness
from locus.wire.sprints import Sprint
from locus.wire.tasks import Status, Task

T = TypeVar("T")
SHOWN = 15  # tasks or sprints of one message

OPEN = tuple(status for status in Status if status is not Status.DONE)


async def some(items: AsyncIterator[T], most: int) -> list[T]:
    """The first of a list."""
    found: list[T] = []
    async for item in items:
        found.append(item)
        if len(found) >= most:
            break
    return found


async def active(plane: ControlPlane) -> Sprint | None:
    try:
        return await plane.sprints.get("active")
    except NotFound:
        return None


def judging(asked: Asked, task: Task) -> Rows:
    """Buttons for work that can be judged: they count for this attempt alone."""
    project = asked.project or ""
    if task.status is not Status.IN_REVIEW:
        return ()
    return [
        [
            asked.button("✓ Approve", Approve(project, task.key, task.fence)),
            asked.button("✗ Reject", Reject(project, task.key, task.fence)),
        ]
    ]


async def _status(asked: Asked, _: Order) -> None:
    jobs = asked.desk.jobs.running()
    told: list[Line] = ["<b>On this machine</b>"]
    told += [
        f"◐ job {job.id} · {plain(job.title)} · {plain(job.project)} · {duration(job.seconds)}" for job in jobs
    ] or ["nothing is at work"]
    plane = await asked.plane()
    sprint, agents = await asyncio.gather(active(plane), some(plane.agents.all(), 50))
    told += ["", *(views.sprint(sprint) if sprint else ["No sprint is active."])]
    told += [views.agent_line(agent) for agent in agents if agent.liveness is not AgentLiveness.STOPPED][:8]
    asked.say(told)


async def _dashboard(asked: Asked, _: Order) -> None:
    plane = await asked.plane()
    sprint, reviews, blocked, agents = await asyncio.gather(
        active(plane),
        some(plane.tasks.all(Filter(status=[Status.IN_REVIEW])), SHOWN + 1),
        some(plane.tasks.all(Filter(status=[Status.BLOCKED])), SHOWN + 1),
        some(plane.agents.all(), 50),
    )
    told: list[Line] = [*(views.sprint(sprint) if sprint else ["No sprint is active. /sprints"])]
    working = [agent for agent in agents if agent.liveness is not AgentLiveness.STOPPED]
    told += ["", *(views.agent_line(agent) for agent in working[:8])] if working else []
    if reviews:
        told += ["", *views.tasks(reviews, title="For you to review", most=8, none="")]
    if blocked:
        told += ["", *views.tasks(blocked, title="Blocked", most=8, none="")]
    if not reviews and not blocked:
        told += ["", "Nothing waits for you."]
    buttons = []
    if asked.project is not None:
        shown = [Run(Order(verb="task", key=task.key), asked.project) for task in reviews[:3]]
        buttons = [[asked.button(f"◉ {one.order.key}", one, once=False) for one in shown]] if shown else []
    asked.say(told, buttons=buttons)


async def _activity(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    events = await some(plane.events.newest(), order.number or 10)
    keys: dict[UUID, str] = {}
    for one in {event.task_id for event in events if event.task_id is not None}:
        try:
            keys[one] = (await plane.tasks.get(one)).key
        except NotFound:
            keys[one] = "a deleted task"
    now = datetime.now(UTC)
    asked.say([views.event_line(event, keys, now=now) for event in events] or ["Nothing has happened yet."])


async def _agents(asked: Asked, _: Order) -> None:
    plane = await asked.plane()
    agents = await some(plane.agents.all(), 50)
    living = [agent for agent in agents if agent.liveness is not AgentLiveness.STOPPED]
    asked.say([views.agent_line(agent) for agent in living] or ["No agent is at work. /run starts one here."])


async def _workspace(asked: Asked, _: Order) -> None:
    site = await asked.site()
    me = await site.plane.me()
    assert site.plane.workspace_id is not None
    workspace = await site.plane.workspaces.get(site.plane.workspace_id)
    asked.say(
        [
            f"{bold(workspace.name)} ({plain(workspace.prefix)}) of {plain(me.organization.name)}",
            f"server {code(site.plane.url)}",
            f"key {bold(me.name)}, {plain(me.purpose.value)}",
            f"project {bold(site.name)}",
        ]
    )


async def _tasks(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    wanted = [Status(order.word)] if order.word else OPEN
    found = await some(plane.tasks.all(Filter(status=wanted)), 101)
    title = f"Tasks {order.word.lower().replace('_', ' ')}" if order.word else "Open tasks"
    asked.say(views.tasks(found, title=title, most=SHOWN, none="No task matches."))


async def _backlog(asked: Asked, _: Order) -> None:
    plane = await asked.plane()
    found = await some(plane.tasks.all(Filter(view="next", sprint="active")), SHOWN + 1)
    asked.say(views.tasks(found, title="Next up", most=SHOWN, none="Agents have nothing to take."))


async def _task(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    assert order.key is not None
    task = await plane.tasks.get(order.key)
    comments, attempts = await asyncio.gather(
        some(plane.tasks.comments(task.id), 200), some(plane.tasks.attempts(task.id), 3)
    )
    number = (await plane.sprints.get(task.sprint_id)).number if task.sprint_id else None
    keys: dict[UUID, str] = {}
    for one in task.depends_on[:10]:
        keys[one] = (await plane.tasks.get(one)).key
    told = views.task(task, sprint=number, keys=keys, comments=comments, attempts=attempts)
    asked.say(told, buttons=judging(asked, task))


HANDLERS: Mapping[str, Handler] = {
    "status": _status,
    "dashboard": _dashboard,
    "activity": _activity,
    "agents": _agents,
    "workspace": _workspace,
    "tasks": _tasks,
    "task": _task,
    "backlog": _backlog,
}
