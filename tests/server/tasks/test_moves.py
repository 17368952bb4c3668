"""Moving tasks: to other sprints, and to other places in the order that agents follow."""

import asyncio
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.server.tasks.planning import Planner, held, refused, told
from tests.support.postgres import Databases

from locus.server.db import pool as pools
from locus.server.events.log import SYSTEM, Log
from locus.server.tasks import actions, lists, moves, rules
from locus.server.workspaces import store as workspaces
from locus.wire.events import EventKind
from locus.wire.tasks import Priority, TaskDraft, TasksMove, TasksMoved


async def test_tasks_come_to_a_sprint_in_the_order_they_were_named(plan: Planner) -> None:
    sprint = await plan.sprint()
    await plan.task(sprint_id=sprint.id)
    one, two, three = await plan.tasks(3)

    moved = told(await plan.move([three, one, two], sprint_id=sprint.id), TasksMoved).tasks

    assert [task.key for task in moved] == ["WEB-4", "WEB-2", "WEB-3"]
    assert await plan.keys(sprint="1") == ["WEB-1", "WEB-4", "WEB-2", "WEB-3"]
    event = (await plan.events(one))[-1]
    assert (event.kind, event.sprint_id, event.detail.status) == (EventKind.TASK_MOVED, sprint.id, "BACKLOG")


async def test_null_moves_tasks_back_to_the_backlog(plan: Planner) -> None:
    sprint = await plan.sprint()
    task = await plan.task(sprint_id=sprint.id)

    assert told(await plan.move([task], sprint_id=None), TasksMoved).tasks[0].sprint_id is None


async def test_tasks_stand_before_and_after_the_one_that_is_named(plan: Planner) -> None:
    one, two, three, four = await plan.tasks(4)

    await plan.move([four, three], before=two.id)
    assert await plan.keys() == ["WEB-1", "WEB-4", "WEB-3", "WEB-2"]

    await plan.move([one], after=three.id)
    assert await plan.keys() == ["WEB-4", "WEB-3", "WEB-1", "WEB-2"]

    await plan.move([two, one], before=four.id)
    assert await plan.keys() == ["WEB-2", "WEB-1", "WEB-4", "WEB-3"]


async def test_a_task_that_is_in_the_sprint_keeps_its_place(plan: Planner) -> None:
    sprint = await plan.sprint()
    one, _ = await plan.tasks(2, sprint_id=sprint.id)

    [same] = told(await plan.move([one], sprint_id=sprint.id), TasksMoved).tasks

    assert same == one


async def test_a_place_in_another_sprint_or_priority_must_be_said(plan: Planner) -> None:
    sprint = await plan.sprint()
    there = await plan.task(sprint_id=sprint.id, priority="HIGH")
    task = await plan.task()

    refused(await plan.move([task], before=there.id, priority="HIGH"), 422, "invalid", "before")
    refused(await plan.move([task], after=there.id, sprint_id=sprint.id), 422, "invalid", "after")
    assert await plan.read(task) == task

    await plan.move([task], before=there.id, sprint_id=sprint.id, priority="HIGH")
    assert await plan.keys(sprint="1") == ["WEB-2", "WEB-1"]


async def test_a_wish_that_makes_no_sense_is_refused(plan: Planner) -> None:
    one, two = await plan.tasks(2)

    refused(await plan.move([one]), 422, "invalid", "sprint_id")
    refused(await plan.move([one], before=two.id, after=two.id), 422, "invalid", "after")
    refused(await plan.move([one], before=one.id), 422, "invalid", "before")
    refused(await plan.move([one, one], before=two.id), 422, "invalid", "task_ids.1")
    refused(await plan.move([one], after=str(uuid4())), 422, "invalid", "after")
    refused(await plan.move([one], sprint_id=str(uuid4())), 422, "invalid", "sprint_id")
    refused(await plan.move([], sprint_id=None), 422, "invalid", "task_ids")


async def test_one_task_that_is_not_here_moves_none(plan: Planner) -> None:
    sprint = await plan.sprint()
    task = await plan.task()
    body = msgspec.json.encode({"task_ids": [task.id, uuid4()], "sprint_id": sprint.id})

    refused(await plan.post("/tasks/move", body), 422, "invalid", "task_ids.1")

    assert await plan.read(task) == task


