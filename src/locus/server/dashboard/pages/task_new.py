"""Creating a task, from anywhere."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from locus.server.dashboard import answers, forms, words
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.toast import Toast
from locus.server.events.log import Log
from locus.server.sprints import store as sprints
from locus.server.tasks import actions
from locus.wire.sprints import SprintStatus
from locus.wire.tasks import ChecklistItemDraft, Priority, Role, TaskDraft

OFFERED = 50  # sprints


@get("/w/{workspace:str}/tasks/new")
async def form(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[bytes]:
    """The form of a new task; as a dialog over a page, or as a page."""
    page.require()
    found = await sprints.listed(log.pool, page.id, below=None, limit=OFFERED)
    active = next((sprint for sprint in found if sprint.status is SprintStatus.ACTIVE), None)
    return page.render(
        "task/new.html" if page.fragment else "task/new_page.html",
        sprint_options=[
            ("", "No sprint"),
            *((str(one.id), f"{one.number} · {one.name}") for one in found if one.status is not SprintStatus.COMPLETED),
        ],
        sprint=request.query_params.get("sprint", str(active.id) if active else ""),
        priority_options=[(one.value, words.PRIORITY[one]) for one in Priority],
        role_options=[("", "None"), *((one.value, words.ROLE[one]) for one in Role)],
    )


@post("/w/{workspace:str}/tasks/new", status_code=200)
async def create(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Create the task."""
    page.require()
    given = await forms.read(request)
    fields: dict[str, object] = {
        "title": given.line("title"),
        "description": given.text("description"),
        "priority": given.line("priority") or Priority.MEDIUM.value,
        "role": given.optional("role"),
        "sprint_id": given.optional("sprint"),
        "labels": labels(given),
        "assignee": given.optional("assignee"),
        "checklist": [
            ChecklistItemDraft(text=line.strip()) for line in given.text("checklist").splitlines() if line.strip()
        ],
    }
    draft = forms.wire(TaskDraft, fields)
    async with log.transaction(work=page.id) as db:
        task = await actions.create(db, page.id, page.actor, draft)
    return answers.done(page, f"/tasks/{task.key}", Toast(f"{task.key} was created."))


def labels(given: forms.Form) -> object:
    """Labels between commas."""
    return [part.strip() for part in given.line("labels").split(",") if part.strip()]


ROUTES = [form, create]
