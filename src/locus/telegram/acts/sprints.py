"""Sprints: looking at them, starting one, completing one."""

from collections.abc import Mapping

from locus.client.tasks import Filter
from locus.telegram import views
from locus.telegram.acts.look import SHOWN, some
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.markup import Line, bold, plain
from locus.telegram.presses import Do, No, Run
from locus.wire.sprints import OpenTasks, SprintCompletion, SprintStatus

WHERE = {
    OpenTasks.TO_BACKLOG: "to the backlog",
    OpenTasks.TO_NEXT_SPRINT: "to the next sprint",
    OpenTasks.KEEP: "they stay in it",
}


async def _sprints(asked: Asked, _: Order) -> None:
    plane = await asked.plane()
    found = await some(plane.sprints.all(), SHOWN + 1)
    told: list[Line] = []
    for sprint in found[:SHOWN]:
        told += [*views.sprint(sprint)[:2], ""]
    asked.say(told or ["No sprint yet."])


async def _sprint(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    sprint = await plane.sprints.get(order.number or "active")
    tasks = await some(plane.tasks.all(Filter(sprint=str(sprint.number))), 101)
    told = [*views.sprint(sprint), "", *views.tasks(tasks, title="Tasks", most=SHOWN, none="It has no tasks.")]
    buttons = []
    if asked.project is not None and sprint.status is SprintStatus.ACTIVE:
        buttons = [[asked.button("▶ Run", Run(Order(verb="run"), asked.project))]]
    asked.say(told, buttons=buttons)


async def _start(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    assert order.number is not None
    sprint = await plane.sprints.start(order.number)
    asked.say(f"▶ {bold(f'Sprint {sprint.number}')} · {plain(sprint.name)} is active. /run lets an agent work.")


async def _complete(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    sprint = await plane.sprints.get(order.number or "active")
    if asked.confirmed:
        then = OpenTasks(order.word) if order.word else None
        done = await plane.sprints.complete(sprint.id, SprintCompletion(open_tasks=then))
        asked.say(f"✓ {bold(f'Sprint {done.number}')} is completed: {done.tasks.done} tasks done.")
        return
    counts = sprint.tasks
    left = counts.backlog + counts.in_progress + counts.in_review + counts.blocked
    question = [*views.sprint(sprint)[:2], f"Complete it? {left} tasks are not done." if left else "Complete it?"]
    ways = (OpenTasks.TO_BACKLOG, OpenTasks.KEEP) if left else (None,)
    rows = []
    for way in ways:
        label = f"Complete: {WHERE[way]}" if way else "Complete"
        wish = Order(verb="completesprint", number=sprint.number, word=way.value if way else None)
        rows.append([asked.button(label, Do(wish, asked.project or ""), lasts=60.0)])
    asked.say(question, buttons=[*rows, [asked.button("No", No(), lasts=60.0)]])


HANDLERS: Mapping[str, Handler] = {
    "sprints": _sprints,
    "sprint": _sprint,
    "startsprint": _start,
    "completesprint": _complete,
}
