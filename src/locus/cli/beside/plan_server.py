"""What the control plane is asked about plans: one request each, and what became of those that wait there."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar
from uuid import UUID

from locus.cli import session
from locus.cli.invocation import Invocation
from locus.client.errors import NotFound, PlaneError
from locus.client.plane import ControlPlane
from locus.local.errors import LocalError
from locus.local.planning.kept import Plans, State
from locus.wire.plans import Plan, PlanForecast, PlanStatus

T = TypeVar("T")
DECIDED = {
    PlanStatus.APPROVED: State.APPROVED,
    PlanStatus.REJECTED: State.REJECTED,
    PlanStatus.CANCELLED: State.CANCELLED,
}


def at_the_server(here: Invocation, ask: Callable[[ControlPlane], Awaitable[T]]) -> T:
    """Ask the control plane one thing. Raises NotSignedIn or a PlaneError."""

    async def asked() -> T:
        async with session.plane(here) as plane:
            return await ask(plane)

    return session.run(asked())


def forecast(here: Invocation, tasks: int) -> PlanForecast | None:
    """What this workspace's history says; nothing when there is no server to ask, which planning does not need."""

    async def asked() -> PlanForecast:
        async with session.plane(here) as plane:
            return await plane.plans.forecast(tasks)

    try:
        return session.run(asked())
    except (LocalError, PlaneError):
        return None


def look(here: Invocation, plans: Plans) -> None:
    """Learn which plans wait at the control plane, also those that were made elsewhere, and what became of the others.

    Without it plans are shown as they were.
    """
    sent = [plan for plan in plans.all() if plan.state is State.SENT]
    try:
        waiting, decided = at_the_server(here, partial(_ask, [plan.id for plan in sent]))
    except (LocalError, PlaneError):
        return
    for plan in sent:
        if plan.id in waiting:
            if plan.elsewhere and plan.draft != waiting[plan.id].draft:
                plan.draft = waiting[plan.id].draft
                plans.save(plan)
        elif (found := decided.get(plan.id)) is not None and found.status in DECIDED:
            plan.state = DECIDED[found.status]
            if found.feedback and found.feedback not in plan.feedback:
                plan.feedback.append(found.feedback)
            plans.save(plan)
    known = {plan.id for plan in plans.all()}
    for plan_id in reversed(
        [plan_id for plan_id in waiting if plan_id not in known]
    ):  # the oldest gets the first number
        plans.adopt(waiting[plan_id])


async def _ask(sent: list[UUID], plane: ControlPlane) -> tuple[dict[UUID, Plan], dict[UUID, Plan]]:
    """The plans that wait, the newest first, and those of `sent` that do not any more."""
    waiting = {plan.id: plan async for plan in plane.plans.all(status=PlanStatus.PROPOSED)}
    decided = {}
    for plan_id in sent:
        if plan_id not in waiting:
            with suppress(NotFound):
                decided[plan_id] = await plane.plans.get(plan_id)
    return waiting, decided
