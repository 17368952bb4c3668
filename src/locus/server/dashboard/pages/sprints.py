"""Sprints: all of them with the pace of the workspace, and one with its history, its cost and its proof."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from locus.server.dashboard import answers, forms
from locus.server.dashboard.charts import bars
from locus.server.dashboard.charts.burndown import burndown
from locus.server.dashboard.charts.flow import flow
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.toast import Toast
from locus.server.events.log import Log
from locus.server.plans import store as plans
from locus.server.sprints import actions, figures, matrix, pull_request, reports, rules, store
from locus.wire.sprints import Sprint, SprintCompletion, SprintDraft, SprintEdit, SprintStatus

SHOWN = 100
ALL = "/w/{workspace:str}/sprints"
ONE = ALL + "/{sprint:str}"


@get(ALL)
async def sprints(page: NamedDependency[Page], log: NamedDependency[Log]) -> Response[bytes]:
    """Every sprint, the newest first, and how fast the workspace is."""
    found = await store.listed(log.pool, page.id, below=None, limit=SHOWN)
    numbers = await figures.of_workspace(log.pool, page.id)
    return page.render(
        "sprints/all.html",
        here="sprints",
        sprints=found,
        figures=numbers,
        charts_=[chart for chart in (bars.velocity(numbers.sprints), bars.cost(numbers.sprints)) if chart],
        total=rules.total,
    )


@get(ONE)
async def sprint(page: NamedDependency[Page], log: NamedDependency[Log], sprint: FromPath[str]) -> Response[bytes]:
    """One sprint."""
    sprint_id = await store.find(log.pool, page.id, sprint)
    report = await reports.of_sprint(log.pool, page.id, sprint_id)
    return page.render(
        "sprints/one.html",
        here="sprints",
        report=report,
        sprint=report.sprint,
        total=rules.total(report.sprint.tasks),
        charts_=[chart for chart in (burndown(report), flow(report.points)) if chart],
        matrix=await matrix.of_sprint(log.pool, page.id, sprint_id),
        plan=await plans.of_sprint(log.pool, page.id, sprint_id),
        request_=await pull_request.of_sprint(log.pool, page.id, sprint_id),
        planned=[
            one
            for one in await store.listed(log.pool, page.id, below=None, limit=SHOWN)
            if one.status is SprintStatus.PLANNED and one.id != sprint_id
        ],
        open=rules.unfinished(report.sprint.tasks),
    )


@post(ALL)
async def create(page: NamedDependency[Page], log: NamedDependency[Log], request: AnyRequest) -> Response[Any]:
    """Plan a sprint."""
    page.require()
    form = await forms.read(request)
    draft = forms.wire(
        SprintDraft,
        {
            "name": form.line("name"),
            "goal": form.text("goal"),
            "starts_on": form.optional("starts_on"),
            "ends_on": form.optional("ends_on"),
        },
    )
    async with log.transaction() as db:
        made = await actions.create(db, page.id, page.actor, draft)
    return answers.done(page, "/backlog", Toast(f"Sprint {made.number} planned."))


@post(ONE + "/edit")
async def edit(
    page: NamedDependency[Page], log: NamedDependency[Log], sprint: FromPath[str], request: AnyRequest
) -> Response[Any]:
    """Change what people say about a sprint."""
    page.require()
    form = await forms.read(request)
    wanted = forms.wire(
        SprintEdit,
        {
            "name": form.line("name"),
            "goal": form.text("goal"),
            "starts_on": form.optional("starts_on"),
            "ends_on": form.optional("ends_on"),
        },
    )
    async with log.transaction() as db:
        sprint_id = await store.find(db, page.id, sprint)
        made = await actions.edit(db, page.id, page.actor, sprint_id, wanted, expected=version(form))
    return answers.done(page, f"/sprints/{made.number}", Toast(f"Sprint {made.number} saved."))


@post(ONE + "/start")
async def start(page: NamedDependency[Page], log: NamedDependency[Log], sprint: FromPath[str]) -> Response[Any]:
    """Make a planned sprint the active one."""
    page.require()
    async with log.transaction(work=page.id) as db:
        made = await actions.start(db, page.id, page.actor, await store.find(db, page.id, sprint))
    said = f"Sprint {made.number} is active. Agents take its tasks."
    return answers.done(page, f"/sprints/{made.number}", Toast(said))


@post(ONE + "/complete")
async def complete(
    page: NamedDependency[Page], log: NamedDependency[Log], sprint: FromPath[str], request: AnyRequest
) -> Response[Any]:
    """End the active sprint; the form says what becomes of open tasks."""
    page.require()
    form = await forms.read(request)
    wish = forms.wire(
        SprintCompletion,
        {"open_tasks": form.optional("open_tasks"), "next_sprint_id": form.optional("next_sprint_id")},
    )
    async with log.transaction(work=page.id) as db:
        done = await actions.complete(db, page.id, page.actor, await store.find(db, page.id, sprint), wish)
    return answers.done(page, f"/sprints/{done.number}", Toast(f"Sprint {done.number} is completed."))


@post(ONE + "/delete")
async def delete(
    page: NamedDependency[Page], log: NamedDependency[Log], sprint: FromPath[str], request: AnyRequest
) -> Response[Any]:
    """Delete a sprint in which nothing was done."""
    page.require()
    form = await forms.read(request)
    async with log.transaction(work=page.id) as db:
        found: Sprint = await store.get(db, page.id, await store.find(db, page.id, sprint))
        await actions.delete(db, page.id, page.actor, found.id, expected=version(form))
    return answers.gone(page, "/sprints", Toast(f"Sprint {found.number} deleted. Its tasks are in the backlog."))


def version(form: forms.Form) -> int | None:
    """The version that the form was made from."""
    said = form.line("version")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


ROUTES = [sprints, sprint, create, edit, start, complete, delete]
