"""Dependencies and parents: no task ever waits for itself."""

import asyncio

from tests.server.tasks.planning import Planner, refused, told, until_somebody_waits

from locus.wire.tasks import Task


async def test_dependencies_are_set_changed_and_cleared(plan: Planner) -> None:
    one, two, three = await plan.tasks(3)

    task = told(await plan.edit(three, depends_on=[one.id, two.id]), Task)
    assert set(task.depends_on) == {one.id, two.id}

    assert told(await plan.edit(three, depends_on=[two.id]), Task).depends_on == [two.id]
    assert told(await plan.edit(three, depends_on=[]), Task).depends_on == []


async def test_a_cycle_is_refused_and_named(plan: Planner) -> None:
    one, two, three, _ = await plan.tasks(4)
    await plan.edit(two, depends_on=[one.id])
    await plan.edit(three, depends_on=[two.id])

    problem = refused(await plan.edit(one, depends_on=[three.id]), 409, "dependency_cycle")

    assert "WEB-1 waits for WEB-3 waits for WEB-2 waits for WEB-1" in problem.detail
    assert await plan.read(one) == one


async def test_a_task_does_not_wait_for_itself(plan: Planner) -> None:
    task = await plan.task()

    refused(await plan.edit(task, depends_on=[task.id]), 409, "dependency_cycle")


async def test_a_thousand_ways_to_the_same_task_are_looked_at_once(plan: Planner) -> None:
    # 24 tasks, each waiting for the two of the row before: 2**11 ways lead from the last row to the first.
    rows = [await plan.tasks(2)]
    for _ in range(11):
        rows.append([await plan.task(depends_on=[task.id for task in rows[-1]]) for _ in range(2)])

    problem = refused(await plan.edit(rows[0][0], depends_on=[rows[-1][0].id]), 409, "dependency_cycle")

    assert problem.detail.count("waits for") == 12


async def test_two_edits_that_make_a_cycle_together_are_not_both_done(plan: Planner) -> None:
    for _ in range(5):
        one, two = await plan.tasks(2)

        answers = await asyncio.gather(
            plan.edit(one, depends_on=[two.id]),
            plan.edit(two, depends_on=[one.id]),
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_parents_do_not_form_a_ring(plan: Planner) -> None:
    one, two, three = await plan.tasks(3)
    await plan.edit(two, parent_id=one.id)
    await plan.edit(three, parent_id=two.id)

    problem = refused(await plan.edit(one, parent_id=three.id), 409, "parent_cycle")
    refused(await plan.edit(one, parent_id=one.id), 409, "parent_cycle")

    assert "WEB-3 under WEB-2 under WEB-1" in problem.detail
    assert told(await plan.edit(three, parent_id=None), Task).parent_id is None


async def test_two_edits_that_make_a_ring_of_parents_together_are_not_both_done(plan: Planner) -> None:
    for _ in range(5):
        one, two = await plan.tasks(2)

        answers = await asyncio.gather(plan.edit(one, parent_id=two.id), plan.edit(two, parent_id=one.id))

        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_task_that_is_deleted_meanwhile_is_not_waited_for(plan: Planner) -> None:
    for _ in range(5):
        needed, waiting = await plan.tasks(2)

        deleted, edited = await asyncio.gather(
            plan.api.delete(plan.path(f"/tasks/{needed.id}"), headers={"If-Match": "*"}),
            plan.edit(waiting, depends_on=[needed.id]),
        )

        assert deleted.status_code == 204
        assert edited.status_code in (200, 422)
        assert (await plan.read(waiting)).depends_on == []


async def test_a_task_that_is_just_being_deleted_is_no_dependency_of_a_new_one(plan: Planner) -> None:
    needed = await plan.task()
    async with plan.server.pool.acquire() as db:
        deleting = db.transaction()
        await deleting.start()
        await db.execute("DELETE FROM tasks WHERE id = $1", needed.id)

        creating = asyncio.create_task(
            plan.api.post(plan.path("/tasks"), json={"title": "T", "depends_on": [str(needed.id)]})
        )
        await until_somebody_waits(plan.server.pool)
        await deleting.commit()

    refused(await creating, 422, "invalid", "depends_on.0")
