"""The life of a sprint: planned, active, completed, and never back. No I/O."""

from collections.abc import Mapping
from datetime import date

from locus.server.errors import Conflict, Invalid
from locus.wire.problems import FieldProblem
from locus.wire.sprints import OpenTasks, Sprint, SprintCompletion, SprintStatus, TaskCounts

NEXT: Mapping[SprintStatus, frozenset[SprintStatus]] = {
    SprintStatus.PLANNED: frozenset({SprintStatus.ACTIVE}),
    SprintStatus.ACTIVE: frozenset({SprintStatus.COMPLETED}),
    SprintStatus.COMPLETED: frozenset(),
}


def check_transition(sprint: Sprint, wanted: SprintStatus) -> None:
    """Refuse what the table does not list."""
    if wanted not in NEXT[sprint.status]:
        raise Conflict(
            f"Sprint {sprint.number} is {sprint.status.value}; it cannot become {wanted.value}.",
            code="transition_refused",
        )


def check_dates(starts_on: date | None, ends_on: date | None) -> None:
    """Refuse a sprint that ends before it starts."""
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise Invalid.field("ends_on", "must not be before starts_on")


def check_completion(sprint: Sprint, wish: SprintCompletion) -> None:
    """Refuse a completion that leaves open what becomes of open work, or contradicts itself."""
    check_transition(sprint, SprintStatus.COMPLETED)
    if wish.next_sprint_id is not None:
        if wish.open_tasks is not OpenTasks.TO_NEXT_SPRINT:
            raise Invalid.field("next_sprint_id", "belongs to open_tasks = to_next_sprint only")
        if wish.next_sprint_id == sprint.id:
            raise Invalid.field("next_sprint_id", "is the sprint that ends")
    if wish.open_tasks is None and (said := unfinished(sprint.tasks)):
        choices = ", ".join(choice.value for choice in OpenTasks)
        raise Conflict(
            f"Sprint {sprint.number} has tasks that are not done: {said}. "
            f"Say in open_tasks what becomes of them: {choices}.",
            code="open_tasks",
            errors=[FieldProblem(field="open_tasks", message=f"must be one of {choices}: {said}")],
        )


def check_deletable(sprint: Sprint) -> None:
    """Refuse to delete a sprint in which work was done: its history would lose its place."""
    if sprint.status is not SprintStatus.PLANNED and total(sprint.tasks):
        raise Conflict(
            f"Sprint {sprint.number} is {sprint.status.value} and has tasks. Move them out of it first.",
            code="sprint_has_tasks",
        )


def unfinished(tasks: TaskCounts) -> str:
    """What is not done, in words ("2 in the backlog, 1 in review"); empty when everything is."""
    counts = (
        (tasks.backlog, "in the backlog"),
        (tasks.in_progress, "in progress"),
        (tasks.in_review, "in review"),
        (tasks.blocked, "blocked"),
    )
    return ", ".join(f"{count} {where}" for count, where in counts if count)


def total(tasks: TaskCounts) -> int:
    return tasks.backlog + tasks.in_progress + tasks.in_review + tasks.done + tasks.blocked
