"""Deciding about a plan: here for one that is only here, at the control plane for one that is, or may be, there."""

from contextlib import suppress

from locus.cli.beside.plan_server import asked_about, look, take
from locus.cli.invocation import Invocation
from locus.client.errors import NotFound
from locus.local.errors import LocalError
from locus.local.planning.kept import OPEN, Kept, NoSuchPlan, Plans, State
from locus.wire.plans import Plan, PlanApproval, PlanApproved


def open_one(here: Invocation, plans: Plans, number: str | None, *also: State) -> Kept:
    """The plan of that number, or the newest open one, which must be open or in one of `also`.

    About one that is at the control plane, or may be, that is asked first: somebody may have decided there.
    Raises NoSuchPlan.
    """
    plan = plans.find(number, *OPEN)
    if plan.state is State.SENT or plan.asked:
        look(here, plans)
        plan = plans.find(str(plan.number))
    if plan.state not in (*OPEN, *also):
        sprint = f": it is sprint {plan.sprint}" if plan.sprint else ""
        raise NoSuchPlan(f"Plan {plan.number} is {plan.state.value}{sprint}.", remedy="See: locus plan --list")
    return plan


def approve(here: Invocation, plans: Plans, number: str | None, *, start: bool) -> tuple[Kept, PlanApproved]:
    """Have the sprint made. Repeating it answers the same. Raises NoSuchPlan, LocalError and PlaneError."""
    seen = {plan.id: plan.draft for plan in plans.all()}
    plan = open_one(here, plans, number, State.APPROVED)
    if plan.state is State.SENT and plan.draft != seen.get(plan.id):
        raise LocalError(
            f"Plan {plan.number} was changed at the control plane since you saw it.",
            remedy=f"Look at it: locus plan --show {plan.number}",
        )
    # One request, whatever happened before: the server makes everything at once, and only the first time.
    approval = PlanApproval(plan=plan.draft, start=start)
    made = asked_about(here, plans, plan, lambda plane: plane.plans.approve(plan.id, approval))
    plan.state, plan.sprint = State.APPROVED, made.sprint.number
    plans.save(plan)
    return plan, made


def send(here: Invocation, plans: Plans, number: str | None) -> tuple[Kept, Plan]:
    """Have others decide. Raises NoSuchPlan, LocalError and PlaneError."""
    plan = open_one(here, plans, number)
    sent = asked_about(here, plans, plan, lambda plane: plane.plans.propose(plan.id, plan.draft))
    take(plan, sent)
    plan.there = sent.version
    plans.save(plan)
    return plan, sent


def cancel(here: Invocation, plans: Plans, number: str | None) -> Kept:
    """Give a plan up. Raises NoSuchPlan, LocalError and PlaneError."""
    plan = open_one(here, plans, number)
    if plan.state is State.SENT or plan.asked:
        with suppress(NotFound):  # it never came there
            asked_about(here, plans, plan, lambda plane: plane.plans.cancel(plan.id))
    plan.state = State.CANCELLED
    plans.save(plan)
    return plan


def reject(here: Invocation, plans: Plans, plan: Kept, feedback: str) -> None:
    """Write down that a plan is rejected, and why. The feedback goes with every plan that is made instead.

    Raises LocalError and PlaneError.
    """
    if plan.state is State.SENT or plan.asked:
        with suppress(NotFound):
            asked_about(here, plans, plan, lambda plane: plane.plans.reject(plan.id, feedback))
    plan.state = State.REJECTED
    if feedback not in plan.feedback:
        plan.feedback.append(feedback)
    plans.save(plan)
