"""What a plan must be, what may become of it, and what so many tasks may take. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from random import Random

from locus.server.errors import Conflict, Invalid, Stale
from locus.wire.plans import PlanDraft, PlanForecast, PlanStatus, Range

NEXT: Mapping[PlanStatus, frozenset[PlanStatus]] = {
    PlanStatus.PROPOSED: frozenset({PlanStatus.APPROVED, PlanStatus.REJECTED, PlanStatus.CANCELLED}),
    PlanStatus.APPROVED: frozenset(),
    PlanStatus.REJECTED: frozenset(),
    PlanStatus.CANCELLED: frozenset(),
}
LEAST_HISTORY = 5  # finished tasks, below which a range would be a guess
DRAWS = 400
LOW, HIGH = 0.1, 0.9


def check(draft: PlanDraft) -> None:
    """Refuse a plan whose tasks cannot be told apart, or wait for what is not there, or for each other.

    Raises:
        Invalid: it names the field.
    """
    refs = [task.ref for task in draft.tasks]
    for at, task in enumerate(draft.tasks):
        if task.ref in refs[:at]:
            raise Invalid.field(f"tasks.{at}.ref", f"{task.ref!r} is another task's")
        for unknown in (ref for ref in task.depends_on if ref not in refs):
            raise Invalid.field(f"tasks.{at}.depends_on", f"names {unknown!r}, which is no task of this plan")
        if len({label.casefold() for label in task.labels}) != len(task.labels):
            raise Invalid.field(f"tasks.{at}.labels", "must not have the same label twice")
    try:
        TopologicalSorter({task.ref: task.depends_on for task in draft.tasks}).prepare()
    except CycleError as e:
        circle = " -> ".join(reversed(e.args[1]))
        raise Invalid.field("tasks", f"wait for each other: {circle}") from e


def check_transition(status: PlanStatus, wanted: PlanStatus) -> None:
    """Refuse what the table does not list."""
    if wanted not in NEXT[status]:
        raise Conflict(
            f"The plan is {status.value}; it cannot become {wanted.value}.", code=f"plan_is_{status.value.lower()}"
        )


def check_version(version: int, expected: int | None) -> None:
    """Refuse a decision about a version that is not the one that waits."""
    if expected is not None and version != expected:
        raise Stale("The plan was changed after you opened it. Look at it again, then decide.")


@dataclass(frozen=True)
class Took:
    """What one finished task took, over all its attempts; None is not known."""

    usd_micros: int | None
    agent_ms: int | None


def forecast(tasks: int, history: Sequence[Took]) -> PlanForecast:
    """What `tasks` tasks may take when they are like the finished ones.

    Sums of tasks drawn from history, with replacement: what varies little gives a narrow range, and one task that was
    ten times dearer than the others shows in the upper bound. The same history gives the same answer.
    """
    return PlanForecast(
        tasks=tasks,
        history=len(history),
        usd_micros=_range(tasks, [one.usd_micros for one in history if one.usd_micros is not None]),
        agent_ms=_range(tasks, [one.agent_ms for one in history if one.agent_ms is not None]),
    )


def _range(tasks: int, known: Sequence[int]) -> Range | None:
    if len(known) < LEAST_HISTORY:
        return None
    chance = Random(20)  # noqa: S311 - a fixed beginning, so that asking twice gives one answer
    sums = sorted(sum(chance.choices(known, k=tasks)) for _ in range(DRAWS))
    low, middle, high = (sums[round(share * (DRAWS - 1))] for share in (LOW, 0.5, HIGH))
    return Range(low=low, middle=middle, high=high)
