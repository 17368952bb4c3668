"""Burn-down and cumulative flow, against histories that were counted by hand."""

import httpx
from tests.server.sprints.histories import History, hour
from tests.server.tasks.planning import Planner, told

from locus.server.db.pool import Pool
from locus.server.sprints import series
from locus.wire.reports import SprintPoint, SprintReport


def counts(point: SprintPoint) -> tuple[int, int, int, int, int]:
    """Backlog, in progress, in review, done, blocked."""
    return point.backlog, point.in_progress, point.in_review, point.done, point.blocked


async def test_a_burn_down_is_what_a_person_counts_by_hand(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint = await past.sprint(began=0, ended=10)
    first, second = await past.task(sprint, at=-2), await past.task(sprint, at=-1)
    await past.becomes(first, "IN_PROGRESS", at=1.5, kind="task.claimed")
    await past.becomes(first, "IN_REVIEW", at=2.5, kind="task.completed")
    await past.becomes(first, "DONE", at=4.5)
    late = await past.task(sprint, at=5.5)
    await past.becomes(second, "BLOCKED", at=6.5)
    await past.becomes(late, "DONE", at=9.5)

    found = await series.of_sprint(pool, past.workspace_id, sprint, steps=10)

    assert [point.at for point in found] == [hour(number) for number in range(11)]
    assert [counts(point) for point in found] == [
        (2, 0, 0, 0, 0),
        (2, 0, 0, 0, 0),
        (1, 1, 0, 0, 0),
        (1, 0, 1, 0, 0),
        (1, 0, 1, 0, 0),
        (1, 0, 0, 1, 0),
        (2, 0, 0, 1, 0),
        (1, 0, 0, 1, 1),
        (1, 0, 0, 1, 1),
        (1, 0, 0, 1, 1),
        (0, 0, 0, 2, 1),
    ]
    assert [series.remaining(point) for point in found] == [2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 1]


async def test_a_task_counts_in_the_sprint_it_was_in_at_that_time(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint, other = await past.sprint(began=0, ended=4), await past.sprint()
    stays, comes, goes = (await past.task(sprint, at=-1), await past.task(None, at=-1), await past.task(sprint, at=-1))
    deleted = await past.task(sprint, at=-1)
    await past.moves(comes, sprint, at=0.5)
    await past.moves(goes, other, at=1.5)
    await past.deleted(deleted, at=2.5)

    found = await series.of_sprint(pool, past.workspace_id, sprint, steps=4)

    assert [series.scope(point) for point in found] == [3, 4, 3, 2, 2]
    assert stays and [series.scope(point) for point in await series.of_sprint(pool, past.workspace_id, other)] == []


async def test_tasks_that_leave_with_the_completion_were_open_until_the_end(pool: Pool) -> None:
    past = await History.begin(pool)
    sprint = await past.sprint(began=0, ended=4)
    done, left = await past.task(sprint, at=-1), await past.task(sprint, at=-1)
    await past.becomes(done, "DONE", at=1)
    await past.moves(left, None, at=4 - 1 / 3600)

    found = await series.of_sprint(pool, past.workspace_id, sprint, steps=2)

    assert [series.remaining(point) for point in found] == [2, 1, 1]


async def test_the_history_that_requests_leave_ends_at_what_the_sprint_is_now(
    plan: Planner, api: httpx.AsyncClient
) -> None:
    sprint = await plan.sprint(start=True)
    one, two, three = await plan.tasks(3, sprint_id=sprint.id)
    await plan.edit(one, assignee="Ada")
    for status in ("IN_PROGRESS", "IN_REVIEW", "DONE"):
        assert (await plan.status(one, status)).status_code == 200
    assert (await plan.status(two, "BLOCKED")).status_code == 200
    assert (await plan.move([three], sprint_id=None)).status_code == 200

    report = told(await api.get(plan.path(f"/sprints/{sprint.number}/report")), SprintReport)

    assert counts(report.points[-1]) == (0, 0, 0, 1, 1)
    assert report.sprint.tasks.done == 1
    assert report.forecast is None  # one acceptance tells nothing
    assert report.spending.attempts == 0


async def test_a_sprint_that_has_not_begun_has_no_history(plan: Planner, api: httpx.AsyncClient) -> None:
    sprint = await plan.sprint()
    await plan.task(sprint_id=sprint.id)

    report = told(await api.get(plan.path(f"/sprints/{sprint.number}/report")), SprintReport)

    assert report.points == []
    assert report.forecast is None
