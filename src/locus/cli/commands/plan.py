"""`locus plan`: an agent proposes a sprint, and you decide about it as a whole."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from locus.cli import words
from locus.cli.beside import plan_deciding, plan_editing, plan_view, voice
from locus.cli.beside.plan_server import forecast, look
from locus.cli.beside.planning import goal_of, make, source_of
from locus.cli.beside.stage import Stage, Wish, folder, options, prepare
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.text import ago
from locus.local import project
from locus.local.errors import LocalError
from locus.local.planning.kept import OPEN, Kept, Plans, State
from locus.wire.sprints import SprintStatus

NUMBER = re.compile(r"#?[0-9]+")
ACTIONS = ("list", "show", "edit", "approve", "reject", "cancel", "send")


@_command("plan")
@click.argument("goal", required=False, metavar="[GOAL | N]")
@click.option("--from", "source", metavar="FILE|URL", help="Plan from a file, or from an issue on GitHub.")
@click.option("--list", "list_", is_flag=True, help="List plans, newest first.")
@click.option("--show", is_flag=True, help="Show a plan.")
@click.option("--edit", is_flag=True, help="Edit a plan in your editor; what is wrong is not taken.")
@click.option("--approve", is_flag=True, help="Make the plan a sprint with its tasks.")
@click.option("--start", is_flag=True, help="With --approve: start the sprint, if none is active.")
@click.option("--reject", "feedback", metavar="TEXT", help="Say what is wrong with a plan, and have another one made.")
@click.option("--cancel", is_flag=True, help="Give a plan up.")
@click.option("--send", is_flag=True, help="Send a plan to the control plane, for somebody there to decide about.")
@options
@click.pass_obj
def command(
    here: Invocation,
    /,
    goal: str | None,
    source: str | None,
    list_: bool,
    show: bool,
    edit: bool,
    approve: bool,
    start: bool,
    feedback: str | None,
    cancel: bool,
    send: bool,
    **wish: Any,
) -> None:
    """Have an agent propose a sprint for a goal, and decide about it.

    The agent reads the repository and can change nothing. What it proposes is checked, and it is asked again when
    something is wrong. Nothing is created before you approve the plan; then the sprint, its tasks and what they wait
    for are made at once, or not at all. With a flag, N names the plan; without N it is the newest one that is open.
    Plans that others sent to the control plane are listed too. Alone, `locus plan` has another one made instead of the
    last that was sent back, here or on the dashboard.

    \b
    Examples:
      locus plan "People can sign in with a link by mail"
      locus plan --from https://github.com/owner/shop/issues/12
      locus plan --reject "Two tasks are enough, and no new dependency"
      locus plan --approve --start
    """
    asked = (list_, show, edit, approve, feedback is not None, cancel, send)
    chosen = [name for name, wanted in zip(ACTIONS, asked, strict=True) if wanted]
    if len(chosen) > 1:
        raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} are two things; do one after the other.")
    if start and not approve:
        raise click.UsageError("--start belongs to --approve.")
    if chosen == ["list"] and goal:
        raise click.UsageError("--list lists all plans; to see one: locus plan --show N")
    if not chosen and source is None and goal is not None and NUMBER.fullmatch(goal.strip()):
        raise click.UsageError(f"{goal} is no goal. To see that plan: locus plan --show {goal.strip().lstrip('#')}")
    if chosen and source:
        raise click.UsageError(f"--from makes a new plan; it does not go with --{chosen[0]}.")
    match chosen:
        case []:
            _new(here, goal, source, Wish(**wish))
        case ["list"]:
            _list(here)
        case ["show"]:
            _show(here, goal)
        case ["edit"]:
            _edit(here, goal)
        case ["approve"]:
            _approve(here, goal, start=start)
        case ["reject"]:
            assert feedback is not None
            _reject(here, goal, words.message(feedback) or "", Wish(**wish))
        case ["cancel"]:
            _cancel(here, goal)
        case _:
            _send(here, goal)


def _new(here: Invocation, goal: str | None, source: str | None, wish: Wish) -> None:
    if goal is None and source is None:
        _again(here, wish)
        return
    said = words.message(goal)
    stage = prepare(here, wish, command="plan", read_only=True)
    document = source_of(here, stage, source) if source else None
    goal = said or (goal_of(document, source) if document and source else "")
    _told(here, make(here, stage, goal, source=document, named=source))


def _again(here: Invocation, wish: Wish) -> None:
    """Have a plan made instead of the last one that was rejected, here or at the control plane, if none was yet."""
    plans = Plans(folder(here)[1])
    look(here, plans)
    rejected = plans.unanswered()
    if rejected is None:
        raise click.UsageError('Say what should be better: locus plan "…", or name a file or an issue with --from.')
    stage = prepare(here, wish, command="plan", read_only=True)
    Output(here).note(f"Plan {rejected.number}, {rejected.draft.name}, was sent back. Having another made:")
    _told(here, _instead(here, stage, rejected))


def _instead(here: Invocation, stage: Stage, plan: Kept) -> Kept:
    # What it was made from as it was then: a file may be gone, and an issue may say something else today.
    document = Plans(stage.folder).document(plan)
    later = f"Plan {plan.number} stays sent back. To have another made instead of it: locus plan"
    try:
        return make(here, stage, plan.goal, source=document, named=plan.source, earlier=plan)
    except LocalError as e:
        e.remedy = f"{e.remedy}\n{later}" if e.remedy else later
        raise
    except KeyboardInterrupt:
        voice.print_beside(Output(here), later)
        raise


def propose_from(here: Invocation, source: str, wish: Wish) -> None:
    """Plan from a file or an issue, as `locus plan --from` does."""
    _new(here, None, source, wish)


def _reject(here: Invocation, number: str | None, feedback: str, wish: Wish) -> None:
    plans = Plans(folder(here)[1])
    plan = plan_deciding.open_one(here, plans, number, State.REJECTED)
    stage = prepare(here, wish, command="plan", read_only=True)
    plan_deciding.reject(here, plans, plan, feedback)
    _told(here, _instead(here, stage, plan))


def _told(here: Invocation, plan: Kept, *, online: bool = True) -> None:
    out = Output(here)
    expected = forecast(here, len(plan.draft.tasks)) if online and plan.state in OPEN else None
    if here.json:
        out.json(plan_view.with_forecast(plan, expected))
        return
    plan_view.show(out, plan, forecast=expected)
    if plan.state is State.REJECTED:
        out.note()
        out.note("Have another made that heeds what was said: locus plan")
    elif plan.state in OPEN:
        out.note()
        out.note(f"Take it      locus plan --approve {plan.number}")
        out.note(f"Change it    locus plan --edit {plan.number}")
        out.note(f'Another one  locus plan --reject "what is wrong" {plan.number}')


def _list(here: Invocation) -> None:
    out = Output(here)
    kept = Plans(folder(here)[1])
    look(here, kept)
    plans = kept.all()
    if here.json:
        out.json(plans)
        return
    if not plans:
        out.note('No plans here yet. Make one: locus plan "What should be better"')
        return
    columns = [
        *(Column("N", right=True), Column("PLAN", grows=True), Column("TASKS", right=True)),
        *(Column("STATE"), Column("MADE")),
    ]
    out.table(columns, [_row(plan) for plan in plans])


def _row(plan: Kept) -> Sequence[str | Cell]:
    state = f"sprint {plan.sprint}" if plan.sprint else plan.state.value
    made: datetime = plan.created_at
    tasks = str(len(plan.draft.tasks))
    name = f"{plan.draft.name}: {plan.goal}"
    return (str(plan.number), name, tasks, Cell(state, plan_view.STYLES[plan.state]), Cell(ago(made), "dim"))


def _show(here: Invocation, number: str | None) -> None:
    plans = Plans(folder(here)[1])
    online = look(here, plans)
    _told(here, plans.find(number), online=online)


def _edit(here: Invocation, number: str | None) -> None:
    out = Output(here)
    root, ours = folder(here)
    plans = Plans(ours)
    plan = plan_deciding.open_one(here, plans, number)
    changed = plan_editing.edit(plans, plan, [check.name for check in project.load(root).checks])
    if here.json:
        out.json(plan)
    elif not changed:
        out.note("Nothing was changed.")
    else:
        out.note(f"Changed plan {plan.number}.")
        if plan.state is State.SENT:
            out.note(f"Send it again for others to see the change: locus plan --send {plan.number}")


def _approve(here: Invocation, number: str | None, *, start: bool) -> None:
    out = Output(here)
    plan, made = plan_deciding.approve(here, Plans(folder(here)[1]), number, start=start)
    if here.json:
        out.json(made)
        return
    keys = ", ".join(task.key for task in made.tasks)
    out.line(f"Plan {plan.number} is sprint {made.sprint.number} ({made.sprint.name}): {keys}")
    if made.sprint.status is SprintStatus.ACTIVE:
        out.note("It is active. Let an agent work: locus run")
    elif made.sprint.status is SprintStatus.COMPLETED:
        out.note(f"It is done already: locus sprints show {made.sprint.number}")
    elif start:
        # Approving it again starts nothing either.
        out.note(f"It waits for the active sprint, if there is one. Then: locus sprints start {made.sprint.number}")
    else:
        out.note(f"Agents begin when it is active: locus sprints start {made.sprint.number}")


def _cancel(here: Invocation, number: str | None) -> None:
    out = Output(here)
    plan = plan_deciding.cancel(here, Plans(folder(here)[1]), number)
    if here.json:
        out.json(plan)
    else:
        out.note(f"Plan {plan.number} is given up.")


def _send(here: Invocation, number: str | None) -> None:
    out = Output(here)
    plan, sent = plan_deciding.send(here, Plans(folder(here)[1]), number)
    if here.json:
        out.json(sent)
    elif plan.state is State.SENT:
        out.note(
            f"Plan {plan.number} waits at the control plane: name, goal, tasks and risks as shown, and nothing else."
        )
    else:
        out.note(f"Plan {plan.number} is {plan.state.value} there: locus plan --show {plan.number}")
