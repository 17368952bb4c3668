"""A person's decisions about tasks, and what they say to them."""

import click

from locus.cli import editor, session
from locus.cli.checklist import find_item
from locus.cli.frame import command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.cli.params import TASK, OneOf
from locus.cli.text import GLYPHS, STYLES, WORDS
from locus.cli.words import message
from locus.client.plane import ControlPlane
from locus.local.errors import Usage
from locus.wire.tasks import BlockedReason, Comment, ItemEdit, Status, StatusChange, Task

TASKS = click.argument("tasks", type=TASK, metavar="KEY...", nargs=-1, required=True)
ONE = click.argument("task", type=TASK, metavar="KEY")
FEEDBACK = click.option(
    "--message", "-m", "text", metavar="TEXT", help="What the next attempt must know; `-` reads it from standard input."
)


@command("approve")
@TASKS
@click.option("--force", is_flag=True, help="Although items of the checklist are not ticked. Checks stay required.")
@click.pass_obj
def approve(here: Invocation, tasks: tuple[str, ...], force: bool) -> None:
    """Accept finished work: the tasks are done."""
    _decide(here, tasks, StatusChange(status=Status.DONE, force=force))


@command("reject")
@TASKS
@FEEDBACK
@click.pass_obj
def reject(here: Invocation, tasks: tuple[str, ...], text: str | None) -> None:
    """Send work back with what is missing. The next attempt is told. Without -m, your editor opens."""
    draft = None
    if text is None:
        draft = editor.compose(
            "", name=f"reject-{tasks[0]}", hint=f"What is missing in {', '.join(tasks)}? The next attempt reads this."
        )
    said = draft.text if draft else message(text)
    with editor.kept(draft):
        _decide(here, tasks, StatusChange(status=Status.BACKLOG, feedback=said))
    if not here.json:
        Output(here).note("Does it hold for later work, too? locus learn --proposals")


@command("block")
@TASKS
@click.option("--reason", type=OneOf(BlockedReason), help="Why; `manual` if left out.")
@click.pass_obj
def block(here: Invocation, tasks: tuple[str, ...], reason: BlockedReason | None) -> None:
    """Keep agents away from tasks until somebody unblocks them."""
    _decide(here, tasks, StatusChange(status=Status.BLOCKED, reason=reason))


@command("unblock")
@TASKS
@FEEDBACK
@click.pass_obj
def unblock(here: Invocation, tasks: tuple[str, ...], text: str | None) -> None:
    """Give blocked tasks back to the agents, with new attempts."""
    _decide(here, tasks, StatusChange(status=Status.BACKLOG, feedback=message(text)))


@command("retry")
@TASKS
@FEEDBACK
@click.pass_obj
def retry(here: Invocation, tasks: tuple[str, ...], text: str | None) -> None:
    """Let agents try again. The same as unblock."""
    _decide(here, tasks, StatusChange(status=Status.BACKLOG, feedback=message(text)))


@command("status")
@ONE
@click.argument("wanted", type=OneOf(Status), metavar="STATUS")
@FEEDBACK
@click.option("--reason", type=OneOf(BlockedReason), help="Why a task is blocked.")
@click.option("--force", is_flag=True, help="Although items of the checklist are not ticked.")
@click.pass_obj
def status(
    here: Invocation, task: str, wanted: Status, text: str | None, reason: BlockedReason | None, force: bool
) -> None:
    """Set the status of a task that you work on yourself."""
    _decide(here, (task,), StatusChange(status=wanted, feedback=message(text), reason=reason, force=force))


def _decide(here: Invocation, tasks: tuple[str, ...], change: StatusChange) -> None:
    out = Output(here)
    changed = session.run(_change(here, tasks, change, out))
    if here.json:
        out.json(changed)


async def _change(here: Invocation, tasks: tuple[str, ...], change: StatusChange, out: Output) -> list[Task]:
    changed = []
    async with session.plane(here) as plane:
        for key in tasks:
            task = await plane.tasks.set_status(key, change)
            changed.append(task)
            if not here.json:
                # At once, so that a later refusal does not hide what has happened.
                out.note(Cell(f"{GLYPHS[task.status]} ", STYLES[task.status]), f"{task.key} is {_said(task)}.")
    return changed


def _said(task: Task) -> str:
    return {"working": "in progress", "review": "in review", "backlog": "in the backlog"}.get(
        WORDS[task.status], WORDS[task.status]
    )


@command("cancel")
@ONE
@click.pass_obj
def cancel(here: Invocation, task: str) -> None:
    """Ask the agent on a task to stop. Its work so far is kept on its machine."""
    out = Output(here)
    asked = session.run(_cancel(here, task))
    if here.json:
        out.json(asked)
    else:
        out.note(f"The agent on {asked.key} is told with its next heartbeat.")


async def _cancel(here: Invocation, task: str) -> Task:
    async with session.plane(here) as plane:
        return await plane.dispatch.cancel(task)


@command("comment")
@ONE
@click.option("--message", "-m", "text", metavar="TEXT", help="The comment; `-` reads it from standard input.")
@click.pass_obj
def comment(here: Invocation, task: str, text: str | None) -> None:
    """Comment on a task. Agents read it with their next attempt. Without -m, your editor opens."""
    draft = None
    if text is None:
        draft = editor.compose("", name=f"comment-{task}", hint=f"Your comment on {task}. Agents read it too.")
    said = draft.text if draft else message(text)
    assert said is not None
    out = Output(here)
    with editor.kept(draft):
        written = session.run(_comment(here, task, said))
    if here.json:
        out.json(written)
    else:
        out.note(f"Commented on {task}.")


async def _comment(here: Invocation, task: str, text: str) -> Comment:
    async with session.plane(here) as plane:
        return await plane.tasks.comment(task, text)


@command("check")
@ONE
@click.argument("item", metavar="ITEM")
@click.option("--undo", is_flag=True, help="Take the tick away.")
@click.pass_obj
def check(here: Invocation, task: str, item: str, undo: bool) -> None:
    """Tick an item of a checklist.

    ITEM is its number, its id, or the beginning of its text.
    """
    out = Output(here)
    ticked = session.run(_check(here, task, item, done=not undo))
    if here.json:
        out.json(ticked)
    else:
        done = sum(one.done for one in ticked.checklist)
        out.note(f"{ticked.key}: {done} of {len(ticked.checklist)} ticked.")


async def _check(here: Invocation, key: str, wanted: str, *, done: bool) -> Task:
    async with session.plane(here) as plane:
        return await _tick(plane, await plane.tasks.get(key), wanted, done=done)


async def _tick(plane: ControlPlane, task: Task, wanted: str, *, done: bool) -> Task:
    item = find_item(task, wanted)
    if item.check is not None:
        raise Usage(
            f"Item {wanted!r} is ticked by the check `{item.check}`, not by hand.",
            remedy="It is ticked when an agent's work passes that check.",
        )
    return await plane.tasks.edit_item(task.id, item.id, ItemEdit(done=done))
