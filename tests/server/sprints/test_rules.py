"""The life of a sprint, on paper."""

from datetime import UTC, date, datetime
from itertools import product
from uuid import UUID, uuid4

import pytest

from locus.server.errors import Conflict, Invalid
from locus.server.sprints import rules
from locus.wire.sprints import OpenTasks, Sprint, SprintCompletion, SprintStatus, TaskCounts

PLANNED, ACTIVE, COMPLETED = SprintStatus
NOW = datetime(2031, 1, 1, tzinfo=UTC)


def sprint(status: SprintStatus, **counts: int) -> Sprint:
    return Sprint(
        id=UUID(int=1),
        workspace_id=UUID(int=2),
        number=3,
        name="Sign-in",
        goal="",
        status=status,
        starts_on=None,
        ends_on=None,
        started_at=None,
        completed_at=None,
        tasks=TaskCounts(**counts),
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.mark.parametrize(("current", "wanted"), list(product(SprintStatus, SprintStatus)))
def test_a_sprint_goes_forward_only(current: SprintStatus, wanted: SprintStatus) -> None:
    if (current, wanted) in {(PLANNED, ACTIVE), (ACTIVE, COMPLETED)}:
        rules.check_transition(sprint(current), wanted)
    else:
        with pytest.raises(Conflict) as refusal:
            rules.check_transition(sprint(current), wanted)
        assert refusal.value.code == "transition_refused"


@pytest.mark.parametrize("status", ["backlog", "in_progress", "in_review", "blocked"])
@pytest.mark.parametrize("choice", [None, *OpenTasks])
def test_a_sprint_with_unfinished_tasks_is_completed_with_a_choice_only(status: str, choice: OpenTasks | None) -> None:
    unfinished = sprint(ACTIVE, done=5, **{status: 2})

    if choice is None:
        with pytest.raises(Conflict, match="2 ") as refusal:
            rules.check_completion(unfinished, SprintCompletion())
        assert refusal.value.code == "open_tasks"
        assert refusal.value.errors[0].field == "open_tasks"
    else:
        rules.check_completion(unfinished, SprintCompletion(open_tasks=choice))


def test_a_sprint_of_done_tasks_needs_no_choice() -> None:
    rules.check_completion(sprint(ACTIVE, done=5), SprintCompletion())


def test_a_next_sprint_is_named_only_where_tasks_go_to_it() -> None:
    for choice in (None, OpenTasks.KEEP, OpenTasks.TO_BACKLOG):
        with pytest.raises(Invalid, match="next_sprint_id"):
            rules.check_completion(sprint(ACTIVE), SprintCompletion(open_tasks=choice, next_sprint_id=uuid4()))
    with pytest.raises(Invalid, match="next_sprint_id"):
        wish = SprintCompletion(open_tasks=OpenTasks.TO_NEXT_SPRINT, next_sprint_id=UUID(int=1))
        rules.check_completion(sprint(ACTIVE), wish)


def test_only_a_planned_or_an_empty_sprint_is_deleted() -> None:
    rules.check_deletable(sprint(PLANNED, backlog=3, done=1))
    rules.check_deletable(sprint(ACTIVE))
    rules.check_deletable(sprint(COMPLETED))
    for status in (ACTIVE, COMPLETED):
        with pytest.raises(Conflict) as refusal:
            rules.check_deletable(sprint(status, done=1))
        assert refusal.value.code == "sprint_has_tasks"


def test_a_sprint_does_not_end_before_it_starts() -> None:
    early, late = date(2031, 1, 1), date(2031, 1, 2)

    for starts_on, ends_on in ((early, late), (early, early), (None, early), (late, None), (None, None)):
        rules.check_dates(starts_on, ends_on)
    with pytest.raises(Invalid, match="ends_on"):
        rules.check_dates(late, early)