async def test_what_an_agent_holds_does_not_leave_its_sprint_but_may_be_reordered(plan: Planner) -> None:
    sprint = await plan.sprint()
    one, two = await plan.tasks(2, sprint_id=sprint.id)
    await held(plan.server.pool, one)

    refused(await plan.move([two, one], sprint_id=None), 409, "task_is_held")
    assert (await plan.read(two)).sprint_id == sprint.id

    assert (await plan.move([one], after=two.id)).status_code == 200


async def test_a_used_up_gap_is_made_anew(plan: Planner) -> None:
    one, two, three = await plan.tasks(3)
    keys = [one.key, two.key]

    for turn in range(60):  # a gap of 1 can be halved 52 times
        moved = three if turn % 2 else two
        anchor = two if turn % 2 else three
        await plan.move([moved], before=anchor.id)
        keys = [one.key, moved.key, anchor.key]

    tasks = (await plan.page()).items
    assert [task.key for task in tasks] == keys
    assert len({task.position for task in tasks}) == 3


async def test_movers_and_creators_at_once_lose_no_task(plan: Planner) -> None:
    sprint = await plan.sprint()
    tasks = await plan.tasks(6)

    answers = await asyncio.gather(
        *(plan.move([task], sprint_id=sprint.id) for task in tasks),
        *(plan.move([task], before=tasks[0].id) for task in tasks[4:]),
        *(plan.task(sprint_id=sprint.id) for _ in range(4)),
    )

    assert len(answers) == 12
    there, all_keys = await plan.keys(sprint="1"), await plan.keys()
    assert len(there) == len(set(there)) == 10
    assert sorted(all_keys) == sorted(f"WEB-{number}" for number in range(1, 11))


steps = st.lists(
    st.fixed_dictionaries(
        {
            "tasks": st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True),
            "anchor": st.integers(0, 5),
            "before": st.booleans(),
            "priority": st.none() | st.sampled_from(Priority),
        }
    ),
    min_size=1,
    max_size=8,
)


async def test_any_sequence_of_moves_keeps_a_total_order(databases: Databases) -> None:
    async with databases.one() as dsn:
        pool = await pools.connect(dsn, size=2)
        try:
            organization = await workspaces.create_organization(pool, "Test")

            @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
            @given(steps)
            def sequence(wishes: list[dict[str, Any]]) -> None:
                # Hypothesis calls plain functions, the pool belongs to this loop.
                asyncio.run_coroutine_threadsafe(_carry_out(wishes), loop).result(60)

            async def _carry_out(wishes: list[dict[str, Any]]) -> None:
                log = Log(pool)
                name = f"W{next(numbers)}"
                workspace = await workspaces.create(pool, organization.id, name=name, prefix=name)
                assert workspace is not None
                async with log.transaction() as db:
                    tasks = [await actions.create(db, workspace.id, SYSTEM, TaskDraft(title=f"{n}")) for n in range(6)]
                expected = [task.id for task in tasks]
                levels = {task.id: task.priority for task in tasks}
                for wish in wishes:
                    ids = [tasks[n].id for n in wish["tasks"] if n != wish["anchor"]]
                    if not ids:
                        continue
                    anchor = tasks[wish["anchor"]].id
                    level = wish["priority"]
                    if level is not None:  # to another level: every moved task ends in it, at the place it has
                        move = TasksMove(task_ids=ids, priority=level)
                        levels |= dict.fromkeys(ids, level)
                    else:  # beside the anchor, and to its level
                        side = {"before" if wish["before"] else "after": anchor}
                        move = TasksMove(task_ids=ids, priority=levels[anchor], **side)
                        levels |= dict.fromkeys(ids, levels[anchor])
                    async with log.transaction() as db:
                        await moves.move(db, workspace.id, SYSTEM, move)
                    found = (await lists.listed(pool, workspace.id, lists.Filter(), limit=10)).tasks
                    assert [rules.order(task) for task in found] == sorted(rules.order(task) for task in found)
                    assert {task.id for task in found} == set(expected)
                    assert {task.id: task.priority for task in found} == levels
                    if level is None:
                        order = [task.id for task in found]
                        at = order.index(anchor)
                        stretch = order[at - len(ids) : at] if wish["before"] else order[at + 1 : at + 1 + len(ids)]
                        assert stretch == ids

            numbers = count(1)
            loop = asyncio.get_running_loop()
            await asyncio.to_thread(sequence)
        finally:
            await pool.close()
