"""Completing a sprint: what becomes of its tasks is said, never assumed."""

import asyncio
from uuid import uuid4

import pytest
from tests.server.tasks.planning import Planner, handed_in, held, refused, told, until_somebody_waits

from locus.wire.events import EventKind
from locus.wire.sprints import Sprint, SprintStatus
from locus.wire.tasks import Status, Task


async def sprint_with_work(plan: Planner) -> tuple[Sprint, list[Task]]:
    """An active sprint with one task in the backlog, one in review, one blocked and one done."""
    sprint = await plan.sprint(start=True)
    tasks = await plan.tasks(4, sprint_id=sprint.id)
    await handed_in(plan.server.pool, tasks[1])
    await plan.status(tasks[2], "BLOCKED")
    await plan.status(tasks[3], "DONE")
    return sprint, tasks


async def test_open_tasks_need_a_choice_and_are_counted_in_the_refusal(plan: Planner) -> None:
    sprint, _ = await sprint_with_work(plan)

    problem = refused(await plan.complete(sprint), 409, "open_tasks", "open_tasks")

    assert "1 in the backlog, 1 in review, 1 blocked" in problem.detail
    assert told(await plan.api.get(plan.path("/sprints/active")), Sprint).number == 1


@pytest.mark.parametrize("choice", ["keep", "to_backlog", "to_next_sprint"])
async def test_open_tasks_go_where_the_choice_says_and_nothing_is_approved(plan: Planner, choice: str) -> None:
    sprint, tasks = await sprint_with_work(plan)
    later = await plan.sprint("Later")
    await plan.sprint("Much later")
    there = await plan.task("There", sprint_id=later.id)

    completed = told(await plan.complete(sprint, open_tasks=choice), Sprint)

    assert completed.status is SprintStatus.COMPLETED
    assert completed.completed_at is not None
    after = [await plan.read(task) for task in tasks]
    assert [task.status for task in after] == [Status.BACKLOG, Status.IN_REVIEW, Status.BLOCKED, Status.DONE]
    home = {"keep": sprint.id, "to_backlog": None, "to_next_sprint": later.id}[choice]
    assert [task.sprint_id for task in after] == [home, home, home, sprint.id]
    if choice == "to_next_sprint":
        assert await plan.keys(sprint="2") == [there.key, *(task.key for task in tasks[:3])]
    moved = [event for event in await plan.events() if event.kind is EventKind.TASK_MOVED]
    assert [event.sprint_id for event in moved] == ([] if choice == "keep" else [home] * 3)
    assert (await plan.events())[-1].kind is EventKind.SPRINT_COMPLETED


async def test_the_next_sprint_may_be_named_and_must_be_planned_and_here(plan: Planner) -> None:
    sprint, tasks = await sprint_with_work(plan)
    await plan.sprint("Second")
    third = await plan.sprint("Third")
    foreign = await plan.server.foreign()
    theirs = await plan.server.pool.fetchval(
        "INSERT INTO sprints (workspace_id, number, name) VALUES ($1, 1, 'S') RETURNING id", foreign.id
    )

    answers = [
        refused(await plan.complete(sprint, open_tasks="to_next_sprint", next_sprint_id=wrong), 422)
        for wrong in (theirs, uuid4())
    ]
    assert answers[0] == answers[1]
    refused(
        await plan.complete(sprint, open_tasks="to_next_sprint", next_sprint_id=sprint.id), 422, field="next_sprint_id"
    )
    refused(await plan.complete(sprint, open_tasks="keep", next_sprint_id=third.id), 422, field="next_sprint_id")

    told(await plan.complete(sprint, open_tasks="to_next_sprint", next_sprint_id=third.id), Sprint)
    assert (await plan.read(tasks[0])).sprint_id == third.id


async def test_without_a_planned_sprint_there_is_no_next_one(plan: Planner) -> None:
    sprint, _ = await sprint_with_work(plan)

    refused(await plan.complete(sprint, open_tasks="to_next_sprint"), 422, field="next_sprint_id")


@pytest.mark.parametrize("choice", [None, "keep", "to_backlog", "to_next_sprint"])
async def test_a_sprint_in_which_an_agent_works_is_not_completed(plan: Planner, choice: str | None) -> None:
    sprint, tasks = await sprint_with_work(plan)
    await plan.sprint("Later")
    await held(plan.server.pool, tasks[0])

    problem = refused(await plan.complete(sprint, open_tasks=choice), 409, "task_is_held")

    assert "Cancel" in problem.detail
    assert (await plan.read(tasks[0])).sprint_id == sprint.id


async def test_a_sprint_of_done_tasks_is_completed_without_a_choice_and_once(plan: Planner) -> None:
    sprint = await plan.sprint(start=True)
    await plan.status(await plan.task(sprint_id=sprint.id), "DONE")

    assert told(await plan.complete(sprint), Sprint).status is SprintStatus.COMPLETED
    refused(await plan.complete(sprint), 409, "transition_refused")
    refused(await plan.api.post(plan.path("/sprints/1/start")), 409, "transition_refused")


async def test_a_planned_sprint_is_not_completed(plan: Planner) -> None:
    sprint = await plan.sprint()

    refused(await plan.complete(sprint, open_tasks="keep"), 409, "transition_refused")


async def test_no_open_task_slips_into_a_sprint_that_is_being_completed(plan: Planner) -> None:
    for _ in range(5):
        sprint = await plan.sprint(start=True)
        draft = {"title": "T", "sprint_id": str(sprint.id)}

        completed, created = await asyncio.gather(plan.complete(sprint), plan.api.post(plan.path("/tasks"), json=draft))

        assert sorted((completed.status_code, created.status_code)) in ([200, 409], [201, 409])
        if completed.status_code == 409:
            refused(completed, 409, "open_tasks")
            assert (await plan.complete(sprint, open_tasks="to_backlog")).status_code == 200


async def test_a_claim_under_way_is_waited_for(plan: Planner) -> None:
    sprint = await plan.sprint(start=True)
    task = await plan.task(sprint_id=sprint.id)
    async with plan.server.pool.acquire() as db:
        claim = db.transaction()
        await claim.start()
        await held(db, task)

        completing = asyncio.create_task(plan.complete(sprint, open_tasks="to_backlog"))
        await until_somebody_waits(plan.server.pool)
        await claim.commit()

    refused(await completing, 409, "task_is_held")
