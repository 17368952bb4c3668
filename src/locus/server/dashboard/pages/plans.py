"""Plans: sprints that somebody's agent proposed, and the decision about each as a whole."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from locus.server.dashboard import answers, forms, plan_drawing
from locus.server.dashboard.page import AnyRequest, Page
from locus.server.dashboard.pages.sprints import version
from locus.server.dashboard.toast import Toast
from locus.server.events.log import Log
from locus.server.http.paging import decode_cursor, encode_cursor
from locus.server.plans import actions, rules, store
from locus.server.sprints import store as sprints
from locus.wire.base import Moment
from locus.wire.plans import PlanApproval, PlanRejection, PlanStatus

SHOWN = 50
ALL = "/w/{workspace:str}/plans"
ONE = ALL + "/{plan:uuid}"

Before = Annotated[str | None, QueryParameter(max_length=200)]


@get(ALL)
async def plans(page: NamedDependency[Page], log: NamedDependency[Log], before: Before = None) -> Response[bytes]:
    """What waits for a decision, and everything that was proposed, the newest first."""
    waiting = await store.page(log.pool, page.id, status=PlanStatus.PROPOSED, after=None, limit=SHOWN)
    after = decode_cursor(before, tuple[Moment, UUID])
    found = await store.page(log.pool, page.id, status=None, after=after, limit=SHOWN + 1)
    last = found[SHOWN - 1] if len(found) > SHOWN else None
    return page.render(
        "plans/all.html",
        here="plans",
        waiting=[] if before else waiting,
        decided=[plan for plan in found[:SHOWN] if plan.status is not PlanStatus.PROPOSED],
        older=None if last is None else encode_cursor((last.created_at, last.id)),
        first=before is None,
    )


@get(ONE)
async def plan(page: NamedDependency[Page], log: NamedDependency[Log], plan: FromPath[UUID]) -> Response[bytes]:
    """One plan: what it is for, its tasks, what waits for what, its risks, and what it may take."""
    found = await store.get(log.pool, page.id, plan)
    tasks = found.draft.tasks
    minutes = [task.estimate_minutes for task in tasks if task.estimate_minutes is not None]
    sprint = None if found.sprint_id is None else await sprints.get(log.pool, page.id, found.sprint_id)
    return page.render(
        "plans/one.html",
        here="plans",
        plan=found,
        numbers={task.ref: number for number, task in enumerate(tasks, start=1)},
        drawing=plan_drawing.drawing(tasks),
        forecast=rules.forecast(len(tasks), await store.history(log.pool, page.id)),
        estimated=sum(minutes) if minutes else None,
        sprint=sprint,
    )


@post(ONE + "/approve")
async def approve(
    page: NamedDependency[Page], log: NamedDependency[Log], plan: FromPath[UUID], request: AnyRequest
) -> Response[Any]:
    """Make the sprint with all its tasks, of the version that the reader saw."""
    page.require()
    form = await forms.read(request)
    wish = PlanApproval(start=form.flag("start"))
    async with log.transaction(work=page.id) as db:
        made = await actions.approve(db, page.id, page.actor, plan, wish, expected=version(form))
    said = f"The plan is sprint {made.sprint.number} with {len(made.tasks)} tasks."
    return answers.gone(page, f"/sprints/{made.sprint.number}", Toast(said))


@post(ONE + "/reject")
async def reject(
    page: NamedDependency[Page], log: NamedDependency[Log], plan: FromPath[UUID], request: AnyRequest
) -> Response[Any]:
    """Send the plan back with what is wrong with it."""
    page.require()
    form = await forms.read(request)
    wish = forms.wire(PlanRejection, {"feedback": form.text("feedback").strip()})
    async with log.transaction() as db:
        await actions.reject(db, page.id, page.actor, plan, wish, expected=version(form))
    return answers.done(page, f"/plans/{plan}", Toast("The plan was sent back with what you wrote."))


@post(ONE + "/cancel")
async def cancel(page: NamedDependency[Page], log: NamedDependency[Log], plan: FromPath[UUID]) -> Response[Any]:
    """Give the plan up."""
    page.require()
    async with log.transaction() as db:
        await actions.cancel(db, page.id, page.actor, plan)
    return answers.done(page, f"/plans/{plan}", Toast("The plan is given up."))


ROUTES = [plans, plan, approve, reject, cancel]
