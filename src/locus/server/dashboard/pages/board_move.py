"""Moving a card: to another column, which is a decision, or to another place in its order."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency

from locus.server.dashboard import answers, forms, words
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.task_decide import asks, change, decided, question
from locus.server.dashboard.pages.task_edit import find
from locus.server.dashboard.toast import Toast, Undo
from locus.server.db.pool import Db
from locus.server.errors import Conflict, Invalid, NotFound
from locus.server.events.log import Log
from locus.server.tasks import decisions, moves
from locus.wire.tasks import Status, Task, TasksMove


@post("/w/{workspace:str}/board/move", status_code=200)
async def move(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Put the card `key` into the column `status`, between the cards `before` (which it) and `after` (which it) stands.

    `was_before` and `was_after` are its neighbours until now, for the way back.
    """
    page.require()
    form = await forms.read(request)
    one = await find(log.pool, page, form.line("key"))
    wanted = forms.wire(Status, form.line("status"))
    try:
        async with log.transaction(work=page.id) as db:
            new = one
            if wanted is not one.status:
                new = await decisions.change_status(db, page.id, page.actor, one.id, change(form))
            placed = await place(db, page, form, new, moved=wanted is not one.status)
    except (Conflict, Invalid) as refusal:
        if asks(refusal):
            return question(page, one, wanted)
        raise
    toast = decided(page, one, new) if wanted is not one.status else ordered(page, one, placed, form)
    return answers.done(page, "/board", toast)


async def place(db: Db, page: Page, form: forms.Form, task: Task, *, moved: bool) -> Task:
    """Give the task its place beside a card of the same sprint. Cards that finished have no order of their own.

    Priority goes first in the order. Within a column a card takes the priority of where it is put; one that comes from
    another column keeps its own, and stands beside those that share it.
    """
    if task.status is Status.DONE:
        return task
    beside = [(side, await neighbour(db, page, form.line(side))) for side in ("before", "after")]
    known = [(side, other) for side, other in beside if other is not None and other.sprint_id == task.sprint_id]
    same = [(side, other) for side, other in known if other.priority is task.priority]
    chosen = same or ([] if moved else known)
    if not chosen:
        return task
    side, other = chosen[0]
    wish = {"task_ids": [str(task.id)], side: str(other.id)}
    if other.priority is not task.priority:
        wish["priority"] = other.priority.value
    return (await moves.move(db, page.id, page.actor, forms.wire(TasksMove, wish)))[0]


async def neighbour(db: Db, page: Page, key: str) -> Task | None:
    """A card beside which another is put; one that has gone meanwhile does not matter."""
    if not key:
        return None
    try:
        return await find(db, page, key)
    except NotFound:
        return None


def ordered(page: Page, old: Task, new: Task, form: forms.Form) -> Toast:
    """What became of a card that was put elsewhere in its column."""
    if new.position == old.position and new.priority is old.priority:
        return Toast(f"{new.key} stays where it is: cards are ordered within one sprint.", "said")
    undo = None
    if form.line("was_before") or form.line("was_after"):
        back = {"before": form.line("was_before"), "after": form.line("was_after")}
        undo = Undo(page.url("/board/move"), {"key": new.key, "status": new.status.value, **back})
    if new.priority is not old.priority:
        return Toast(f"{new.key} has {words.PRIORITY[new.priority].lower()} priority now, to stand there.", undo=undo)
    return Toast(f"{new.key} moved.", undo=undo)


ROUTES = [move]
