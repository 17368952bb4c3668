"""Ordering tasks: into a sprint, before or after others."""

import click
from msgspec import UNSET

from locus.cli import session
from locus.cli.frame import command
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.params import TASK, OneOf, SprintName
from locus.cli.session import sprint_id, task_ids
from locus.wire.tasks import Priority, Task, TasksMove


@command("move")
@click.argument("tasks", type=TASK, metavar="KEY...", nargs=-1, required=True)
@click.option("--sprint", type=SprintName("active", "none"), help="Into this sprint: active, none or a number.")
@click.option("--before", type=TASK, metavar="KEY", help="Directly before this task.")
@click.option("--after", type=TASK, metavar="KEY", help="Directly after this task.")
@click.option("--priority", "-p", type=OneOf(Priority), help="With this priority.")
@click.pass_obj
def move(
    here: Invocation,
    tasks: tuple[str, ...],
    sprint: str | None,
    before: str | None,
    after: str | None,
    priority: Priority | None,
) -> None:
    """Put tasks into a sprint, or elsewhere in the order."""
    if not (sprint or before or after or priority):
        raise click.UsageError("Say where to: --sprint, --before, --after or --priority.")
    if before and after:
        raise click.UsageError("--before and --after exclude each other.")
    out = Output(here)
    moved = session.run(_move(here, tasks, sprint, before, after, priority))
    if here.json:
        out.json(moved)
    else:
        out.note(f"Moved {', '.join(task.key for task in moved)}.")


async def _move(
    here: Invocation,
    tasks: tuple[str, ...],
    sprint: str | None,
    before: str | None,
    after: str | None,
    priority: Priority | None,
) -> list[Task]:
    async with session.plane(here) as plane:
        ids = await task_ids(plane, [*tasks, *(key for key in (before, after) if key)])
        return await plane.tasks.move(
            TasksMove(
                task_ids=ids[: len(tasks)],
                sprint_id=await sprint_id(plane, sprint),
                before=ids[-1] if before else None,
                after=ids[-1] if after else None,
                priority=UNSET if priority is None else priority,
            )
        )
