"""Looking at tasks: list and show."""

import asyncio
from uuid import UUID

import click
from msgspec import Struct

from locus.cli import board, session
from locus.cli.frame import command
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.params import TASK, OneOf, SprintName
from locus.client.errors import NotFound
from locus.client.plane import ControlPlane
from locus.client.tasks import Filter
from locus.wire.tasks import BlockedReason, Comment, Priority, Role, Status, Task
from locus.wire.work import Attempt

OPEN = tuple(status for status in Status if status is not Status.DONE)


class Shown(Struct, frozen=True):
    """What `locus tasks show --json` says."""

    task: Task
    comments: list[Comment]
    attempts: list[Attempt]


@command("list")
@click.option("--status", "-s", type=OneOf(Status), multiple=True, help="Only tasks with this status; repeatable.")
@click.option("--all", "everything", is_flag=True, help="Also tasks that are done.")
@click.option("--sprint", type=SprintName("active", "none"), help="Only tasks of a sprint: active, none or a number.")
@click.option("--priority", "-p", type=OneOf(Priority), multiple=True, help="Only this priority; repeatable.")
@click.option("--role", type=OneOf(Role), multiple=True, help="Only this role; repeatable.")
@click.option("--label", "-l", multiple=True, metavar="LABEL", help="Only tasks with this label; repeatable.")
@click.option("--assignee", metavar="NAME", help="Only tasks assigned to this person.")
@click.option("--text", "-t", metavar="TEXT", help="Only tasks with this text in key, title or description.")
@click.option("--blocked", type=OneOf(BlockedReason), multiple=True, help="Only blocked for this reason; repeatable.")
@click.option("--next", "upcoming", is_flag=True, help="Only what agents may take now, next first.")
@click.option("--limit", "-n", type=click.IntRange(1), metavar="N", help="At most N tasks.")
@click.pass_obj
def list_(
    here: Invocation,
    status: tuple[Status, ...] = (),
    everything: bool = False,
    sprint: str | None = None,
    priority: tuple[Priority, ...] = (),
    role: tuple[Role, ...] = (),
    label: tuple[str, ...] = (),
    assignee: str | None = None,
    text: str | None = None,
    blocked: tuple[BlockedReason, ...] = (),
    upcoming: bool = False,
    limit: int | None = None,
) -> None:
    """List tasks in the order in which agents take them.

    Tasks that are done are left out unless asked for.
    """
    if everything and status:
        raise click.UsageError("--all and --status exclude each other.")
    unlimited = everything or upcoming or bool(blocked)
    wanted = Filter(
        status=status or (() if unlimited else OPEN),
        sprint=sprint,
        priority=priority,
        role=role,
        label=label,
        assignee=assignee,
        text=text,
        blocked_reason=blocked,
        view="next" if upcoming else None,
    )
    out = Output(here)
    tasks, sprints = session.run(_list(here, wanted, limit))
    if here.json:
        out.json(tasks)
    elif tasks:
        board.show_tasks(out, tasks, sprints)
    elif wanted == Filter(status=OPEN):
        out.note('No open tasks. Write one: locus tasks add "What is to be done"')
    else:
        out.note("No task matches.")


async def _list(here: Invocation, wanted: Filter, limit: int | None) -> tuple[list[Task], dict[UUID, int]]:
    async with session.plane(here) as plane:
        tasks: list[Task] = []
        async for task in plane.tasks.all(wanted):
            tasks.append(task)
            if limit is not None and len(tasks) >= limit:
                break
        if here.json or not any(task.sprint_id for task in tasks):
            return tasks, {}
        return tasks, {sprint.id: sprint.number async for sprint in plane.sprints.all()}


@command("show")
@click.argument("task", type=TASK, metavar="KEY")
@click.pass_obj
def show(here: Invocation, task: str) -> None:
    """Show a task with its checklist, attempts and comments."""
    out = Output(here)
    shown, sprint, others = session.run(_show(here, task))
    if here.json:
        out.json(shown)
    else:
        board.show_task(out, shown.task, sprint=sprint, others=others, comments=shown.comments, attempts=shown.attempts)


async def _show(here: Invocation, key: str) -> tuple[Shown, int | None, dict[UUID, str]]:
    async with session.plane(here) as plane:
        task = await plane.tasks.get(key)
        comments, attempts, sprint, others = await asyncio.gather(
            _comments(plane, task), _attempts(plane, task), _sprint_number(plane, task), _others(plane, task)
        )
        return Shown(task, comments, attempts), sprint, others


async def _comments(plane: ControlPlane, task: Task) -> list[Comment]:
    return [comment async for comment in plane.tasks.comments(task.id)]


async def _attempts(plane: ControlPlane, task: Task) -> list[Attempt]:
    return [attempt async for attempt in plane.tasks.attempts(task.id)]


async def _sprint_number(plane: ControlPlane, task: Task) -> int | None:
    return (await plane.sprints.get(task.sprint_id)).number if task.sprint_id else None


async def _others(plane: ControlPlane, task: Task) -> dict[UUID, str]:
    keys = {}
    for one in {*task.depends_on, *([task.parent_id] if task.parent_id else [])}:
        try:
            keys[one] = (await plane.tasks.get(one)).key
        except NotFound:
            # Deleted since; its id is what is left to show.
            continue
    return keys
