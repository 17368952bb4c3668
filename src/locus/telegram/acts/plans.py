"""Plans: having one made, taking it, having another made, giving it up. Of tasks, the same words judge their work."""

from collections.abc import Mapping, Sequence

import msgspec

from locus.local.planning.sums import sums
from locus.telegram.acts import agent, judge
from locus.telegram.buttons import CONFIRM
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.jobs import Job
from locus.telegram.markup import Line, bold, code, plain, prose
from locus.telegram.outbox import Button
from locus.telegram.presses import Ask, Run
from locus.wire.plans import PlanForecast

SHOWN = 25  # tasks of a plan, and plans of a list
RISKS = 3
DECIDABLE = 5  # plans of a list that have buttons
OPEN = frozenset({"proposed", "sent"})
STATES = {"sent": "waits at the control plane", "rejected": "sent back", "cancelled": "given up"}


class PlannedTask(msgspec.Struct):
    title: str
    ref: str = ""
    estimate_minutes: int | None = None
    depends_on: list[str] = []


class Risk(msgspec.Struct):
    description: str


class Draft(msgspec.Struct):
    name: str
    goal: str = ""
    tasks: list[PlannedTask] = []
    risks: list[Risk] = []


class Plan(msgspec.Struct):
    """What `locus plan --json` says, as far as a phone shows it."""

    number: int
    goal: str
    state: str
    draft: Draft
    sprint: int | None = None
    forecast: PlanForecast | None = None


class MadeSprint(msgspec.Struct):
    number: int
    name: str


class MadeTask(msgspec.Struct):
    key: str


class Made(msgspec.Struct):
    """What `locus plan --approve --json` says."""

    sprint: MadeSprint
    tasks: list[MadeTask]


# The arguments of `locus plan` for each order; words go in on standard input, numbers are numbers.


def plan_arguments() -> tuple[str, ...]:
    return ("plan", "--json", "-")


def list_arguments() -> tuple[str, ...]:
    return ("plan", "--json", "--list")


def show_arguments(number: int) -> tuple[str, ...]:
    return ("plan", "--json", "--show", f"{number:d}")


def approve_arguments(number: int) -> tuple[str, ...]:
    return ("plan", "--json", "--approve", f"{number:d}")


def reject_arguments(number: int) -> tuple[str, ...]:
    return ("plan", "--json", "--reject=-", f"{number:d}")


def cancel_arguments(number: int) -> tuple[str, ...]:
    return ("plan", "--json", "--cancel", f"{number:d}")


async def _plan(asked: Asked, order: Order) -> None:
    await _made(asked, plan_arguments(), order.text or "")


async def _made(asked: Asked, arguments: Sequence[str], words: str) -> None:
    desk, chat = asked.desk, asked.person.chat

    async def told(plan: Plan, job: Job) -> None:
        desk.outbox.say(chat, _lines(plan), buttons=[_buttons(asked, plan)], once=f"plan:{job.id}")

    await agent.ask(asked, arguments, kind="plan", title="Plan", words=words, answer=Plan, told=told)


async def _plans(asked: Asked, _: Order) -> None:
    """The plans of this machine and those that wait at the control plane; the newest open one in full."""
    found = await agent.answer_of(asked, list_arguments(), list[Plan])
    told: list[Line] = []
    for plan in found[:SHOWN]:
        state = f"sprint {plan.sprint}" if plan.sprint else STATES.get(plan.state, plan.state)
        told.append(f"{plan.number} {bold(plan.draft.name)} · {_tasks(plan)} · {plain(state)}")
    open_ = [plan for plan in found[:SHOWN] if plan.state in OPEN][:DECIDABLE]
    if open_:
        newest = await agent.answer_of(asked, show_arguments(open_[0].number), Plan)  # with its forecast
        told += ["", *_lines(newest)]
    asked.say(told or ["No plan was made here yet. /plan GOAL"], buttons=[_buttons(asked, plan) for plan in open_])


async def _approve(asked: Asked, order: Order) -> None:
    if order.number is None:
        await judge.approve(asked, order)
        return
    made = await agent.answer_of(asked, approve_arguments(order.number), Made)
    keys = ", ".join(task.key for task in made.tasks)
    start = Run(Order(verb="startsprint", number=made.sprint.number), asked.project or "")
    asked.say(
        f"✓ Plan {order.number} is sprint {made.sprint.number}, {bold(made.sprint.name)}: {plain(keys, most=600)}",
        buttons=[[asked.button("▶ Start it", start)]],
    )


async def _reject(asked: Asked, order: Order) -> None:
    if order.number is None:
        await judge.reject(asked, order)
        return
    await _made(asked, reject_arguments(order.number), order.text or "")


async def _cancel(asked: Asked, order: Order) -> None:
    if order.number is None:
        await judge.cancel(asked, order)
        return
    if not asked.confirmed:
        asked.confirm(f"Give up plan {order.number}?", "Give it up", order)
        return
    plan = await agent.answer_of(asked, cancel_arguments(order.number), Plan)
    asked.say(f"Plan {plan.number}, {bold(plan.draft.name)}, is given up.")


def _tasks(plan: Plan) -> str:
    count = len(plan.draft.tasks)
    return f"{count} task{'s' * (count != 1)}"


def _lines(plan: Plan) -> list[Line]:
    told: list[Line] = [f"<b>Plan {plan.number}</b> · {bold(plan.draft.name)}", *prose(plan.draft.goal, most=500), ""]
    tasks = plan.draft.tasks
    place = {task.ref: number for number, task in enumerate(tasks, 1)}
    for number, task in enumerate(tasks[:SHOWN], 1):
        waits = ", ".join(str(one) for one in sorted({place[ref] for ref in task.depends_on if ref in place}))
        told.append(f"{number}. {plain(task.title)}{f' (after {waits})' if waits else ''}")
    if len(tasks) > SHOWN:
        told.append(f"… and {len(tasks) - SHOWN} more")
    told += ["", *(plain(said, most=300) for said in sums([task.estimate_minutes for task in tasks], plan.forecast))]
    told += [f"Risk: {plain(risk.description, most=200)}" for risk in plan.draft.risks[:RISKS]]
    return [*told, "", f"All of it: {code(f'locus plan --show {plan.number}')}"]


def _buttons(asked: Asked, plan: Plan) -> list[Button]:
    project = asked.project or ""
    return [
        asked.button(f"✓ Take {plan.number}", Run(Order(verb="approve", number=plan.number), project)),
        asked.button("✗ Another", Ask(Order(verb="reject", number=plan.number), project)),
        asked.button("Give up", Run(Order(verb="cancel", number=plan.number), project), lasts=60 * CONFIRM),
    ]


HANDLERS: Mapping[str, Handler] = {
    "plan": _plan,
    "plans": _plans,
    "approve": _approve,
    "reject": _reject,
    "cancel": _cancel,
}
