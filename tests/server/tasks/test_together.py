"""Several people at once: numbers, ticks and edits, and none is lost."""

import asyncio

from tests.server.tasks.planning import Planner, told, until_somebody_waits

from locus.wire.tasks import Task


async def test_tasks_created_at_once_are_numbered_without_gap_or_twin(plan: Planner) -> None:
    tasks = await asyncio.gather(*(plan.task(f"Task {n}") for n in range(30)))

    assert sorted(task.number for task in tasks) == list(range(1, 31))
    assert len({task.position for task in tasks}) == 30


async def test_a_refused_task_leaves_no_gap_in_the_numbers(plan: Planner) -> None:
    await plan.api.post(plan.path("/tasks"), json={"title": "T", "labels": ["x", "x"]})
    await plan.api.post(plan.path("/tasks"), json={"title": "T", "parent_id": str(plan.server.workspace.id)})

    assert (await plan.task()).number == 1


async def test_people_who_tick_different_items_at_once_lose_no_tick(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": f"Item {n}", "id": f"i{n}"} for n in range(20)])

    answers = await asyncio.gather(
        *(plan.api.patch(plan.path(f"/tasks/{task.id}/checklist/i{n}"), json={"done": True}) for n in range(20))
    )

    assert {answer.status_code for answer in answers} == {200}
    after = await plan.read(task)
    assert all(item.done for item in after.checklist)
    assert after.version == 21


async def test_of_two_edits_of_one_version_one_is_stale(plan: Planner) -> None:
    task = await plan.task()

    answers = await asyncio.gather(*(plan.edit(task, '"1"', title=f"Title {n}") for n in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    [won] = [told(answer, Task) for answer in answers if answer.status_code == 200]
    assert await plan.read(task) == won


async def test_one_create_sent_many_times_at_once_creates_one_task(plan: Planner) -> None:
    answers = await asyncio.gather(
        *(plan.post("/tasks", b'{"title": "Once"}', **{"Idempotency-Key": "same"}) for _ in range(8))
    )

    assert len({told(answer, Task, 201).id for answer in answers}) == 1
    assert len((await plan.page()).items) == 1
    assert len(await plan.events()) == 1


async def test_approving_and_rejecting_at_once_is_one_decision(plan: Planner) -> None:
    task = await plan.task()
    await plan.server.pool.execute("UPDATE tasks SET status = 'IN_REVIEW'")
    path = plan.path(f"/tasks/{task.id}/status")
    decisions = [{"status": "DONE"}, {"status": "BACKLOG", "feedback": "Not yet."}]

    answers = await asyncio.gather(
        *(plan.api.post(path, json=decision, headers={"If-Match": '"1"'}) for decision in decisions)
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_an_edit_that_waited_for_another_is_made_from_what_that_one_left(plan: Planner) -> None:
    docs = [(await plan.api.post(plan.path("/docs"), json={"title": f"Doc {n}"})).json()["id"] for n in range(2)]
    task = await plan.task(doc_ids=docs[:1])
    async with plan.server.pool.acquire() as db:
        other = db.transaction()
        await other.start()
        await db.execute("UPDATE tasks SET version = version + 1")
        await db.execute("UPDATE task_docs SET doc_id = $1::text::uuid", docs[1])

        waiting = asyncio.create_task(plan.edit(task, doc_ids=docs[:1]))
        await until_somebody_waits(plan.server.pool)
        await other.commit()

    answer = told(await waiting, Task)
    assert [str(doc) for doc in answer.doc_ids] == docs[:1]
    assert await plan.read(task) == answer
