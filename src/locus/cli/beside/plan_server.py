"""What the control plane is asked about plans: one request each, and what became of those that are there."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from locus.cli import session
from locus.cli.beside import voice
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.client.errors import NotFound, NotSignedIn, PlaneError, Refused, Unreachable
from locus.client.plane import ControlPlane
from locus.local.errors import LocalError
from locus.local.planning.kept import Kept, Plans, State
from locus.wire.plans import Plan, PlanForecast, PlanStatus

T = TypeVar("T")
A_MOMENT = 10.0  # seconds
DECIDED = {
    PlanStatus.APPROVED: State.APPROVED,
    PlanStatus.REJECTED: State.REJECTED,
    PlanStatus.CANCELLED: State.CANCELLED,
}


def at_the_server(here: Invocation, ask: Callable[[ControlPlane], Awaitable[T]], *, most: float | None = None) -> T:
    """Ask the control plane one thing. Raises NotSignedIn or a PlaneError.

    What can be done without is waited for `most` seconds: a network may swallow everything.
    """

    async def asked() -> T:
        try:
            async with asyncio.timeout(most), session.plane(here) as plane:
                return await ask(plane)
        except TimeoutError:
            raise Unreachable(f"The control plane did not answer in {most or 0:.0f} seconds.") from None

    return session.run(asked())


def asked_about(here: Invocation, plans: Plans, plan: Kept, ask: Callable[[ControlPlane], Awaitable[T]]) -> T:
    """As `at_the_server`, about a plan: whatever becomes of us before the answer is here, that it was asked is kept.

    What the answer makes of the plan is for the caller to save.
    """
    plan.asked = True
    plans.save(plan)
    try:
        answer = at_the_server(here, ask)
    except (Refused, NotSignedIn):
        plan.asked = False
        plans.save(plan)
        raise
    plan.asked = False
    return answer


def forecast(here: Invocation, tasks: int) -> PlanForecast | None:
    """What this workspace's history says; nothing when there is no server to ask, which planning does not need."""
    try:
        return at_the_server(here, lambda plane: plane.plans.forecast(tasks), most=A_MOMENT)
    except (LocalError, PlaneError):
        return None


class _Found(Struct):
    """The plans that wait, the newest first, and of those that were asked about the ones that do not wait any more."""

    waiting: dict[UUID, Plan] = {}
    decided: dict[UUID, tuple[Plan, int | None]] = {}  # with the number of its sprint


def look(here: Invocation, plans: Plans) -> bool:
    """Learn which plans wait at the control plane, also those that were made elsewhere, and what became of the others.

    Returns whether it answered; without it plans are shown as they were, and who is signed in is told so.
    """
    there = [plan for plan in plans.all() if plan.state is State.SENT or plan.asked]
    try:
        found = at_the_server(here, partial(_ask, [plan.id for plan in there]), most=A_MOMENT)
    except LocalError:
        return False  # nobody has signed in
    except PlaneError as e:
        if not isinstance(e, NotSignedIn):
            voice.print_beside(Output(here), f"· {e.message} Plans are shown as they are known here.")
        return False
    for plan in there:
        _learn(plans, plan, found)
    known = {plan.id for plan in plans.all()}
    new = [plan_id for plan_id in found.waiting if plan_id not in known]
    for plan_id in reversed(new):  # the oldest gets the first number
        plans.adopt(found.waiting[plan_id])
    return True


def _learn(plans: Plans, plan: Kept, found: _Found) -> None:
    before = (plan.state, plan.asked, plan.draft, plan.there)
    plan.asked = False
    if (waiting := found.waiting.get(plan.id)) is not None:
        plan.state = State.SENT
        if waiting.version != plan.there and (plan.there is not None or plan.elsewhere):
            plan.draft = waiting.draft  # somebody has sent another version of it
        plan.there = waiting.version
    elif plan.id in found.decided:
        take(plan, *found.decided[plan.id])
    if before != (plan.state, plan.asked, plan.draft, plan.there):
        plans.save_as_read(plan)  # another command may have learned more meanwhile


def take(plan: Kept, there: Plan, sprint: int | None = None) -> None:
    """Take over what was decided about a plan at the control plane, and what was said of it."""
    plan.state = DECIDED.get(there.status, State.SENT)
    plan.sprint = sprint or plan.sprint
    if there.feedback and there.feedback not in plan.feedback:
        plan.feedback.append(there.feedback)


async def _ask(asked: Sequence[UUID], plane: ControlPlane) -> _Found:
    found = _Found({plan.id: plan async for plan in plane.plans.all(status=PlanStatus.PROPOSED)})
    for plan_id in asked:
        if plan_id in found.waiting:
            continue
        with suppress(NotFound):
            plan = await plane.plans.get(plan_id)
            found.decided[plan_id] = (plan, None)
            if plan.sprint_id is not None:
                found.decided[plan_id] = (plan, (await plane.sprints.get(plan.sprint_id)).number)
    return found
