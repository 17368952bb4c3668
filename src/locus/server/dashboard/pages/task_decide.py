"""Deciding about a task: approve, send back, block, retry, cancel, delete; and the questions that come before."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.dashboard import answers, forms, words
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.board import COLUMNS
from locus.server.dashboard.pages.task import TASK
from locus.server.dashboard.pages.task_edit import find
from locus.server.dashboard.toast import Toast, Undo
from locus.server.dispatch import leases
from locus.server.errors import Conflict, Invalid
from locus.server.events.log import Log
from locus.server.tasks import actions, decisions, rules
from locus.wire.events import ActorKind
from locus.wire.tasks import Status, StatusChange, Task

# What a decision is called once it has been made, by the statuses before and after.
MADE = {
    (Status.IN_REVIEW, Status.DONE): "approved",
    (Status.IN_REVIEW, Status.BACKLOG): "sent back. The next attempt reads your feedback",
    (Status.DONE, Status.BACKLOG): "open again. The next attempt reads your feedback",
    (Status.BLOCKED, Status.BACKLOG): "unblocked. Agents may take it",
    (Status.BACKLOG, Status.BLOCKED): "blocked",
}


def made(before: Status, after: Status) -> str:
    """The end of a sentence about a decision."""
    return MADE.get((before, after), f"{words.STATUS[after].lower()} now")


@get(TASK + "/ask")
async def ask(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, task: FromPath[str]
) -> Response[bytes]:
    """The question before a decision: the feedback of a rejection, the reason of a block, open items of an approval."""
    page.require()
    one = await find(log.pool, page, task)
    wanted = forms.wire(Status, request.query_params.get("to", ""))
    rules.check_transition(ActorKind.PERSON, one.status, wanted)
    return page.render(
        "task/ask.html",
        task=one,
        to=wanted,
        rejects=(one.status, wanted) in rules.REJECTIONS,
        unticked=[item for item in one.checklist if item.check is None and not item.done],
        reasons=[(reason, words.BLOCKED[reason]) for reason in sorted(rules.PERSONS_REASONS)],
    )


@get(TASK + "/move")
async def moves(page: NamedDependency[Page], log: NamedDependency[Log], task: FromPath[str]) -> Response[bytes]:
    """Where a task may go, as a choice: what dragging does, for whoever does not drag."""
    page.require()
    one = await find(log.pool, page, task)
    return page.render(
        "task/move.html",
        task=one,
        may_become=[status for status in COLUMNS if status in rules.NEXT[ActorKind.PERSON][one.status]],
    )


@post(TASK + "/status", status_code=200)
async def decide(
    page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest, task: FromPath[str]
) -> Response[Any]:
    """Carry out a decision. What it still needs is asked for."""
    page.require()
    form = await forms.read(request)
    one = await find(log.pool, page, task)
    wish = change(form)
    try:
        async with log.transaction(work=page.id) as db:
            new = await decisions.change_status(db, page.id, page.actor, one.id, wish)
    except (Conflict, Invalid) as refusal:
        if asks(refusal) and "asked" not in form:
            return question(page, one, wish.status)
        raise
    return answers.done(page, f"/tasks/{one.key}", decided(page, one, new))


def change(form: forms.Form) -> StatusChange:
    """The decision that a form asks for."""
    fields: dict[str, object] = {"status": form.line("status"), "force": form.flag("force")}
    if feedback := form.text("feedback").strip():
        fields["feedback"] = feedback
    if reason := form.optional("reason"):
        fields["reason"] = reason
    return forms.wire(StatusChange, fields)


def asks(refusal: Conflict | Invalid) -> bool:
    """Whether a refusal is a question that a person can answer at once."""
    return refusal.code == "items_open" or any(error.field == "feedback" for error in refusal.errors)


def question(page: Page, task: Task, wanted: Status) -> Response[Any]:
    """Let the page ask."""
    address = page.url(f"/tasks/{task.key}/ask?to={wanted.value}")
    return answers.told(page, f"/tasks/{task.key}/ask?to={wanted.value}", {"locus:ask": {"url": address}})


def decided(page: Page, old: Task, new: Task) -> Toast:
    """What was decided, with the way back where there is one that loses nothing."""
    undo = None
    if (old.status, new.status) == (Status.BACKLOG, Status.BLOCKED) and not old.attempts:
        undo = Undo(page.url(f"/tasks/{new.key}/status"), {"status": Status.BACKLOG.value})
    return Toast(f"{new.key} is {made(old.status, new.status)}.", undo=undo)


@post(TASK + "/cancel", status_code=200)
async def cancel(page: NamedDependency[Page], log: NamedDependency[Log], task: FromPath[str]) -> Response[Any]:
    """Ask the worker that holds the task to stop."""
    page.require()
    async with log.transaction() as db:
        one = await find(db, page, task)
        await leases.cancel(db, page.id, one.id, page.actor)
    toast = Toast(f"{one.agent_name or 'The agent'} was asked to stop. It hears of it within seconds.")
    return answers.done(page, f"/tasks/{one.key}", toast)


@post(TASK + "/delete", status_code=200)
async def delete(page: NamedDependency[Page], log: NamedDependency[Log], task: FromPath[str]) -> Response[Any]:
    """Delete a task for good."""
    page.require()
    async with log.transaction(work=page.id) as db:
        one = await find(db, page, task)
        await actions.delete(db, page.id, page.actor, one.id, expected=None)
    return answers.gone(page, "/board", Toast(f"{one.key} was deleted."))


ROUTES = [ask, moves, decide, cancel, delete]
