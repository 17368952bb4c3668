"""Writing tasks: add, edit, delete."""

import asyncio
import sys
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import click
from msgspec import UNSET, Struct

from locus.cli import editor, session, words
from locus.cli.checklist import find_item, tell_unknown
from locus.cli.frame import command
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.params import DAY, TASK, OneOf, SprintName
from locus.cli.session import sprint_id, task_ids
from locus.client.errors import Stale
from locus.client.plane import ControlPlane
from locus.local.errors import LocalError
from locus.wire.tasks import ChecklistItem, ChecklistItemDraft, Priority, Role, Task, TaskDraft, TaskEdit

HINT = "The first line is the title, the rest the description (Markdown)."
TRIES = 5  # changes of labels and checklist are done over when somebody else was faster


def _options(*, new: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The fields of a task as flags; where a task has them already, the word `none` clears those that may be empty."""
    clear = "" if new else " `none` clears it."
    flags = [
        click.option("--description", "-d", metavar="TEXT", help="Description; `-` reads it from standard input."),
        click.option("--sprint", type=SprintName("active", "none"), help="Sprint: active, none or a number."),
        click.option("--priority", "-p", type=OneOf(Priority), help="Priority." + (" Default: medium." if new else "")),
        click.option("--role", type=OneOf(Role, none=not new), help=f"Role that it is for.{clear}"),
        click.option(
            "--assign", "assignee", metavar="NAME", help=f"Person that does it; agents leave it alone.{clear}"
        ),
        click.option("--due", type=DAY, help=f"Date it is due.{clear}"),
        click.option("--parent", metavar="KEY", help=f"Task that it is a part of.{clear}"),
        click.option(
            "--after", "after", type=TASK, multiple=True, metavar="KEY", help="Only after this task; repeatable."
        ),
        click.option("--label", "-l", multiple=True, metavar="LABEL", help="Label; repeatable."),
        click.option("--item", "-i", multiple=True, metavar="TEXT", help="Item for the checklist; repeatable."),
        click.option(
            "--check",
            multiple=True,
            metavar="NAME",
            help="Item for the checklist that this check of .locus/config.toml ticks; repeatable.",
        ),
        click.option(
            "--red-first",
            multiple=True,
            metavar="NAME",
            help="The same, and the changed tests must fail without the rest of the change; repeatable.",
        ),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for flag in reversed(flags):
            function = flag(function)
        return function

    return decorate


class Fields(Struct, frozen=True, kw_only=True):
    """What the flags say; None is not given, and so is an empty tuple."""

    description: str | None
    sprint: str | None
    priority: Priority | None
    role: Role | None
    assignee: str | None
    due: date | None
    parent: str | None
    after: tuple[str, ...]
    label: tuple[str, ...]
    item: tuple[str, ...]
    check: tuple[str, ...]
    red_first: tuple[str, ...]

    @property
    def items(self) -> list[ChecklistItemDraft]:
        return [
            *(ChecklistItemDraft(text=text) for text in self.item),
            *(ChecklistItemDraft(text=f"The check `{name}` is green", check=name) for name in self.check),
            *(
                ChecklistItemDraft(text=f"The check `{name}` is red first, then green", check=name, red_first=True)
                for name in self.red_first
            ),
        ]


@command("add")
@click.argument("title", required=False)
@click.option("--from", "source", metavar="FILE", help=f"Read it from a file, `-` for standard input. {HINT}")
@_options(new=True)
@click.pass_obj
def add(here: Invocation, /, title: str | None, source: str | None, **fields: Any) -> None:
    """Write a task. Without a title, your editor opens.

    It goes to the backlog unless --sprint says where; agents take only tasks of the active sprint.
    """
    given = Fields(**fields)
    draft = None
    description = words.message(given.description) or ""
    if source is not None:
        if title is not None or given.description is not None:
            raise click.UsageError("--from brings title and description; leave the others out.")
        title, description = editor.split_title(words.from_file(source))
    elif title is None:
        draft = editor.compose(f"\n\n{description}" if description else "", name="task", hint=HINT)
        title, description = editor.split_title(draft.text)
    out = Output(here)
    with editor.kept(draft):
        task = session.run(_add(here, title, description, given))
    if here.json:
        out.json(task)
        return
    out.line(task.key)
    tell_unknown(here, out, (*given.check, *given.red_first))
    if task.sprint_id is None:
        out.note(f"It is in the backlog. For agents: locus tasks move {task.key} --sprint active")


async def _add(here: Invocation, title: str, description: str, given: Fields) -> Task:
    async with session.plane(here) as plane:
        sprint = await sprint_id(plane, given.sprint)
        after = await task_ids(plane, given.after)
        parent = await task_ids(plane, [given.parent] if given.parent else [])
        return await plane.tasks.create(
            TaskDraft(
                title=title,
                description=description,
                sprint_id=sprint if isinstance(sprint, UUID) else None,
                parent_id=parent[0] if parent else None,
                priority=given.priority or Priority.MEDIUM,
                role=given.role,
                labels=list(given.label),
                assignee=given.assignee,
                due_on=given.due,
                checklist=given.items,
                depends_on=after,
            )
        )


@command("edit")
@click.argument("task", type=TASK, metavar="KEY")
@click.option("--title", metavar="TEXT", help="Title.")
@_options(new=False)
@click.option("--remove-label", multiple=True, metavar="LABEL", help="Take a label away; repeatable.")
@click.option("--remove-item", multiple=True, metavar="ITEM", help="Take an item off the checklist; repeatable.")
@click.option("--not-after", type=TASK, multiple=True, metavar="KEY", help="Do not wait for this task; repeatable.")
@click.pass_context
def edit(
    ctx: click.Context,
    /,
    task: str,
    title: str | None,
    remove_label: tuple[str, ...],
    remove_item: tuple[str, ...],
    not_after: tuple[str, ...],
    **fields: Any,
) -> None:
    """Change a task.

    Flags name the fields to change; without any, title and description open in your editor.
    """
    here: Invocation = ctx.obj
    said = {name for name in ctx.params if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    out = Output(here)
    if said <= {"task"}:
        edited = _edit_text(here, task)
    else:
        given = Fields(**fields)
        tell_unknown(here, out, (*given.check, *given.red_first))
        change = Change(
            given=given,
            said=frozenset(said),
            title=title,
            description=words.message(given.description) if given.description != "" else "",
            remove_label=frozenset(remove_label),
            remove_item=remove_item,
            not_after=not_after,
        )
        edited = session.run(_edit(here, task, change))
    if here.json:
        out.json(edited)
    else:
        out.note(f"Changed {edited.key}.")


def _edit_text(here: Invocation, key: str) -> Task:
    before = session.run(_get(here, key))
    draft = editor.compose(f"{before.title}\n\n{before.description}", name=before.key, hint=HINT)
    title, description = editor.split_title(draft.text)
    if (title, description) == (before.title, before.description.strip("\n")):
        draft.path.unlink(missing_ok=True)
        return before
    with editor.kept(draft):
        # With the version that the person saw: what somebody else wrote meanwhile is not written over.
        return session.run(_patch(here, before, TaskEdit(title=title, description=description)))


async def _get(here: Invocation, key: str) -> Task:
    async with session.plane(here) as plane:
        return await plane.tasks.get(key)


async def _patch(here: Invocation, before: Task, change: TaskEdit) -> Task:
    async with session.plane(here) as plane:
        return await plane.tasks.edit(before.id, change, version=before.version)


class Change(Struct, frozen=True, kw_only=True):
    """An edit in words, which becomes one of fields once the task is known."""

    given: Fields
    said: frozenset[str]  # names of the flags that were given
    title: str | None
    description: str | None
    remove_label: frozenset[str]
    remove_item: tuple[str, ...]
    not_after: tuple[str, ...]


async def _edit(here: Invocation, key: str, change: Change) -> Task:
    async with session.plane(here) as plane:
        for again in range(TRIES):
            before = await plane.tasks.get(key)
            try:
                return await plane.tasks.edit(before.id, await _fields(plane, before, change), version=before.version)
            except Stale:
                # The flags say what to change, whatever else has changed.
                if again == TRIES - 1:
                    raise
                await asyncio.sleep(0.05 * 2**again)
        raise AssertionError("the last try returns or raises")


async def _fields(plane: ControlPlane, before: Task, change: Change) -> TaskEdit:
    given, said = change.given, change.said
    labels = [one for one in before.labels if one not in change.remove_label]
    labels += [one for one in given.label if one not in labels]
    checklist = _without(before, change.remove_item) + given.items
    dropped = set(await task_ids(plane, change.not_after))
    after = [one for one in before.depends_on if one not in dropped]
    after += [one for one in await task_ids(plane, given.after) if one not in after]
    parent = await task_ids(plane, [given.parent]) if given.parent and given.parent.lower() != "none" else [None]
    assignee = None if given.assignee is not None and given.assignee.lower() == "none" else given.assignee
    return TaskEdit(
        title=UNSET if change.title is None else change.title,
        description=UNSET if change.description is None else change.description,
        sprint_id=await sprint_id(plane, given.sprint),
        parent_id=parent[0] if "parent" in said else UNSET,
        priority=UNSET if given.priority is None else given.priority,
        role=given.role if "role" in said else UNSET,
        assignee=assignee if "assignee" in said else UNSET,
        due_on=given.due if "due" in said else UNSET,
        labels=labels if said & {"label", "remove_label"} else UNSET,
        checklist=checklist if said & {"item", "check", "red_first", "remove_item"} else UNSET,
        depends_on=after if said & {"after", "not_after"} else UNSET,
    )


def _without(task: Task, removed: tuple[str, ...]) -> list[ChecklistItemDraft]:
    gone = {find_item(task, wanted).id for wanted in removed}
    return [_same(item) for item in task.checklist if item.id not in gone]


def _same(item: ChecklistItem) -> ChecklistItemDraft:
    return ChecklistItemDraft(text=item.text, done=item.done, check=item.check, red_first=item.red_first, id=item.id)


@command("delete")
@click.argument("tasks", type=TASK, metavar="KEY...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(here: Invocation, tasks: tuple[str, ...], yes: bool) -> None:
    """Delete tasks, with their comments and attempts."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Deleting needs --yes when nobody can be asked.")
        if not click.confirm(f"Delete {', '.join(tasks)} for good?", err=True):
            raise LocalError("Nothing was deleted.")
    session.run(_delete(here, tasks))
    out = Output(here)
    if here.json:
        out.json(list(tasks))
    else:
        out.note(f"Deleted {', '.join(tasks)}.")


async def _delete(here: Invocation, tasks: tuple[str, ...]) -> None:
    async with session.plane(here) as plane:
        for key in tasks:
            task = await plane.tasks.get(key)
            await plane.tasks.delete(task.id, version=task.version)
