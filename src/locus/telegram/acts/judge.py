"""A person's decisions about tasks. Feedback becomes a rejection on the control plane, which the next prompt quotes."""

from collections.abc import Mapping

from locus.local.text import WORDS
from locus.telegram.desk import Asked, Handler
from locus.telegram.grammar import Order
from locus.telegram.markup import code, plain
from locus.telegram.presses import Approve, Question, Reject
from locus.wire.tasks import Status, StatusChange, Task

CHANGED = "{} has moved on since that message. Look at it again: /task {}"


async def _decide(asked: Asked, key: str, change: StatusChange, said: str) -> Task:
    plane = await asked.plane()
    task = await plane.tasks.set_status(key, change)
    asked.say(f"{said.format(code(task.key))} {plain(task.title)}")
    return task


async def approve(asked: Asked, order: Order) -> None:
    await _decide(asked, _key(order), StatusChange(status=Status.DONE), "✓ {} is done:")


async def reject(asked: Asked, order: Order) -> None:
    change = StatusChange(status=Status.BACKLOG, feedback=order.text)
    await _decide(asked, _key(order), change, "↺ {} goes back; the next attempt reads what you said:")


async def _again(asked: Asked, order: Order) -> None:
    change = StatusChange(status=Status.BACKLOG, feedback=order.text)
    await _decide(asked, _key(order), change, "○ {} can be taken again:")


async def cancel(asked: Asked, order: Order) -> None:
    plane = await asked.plane()
    task = await plane.tasks.get(_key(order))
    if not asked.confirmed:
        asked.confirm(
            f"Stop the agent on {code(task.key)} {plain(task.title)}? Its work so far is kept on its machine.",
            "Stop it",
            order,
        )
        return
    await plane.dispatch.cancel(task.key)
    asked.say(f"The agent on {code(task.key)} is told with its next heartbeat.")


def _key(order: Order) -> str:
    assert order.key is not None
    return order.key


# ---- by buttons


async def _as_shown(asked: Asked, key: str, fence: int) -> Task | None:
    """The task, if it is still what the message showed; says so when it is not."""
    plane = await asked.plane()
    task = await plane.tasks.get(key)
    if task.status is not Status.IN_REVIEW or task.fence != fence:
        asked.say(CHANGED.format(f"{code(key)} ({WORDS[task.status]})", key))
        return None
    return task


async def approve_shown(asked: Asked, press: Approve) -> None:
    """Accept the attempt that was shown."""
    if await _as_shown(asked, press.key, press.fence) is not None:
        await approve(asked, Order(verb="approvetask", key=press.key))


async def ask_feedback(asked: Asked, press: Reject) -> None:
    """Ask what is missing; the answer is a reply to this message."""
    task = await _as_shown(asked, press.key, press.fence)
    if task is None:
        return
    question = Question(press.project, Order(verb="rejecttask", key=press.key), press.fence)
    asked.ask([f"What is missing in {code(task.key)} {plain(task.title)}?"], question)


async def still_as_shown(asked: Asked, question: Question) -> bool:
    """Whether what a question is about has not moved on; says so when it has."""
    order = question.order
    if question.fence is None or order.key is None:
        return True
    return await _as_shown(asked, order.key, question.fence) is not None


HANDLERS: Mapping[str, Handler] = {
    "approvetask": approve,
    "rejecttask": reject,
    "retry": _again,
    "unblock": _again,
}
