"""The backlog: open tasks by sprint, to be put in order, moved and changed many at once."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from locus.server.dashboard import answers, forms, words
from locus.server.dashboard.forms import Form
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.toast import Toast, Undo
from locus.server.events.log import Log
from locus.server.sprints import store
from locus.server.tasks import actions, moves, sections, store as tasks
from locus.wire.sprints import SprintStatus
from locus.wire.tasks import Priority, Task, TaskDraft, TasksMove

SHOWN, ALL = 100, 1000  # tasks of a section, at first and when the reader asks for them
SPRINTS = 50
COMPLETED = 8
HERE = "/w/{workspace:str}/backlog"

Text = Annotated[str | None, QueryParameter(max_length=200)]
Everything = Annotated[bool, QueryParameter()]


@get(HERE)
async def backlog(
    page: NamedDependency[Page], log: NamedDependency[Log], text: Text = None, everything: Everything = False
) -> Response[bytes]:
    """A section for the active sprint, for each planned one and for what is in none."""
    found = await store.listed(log.pool, page.id, below=None, limit=SPRINTS)
    active = [sprint for sprint in found if sprint.status is SprintStatus.ACTIVE]
    planned = sorted((one for one in found if one.status is SprintStatus.PLANNED), key=lambda one: one.number)
    limit = ALL if everything else SHOWN
    ids = [sprint.id for sprint in (*active, *planned)]
    shown = await sections.listed(log.pool, page.id, ids, text=text or None, limit=limit)
    return page.render(
        "backlog/page.html",
        here="backlog",
        text=text or "",
        everything=everything,
        shown=list(zip([*active, *planned, None], shown, strict=True)),
        open_sprints=[*active, *planned],
        completed=[sprint for sprint in found if sprint.status is SprintStatus.COMPLETED][:COMPLETED],
        unplanned=await sections.without_sprint(log.pool, page.id),
        priorities=[(priority.value, words.PRIORITY[priority]) for priority in Priority],
    )


@post(HERE + "/add")
async def add(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Create a task from its title alone."""
    page.require()
    form = await forms.read(request)
    draft = forms.wire(TaskDraft, {"title": form.line("title"), "sprint_id": form.optional("sprint")})
    async with log.transaction(work=page.id) as db:
        made = await actions.create(db, page.id, page.actor, draft)
    return answers.done(page, "/backlog", Toast(f"{made.key} created."))


@post(HERE + "/move")
async def move(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Move tasks to a sprint, to a place beside another task, or to another priority: all or none."""
    page.require()
    form = await forms.read(request)
    wish = forms.wire(TasksMove, wished(form))
    async with log.transaction(work=page.id) as db:
        before = await tasks.many(db, page.id, wish.task_ids)
        moved = await moves.move(db, page.id, page.actor, wish)
    return answers.done(page, "/backlog", Toast(said(moved), undo=undo(page, before, moved)))


@post(HERE + "/delete")
async def delete(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Delete tasks that no agent holds: all or none."""
    page.require()
    form = await forms.read(request)
    wish = forms.wire(TasksMove, {"task_ids": chosen(form)})
    async with log.transaction(work=page.id) as db:
        for task_id in sorted(wish.task_ids):
            await actions.delete(db, page.id, page.actor, task_id, expected=None)
    return answers.done(page, "/backlog", Toast(f"{words.plural(len(wish.task_ids), 'task')} deleted."))


def chosen(form: Form) -> list[str]:
    """The ticked tasks, in the order of the page."""
    return [one for value in form.many("task") for one in value.split(",")]


def wished(form: Form) -> dict[str, object]:
    """The fields of a move. An empty sprint is none; a field that is not there changes nothing."""
    fields: dict[str, object] = {"task_ids": chosen(form)}
    if "sprint" in form and form.line("sprint") != "keep":
        fields["sprint_id"] = form.optional("sprint")
    for name in ("before", "after", "priority"):
        if (value := form.optional(name)) is not None:
            fields[name] = value
    return fields


def said(moved: list[Task]) -> str:
    what = moved[0].key if len(moved) == 1 else words.plural(len(moved), "task")
    return f"{what} moved."


def undo(page: Page, before: list[Task], after: list[Task]) -> Undo | None:
    """The way back, when all tasks came from one place and went to another."""
    places: set[tuple[UUID | None, Priority]] = {(task.sprint_id, task.priority) for task in before}
    if len(places) != 1 or places == {(task.sprint_id, task.priority) for task in after}:
        return None
    [(sprint_id, priority)] = places
    fields = {
        "task": ",".join(str(task.id) for task in before),
        "sprint": str(sprint_id or ""),
        "priority": priority.value,
    }
    return Undo(page.url("/backlog/move"), fields)


ROUTES = [backlog, add, move, delete]
