"""`locus sprints`: plan, start and complete sprints."""

import sys
from datetime import date

import click
from msgspec import UNSET, Struct

from locus.cli import board, editor, session, words
from locus.cli.frame import command as _command, group
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.params import DAY, OneOf, SprintName
from locus.client.errors import Refused
from locus.client.tasks import Filter
from locus.local.errors import LocalError
from locus.wire.sprints import OpenTasks, Sprint, SprintCompletion, SprintDraft, SprintEdit, SprintStatus
from locus.wire.tasks import Task

SPRINT = click.argument("sprint", type=SprintName("active"), metavar="SPRINT")


class Shown(Struct, frozen=True):
    """What `locus sprints show --json` says."""

    sprint: Sprint
    tasks: list[Task]


@group("sprints", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Plan, start and complete sprints. Alone it lists them.

    A sprint is named by its number, or by the word `active`. At most one is active; agents take only its tasks.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@_command("list")
@click.option("--status", "-s", type=OneOf(SprintStatus), multiple=True, help="Only this status; repeatable.")
@click.pass_obj
def list_(here: Invocation, status: tuple[SprintStatus, ...] = ()) -> None:
    """List sprints, newest first."""
    out = Output(here)
    sprints = [one for one in session.run(_list(here)) if not status or one.status in status]
    if here.json:
        out.json(sprints)
    elif sprints:
        board.show_sprints(out, sprints)
    elif status:
        out.note("No sprint matches.")
    else:
        out.note('No sprints yet. Plan one: locus sprints add "Its name"')


async def _list(here: Invocation) -> list[Sprint]:
    async with session.plane(here) as plane:
        return [sprint async for sprint in plane.sprints.all()]


@_command("show")
@SPRINT
@click.pass_obj
def show(here: Invocation, sprint: str) -> None:
    """Show a sprint and its tasks, in the order in which agents take them."""
    out = Output(here)
    shown = session.run(_show(here, sprint))
    if here.json:
        out.json(shown)
        return
    board.show_sprint(out, shown.sprint)
    out.line()
    if shown.tasks:
        board.show_tasks(out, shown.tasks, {shown.sprint.id: shown.sprint.number})
    else:
        out.note(f'It has no tasks. Write one: locus tasks add "What is to be done" --sprint {shown.sprint.number}')


async def _show(here: Invocation, name: str) -> Shown:
    async with session.plane(here) as plane:
        sprint = await plane.sprints.get(name)
        tasks = plane.tasks.all(Filter(sprint=str(sprint.number)))
        return Shown(sprint, [task async for task in tasks])


@_command("add")
@click.argument("name")
@click.option("--goal", "-g", metavar="TEXT", help="What it is for; `-` reads it from standard input.")
@click.option("--starts", type=DAY, help="First day.")
@click.option("--ends", type=DAY, help="Last day.")
@click.option("--start", "at_once", is_flag=True, help="Start it at once.")
@click.pass_obj
def add(here: Invocation, name: str, goal: str | None, starts: date | None, ends: date | None, at_once: bool) -> None:
    """Plan a sprint."""
    draft = SprintDraft(name=name, goal=words.message(goal) or "", starts_on=starts, ends_on=ends)
    out = Output(here)
    sprint = session.run(_add(here, draft, at_once=at_once))
    if here.json:
        out.json(sprint)
        return
    out.line(str(sprint.number))
    if at_once and out.terminal:
        out.note('It is active. A task for it: locus tasks add "…" --sprint active')
    elif not at_once:
        out.note(f"It is planned. Agents begin when it is active: locus sprints start {sprint.number}")


async def _add(here: Invocation, draft: SprintDraft, *, at_once: bool) -> Sprint:
    async with session.plane(here) as plane:
        sprint = await plane.sprints.create(draft)
        return await plane.sprints.start(sprint.id) if at_once else sprint


@_command("edit")
@SPRINT
@click.option("--name", metavar="TEXT", help="Name.")
@click.option("--goal", "-g", metavar="TEXT", help="What it is for; `-` reads it from standard input.")
@click.option("--starts", type=DAY, help="First day; `none` clears it.")
@click.option("--ends", type=DAY, help="Last day; `none` clears it.")
@click.pass_context
def edit(
    ctx: click.Context, sprint: str, name: str | None, goal: str | None, starts: date | None, ends: date | None
) -> None:
    """Change a sprint.

    Flags name the fields to change; without any, name and goal open in your editor.
    """
    here: Invocation = ctx.obj
    said = {one for one in ctx.params if ctx.get_parameter_source(one) is click.core.ParameterSource.COMMANDLINE}
    before = session.run(_get(here, sprint))
    draft = None
    if said <= {"sprint"}:
        hint = "The first line is the name, the rest the goal (Markdown)."
        draft = editor.compose(f"{before.name}\n\n{before.goal}", name=f"sprint-{before.number}", hint=hint)
        name, goal = editor.split_title(draft.text)
    elif goal is not None:
        goal = words.message(goal) if goal else ""
    change = SprintEdit(
        name=UNSET if name is None else name,
        goal=UNSET if goal is None else goal,
        starts_on=starts if "starts" in said else UNSET,
        ends_on=ends if "ends" in said else UNSET,
    )
    out = Output(here)
    with editor.kept(draft):
        edited = session.run(_patch(here, before, change))
    if here.json:
        out.json(edited)
    else:
        out.note(f"Changed sprint {edited.number}.")


async def _get(here: Invocation, name: str) -> Sprint:
    async with session.plane(here) as plane:
        return await plane.sprints.get(name)


async def _patch(here: Invocation, before: Sprint, change: SprintEdit) -> Sprint:
    async with session.plane(here) as plane:
        return await plane.sprints.edit(before.id, change, version=before.version)


@_command("start")
@SPRINT
@click.pass_obj
def start(here: Invocation, sprint: str) -> None:
    """Make a sprint the active one. Agents take its tasks."""
    out = Output(here)
    started = session.run(_start(here, sprint))
    if here.json:
        out.json(started)
    else:
        out.note(f"Sprint {started.number} is active with {board.total(started)} tasks. Let an agent work: locus run")


async def _start(here: Invocation, name: str) -> Sprint:
    async with session.plane(here) as plane:
        return await plane.sprints.start(name)


@_command("complete")
@SPRINT
@click.option("--open-tasks", type=OneOf(OpenTasks), help="What becomes of tasks that are not done.")
@click.option(
    "--next", "following", type=SprintName(), help="The sprint that gets them, with --open-tasks to-next-sprint."
)
@click.pass_obj
def complete(here: Invocation, sprint: str, open_tasks: OpenTasks | None, following: str | None) -> None:
    """End a sprint. With open or unreviewed tasks, say what becomes of them."""
    if following and open_tasks is not OpenTasks.TO_NEXT_SPRINT:
        raise click.UsageError("--next belongs to --open-tasks to-next-sprint.")
    out = Output(here)
    completed = session.run(_complete(here, sprint, open_tasks, following))
    if here.json:
        out.json(completed)
    else:
        out.note(f"Sprint {completed.number} is completed: {completed.tasks.done} tasks done.")


async def _complete(here: Invocation, name: str, open_tasks: OpenTasks | None, following: str | None) -> Sprint:
    async with session.plane(here) as plane:
        then = (await plane.sprints.get(following)).id if following else None
        try:
            return await plane.sprints.complete(name, SprintCompletion(open_tasks=open_tasks, next_sprint_id=then))
        except Refused as e:
            if e.problem.code != "open_tasks":
                raise
            # The server names the field of the request; a person types a flag.
            raise LocalError(
                f"{e.message.partition('. ')[0]}.",
                remedy="Say what becomes of them: --open-tasks to-backlog, to-next-sprint or keep.",
            ) from e


@_command("delete")
@SPRINT
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(here: Invocation, sprint: str, yes: bool) -> None:
    """Delete a sprint that has not begun. Its tasks go to the backlog."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Deleting needs --yes when nobody can be asked.")
        if not click.confirm(f"Delete sprint {sprint} for good?", err=True):
            raise LocalError("Nothing was deleted.")
    deleted = session.run(_delete(here, sprint))
    out = Output(here)
    if here.json:
        out.json(deleted)
    else:
        out.note(f"Deleted sprint {deleted.number}.")


async def _delete(here: Invocation, name: str) -> Sprint:
    async with session.plane(here) as plane:
        sprint = await plane.sprints.get(name)
        await plane.sprints.delete(sprint.id, version=sprint.version)
        return sprint


for part in (list_, show, add, edit, start, complete, delete):
    command.add_command(part)
