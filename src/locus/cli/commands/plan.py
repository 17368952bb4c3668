"""`locus plan`: an agent proposes a sprint, and you decide about it as a whole."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
import msgspec

from locus.cli import editor, words
from locus.cli.beside import plan_view
from locus.cli.beside.plan_server import at_the_server, forecast, look
from locus.cli.beside.planning import make, reject, source_of
from locus.cli.beside.stage import Stage, Wish, folder, options, prepare
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.text import ago
from locus.local import project
from locus.local.errors import LocalError
from locus.local.planning.answer import judged
from locus.local.planning.kept import OPEN, Kept, NoSuchPlan, Plans, State
from locus.local.sessions.answer import Faults
from locus.wire.plans import PlanApproval, PlanApproved, PlanStatus
from locus.wire.sprints import SprintStatus

ACTIONS = ("list", "show", "edit", "approve", "reject", "cancel", "send")


@_command("plan")
@click.argument("goal", required=False, metavar="GOAL | N")
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
    document = source_of(stage, source) if source else None
    first = document.text.strip().splitlines()[0] if document else ""
    plan = make(here, stage, said or first.lstrip("# ")[:200], source=document, named=source)
    _told(here, plan)


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
    named = plan.source if plan.source != "-" else None
    document = source_of(stage, named) if named else None
    return make(here, stage, plan.goal, source=document, named=plan.source, earlier=plan)


def propose_from(here: Invocation, source: str, wish: Wish) -> None:
    """Plan from a file or an issue, as `locus plan --from` does."""
    _new(here, None, source, wish)


def _reject(here: Invocation, number: str | None, feedback: str, wish: Wish) -> None:
    _, ours = folder(here)
    plans = Plans(ours)
    plan = plans.find(number, *OPEN)
    if plan.state is State.SENT:  # somebody may have decided there meanwhile
        look(here, plans)
        plan = plans.find(str(plan.number))
    if plan.state not in (*OPEN, State.REJECTED):
        raise NoSuchPlan(f"Plan {plan.number} is {plan.state.value}.", remedy="See: locus plan --list")
    stage = prepare(here, wish, command="plan", read_only=True)
    if plan.state is State.SENT:
        at_the_server(here, lambda plane: plane.plans.reject(plan.id, feedback))
    reject(plans, plan, feedback)
    _told(here, _instead(here, stage, plan))


def _told(here: Invocation, plan: Kept) -> None:
    out = Output(here)
    if here.json:
        out.json(plan)
        return
    plan_view.show(out, plan, forecast=forecast(here, len(plan.draft.tasks)))
    _next(out, plan)


def _next(out: Output, plan: Kept) -> None:
    if plan.state is State.REJECTED:
        out.note()
        out.note("Have another made that heeds what was said: locus plan")
    if plan.state not in OPEN:
        return
    out.note()
    out.note(f"Take it: locus plan --approve {plan.number}   Change it: locus plan --edit {plan.number}")
    out.note(f'Have another made: locus plan --reject "what is wrong" {plan.number}')


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
    out = Output(here)
    plans = Plans(folder(here)[1])
    look(here, plans)
    plan = plans.find(number)
    if here.json:
        out.json(plan)
        return
    open_ = plan.state in OPEN
    plan_view.show(out, plan, forecast=forecast(here, len(plan.draft.tasks)) if open_ else None)
    _next(out, plan)


def _edit(here: Invocation, number: str | None) -> None:
    out = Output(here)
    root, ours = folder(here)
    plans = Plans(ours)
    plan = _open(plans, number)
    text = msgspec.json.format(msgspec.json.encode(plan.draft)).decode()
    draft = editor.compose(
        text, name=f"plan-{plan.number}", hint="The plan as JSON; `ref` and `depends_on` go together."
    )
    with editor.kept(draft):
        try:
            plan.draft = judged(draft.text, [check.name for check in project.load(root).checks])
        except Faults as e:
            found = "\n".join(f"- {fault}" for fault in e.faults)
            raise LocalError(f"The plan cannot be taken like this, so nothing was changed:\n{found}") from e
        plan.elsewhere = False
        plans.save(plan)
    if here.json:
        out.json(plan)
    else:
        out.note(f"Changed plan {plan.number}.")
        if plan.state is State.SENT:
            out.note(f"Send it again for others to see the change: locus plan --send {plan.number}")


def _approve(here: Invocation, number: str | None, *, start: bool) -> None:
    out = Output(here)
    plans = Plans(folder(here)[1])
    plan = plans.find(number, *OPEN)
    if plan.state not in (*OPEN, State.APPROVED):
        raise NoSuchPlan(f"Plan {plan.number} is {plan.state.value}.", remedy="Have another made: locus plan GOAL")
    # One request, whatever happened before: the server makes everything at once, and only the first time.
    approval = PlanApproval(plan=plan.draft, start=start)
    made: PlanApproved = at_the_server(here, lambda plane: plane.plans.approve(plan.id, approval))
    plan.state, plan.sprint = State.APPROVED, made.sprint.number
    plans.save(plan)
    if here.json:
        out.json(made)
        return
    keys = ", ".join(task.key for task in made.tasks)
    out.line(f"Plan {plan.number} is sprint {made.sprint.number} ({made.sprint.name}): {keys}")
    if made.sprint.status is SprintStatus.ACTIVE:
        out.note("It is active. Let an agent work: locus run")
    elif start:
        out.note(f"Another sprint is active, so it waits. When that is done: locus sprints start {made.sprint.number}")
    else:
        out.note(f"Agents begin when it is active: locus sprints start {made.sprint.number}")


def _cancel(here: Invocation, number: str | None) -> None:
    out = Output(here)
    plans = Plans(folder(here)[1])
    plan = _open(plans, number)
    if plan.state is State.SENT:
        at_the_server(here, lambda plane: plane.plans.cancel(plan.id))
    plan.state = State.CANCELLED
    plans.save(plan)
    if here.json:
        out.json(plan)
    else:
        out.note(f"Plan {plan.number} is given up.")


def _send(here: Invocation, number: str | None) -> None:
    out = Output(here)
    plans = Plans(folder(here)[1])
    plan = _open(plans, number)
    sent = at_the_server(here, lambda plane: plane.plans.propose(plan.id, plan.draft))
    if sent.status is PlanStatus.PROPOSED:
        plan.state = State.SENT
    plans.save(plan)
    if here.json:
        out.json(sent)
    else:
        out.note(
            f"Plan {plan.number} waits at the control plane: name, goal, tasks and risks as shown, and nothing else."
        )


def _open(plans: Plans, number: str | None) -> Kept:
    plan = plans.find(number, *OPEN)
    if plan.state not in OPEN:
        raise NoSuchPlan(f"Plan {plan.number} is {plan.state.value}.", remedy="See: locus plan --list")
    return plan
