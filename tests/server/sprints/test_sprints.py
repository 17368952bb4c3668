"""Creating, finding, editing, starting and deleting sprints."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from tests.server.tasks.planning import Planner, held, refused, told

from locus.wire.base import Page
from locus.wire.events import EventKind
from locus.wire.sprints import Sprint, SprintStatus


async def test_every_field_of_a_new_sprint_comes_back_as_it_was_sent(plan: Planner) -> None:
    sprint = await plan.sprint("Sign-in <b>", goal="List<int>", starts_on="2031-01-01", ends_on="2031-01-14")

    assert (sprint.number, sprint.name, sprint.goal) == (1, "Sign-in <b>", "List<int>")
    assert (str(sprint.starts_on), str(sprint.ends_on)) == ("2031-01-01", "2031-01-14")
    assert (sprint.status, sprint.version) == (SprintStatus.PLANNED, 1)
    for address in (str(sprint.id), "1"):
        response = await plan.api.get(plan.path(f"/sprints/{address}"))
        assert told(response, Sprint) == sprint
        assert response.headers["etag"] == '"1"'


async def test_the_active_sprint_is_found_by_that_word(plan: Planner) -> None:
    await plan.sprint()
    refused(await plan.api.get(plan.path("/sprints/active")), 404, "not_found")

    started = await plan.sprint("Now", start=True)

    assert told(await plan.api.get(plan.path("/sprints/active")), Sprint) == started


async def test_an_address_that_names_no_sprint_is_not_found(plan: Planner) -> None:
    await plan.sprint()

    for address in ["0", "2", "-1", "1.0", "99999999999", "ACTIVE", "none", "%00", "²", str(uuid4())]:
        refused(await plan.api.get(plan.path(f"/sprints/{address}")), 404, "not_found")
        refused(await plan.api.get(plan.path(f"/sprints/{address}/progress")), 404, "not_found")


async def test_sprints_are_numbered_without_gap_or_twin(plan: Planner) -> None:
    sprints = await asyncio.gather(*(plan.sprint(f"Sprint {n}") for n in range(10)))

    assert sorted(sprint.number for sprint in sprints) == list(range(1, 11))


async def test_the_list_is_newest_first_with_tasks_counted_and_stable_pages(plan: Planner) -> None:
    first = await plan.sprint("First")
    one, two, three = await plan.tasks(3, sprint_id=first.id)
    await plan.status(one, "BLOCKED")
    await plan.status(two, "DONE")
    await held(plan.server.pool, three)
    for n in range(4):
        await plan.sprint(f"Sprint {n}")

    page = told(await plan.api.get(plan.path("/sprints"), params={"limit": "3"}), Page[Sprint])
    await plan.sprint("Newcomer")
    rest = told(await plan.api.get(plan.path("/sprints"), params={"cursor": page.next_cursor or ""}), Page[Sprint])

    assert [sprint.number for sprint in [*page.items, *rest.items]] == [5, 4, 3, 2, 1]
    assert rest.next_cursor is None
    counts = rest.items[-1].tasks
    assert (counts.blocked, counts.done, counts.in_progress, counts.backlog, counts.in_review) == (1, 1, 1, 0, 0)
    for bad in ("!", "WyJ4Il0", "WzBd"):
        refused(await plan.api.get(plan.path("/sprints"), params={"cursor": bad}), 422, field="cursor")


async def test_an_edit_changes_what_it_names_from_the_version_it_was_made_from(plan: Planner) -> None:
    sprint = await plan.sprint(starts_on="2031-01-01")
    path = plan.path(f"/sprints/{sprint.number}")

    edited = told(await plan.api.patch(path, json={"name": "New"}, headers={"If-Match": '"1"'}), Sprint)

    assert (edited.name, edited.starts_on, edited.version) == ("New", sprint.starts_on, 2)
    refused(await plan.api.patch(path, json={"name": "X"}, headers={"If-Match": '"1"'}), 409, "stale")
    refused(await plan.api.patch(path, json={"name": "X"}), 428)
    refused(await plan.api.patch(path, json={"ends_on": "2030-12-31"}, headers={"If-Match": "*"}), 422, field="ends_on")
    cleared = told(await plan.api.patch(path, json={"starts_on": None}, headers={"If-Match": "*"}), Sprint)
    assert (cleared.starts_on, cleared.name) == (None, "New")
    same = told(await plan.api.patch(path, json={"name": "New"}, headers={"If-Match": "*"}), Sprint)
    assert same.version == 3


async def test_starting_tells_when_and_names_the_one_that_is_active(plan: Planner) -> None:
    first, second = await plan.sprint("First", start=True), await plan.sprint("Second")
    assert first.status is SprintStatus.ACTIVE
    assert first.started_at is not None

    problem = refused(await plan.api.post(plan.path(f"/sprints/{second.id}/start")), 409, "another_sprint_is_active")

    assert "Sprint 1 (First)" in problem.detail
    assert told(await plan.api.get(plan.path("/sprints/2")), Sprint) == second
    refused(await plan.api.post(plan.path(f"/sprints/{first.id}/start")), 409, "transition_refused")


async def test_of_sprints_started_at_once_one_becomes_active(plan: Planner) -> None:
    sprints = [await plan.sprint(f"Sprint {n}") for n in range(4)]

    answers = await asyncio.gather(*(plan.api.post(plan.path(f"/sprints/{sprint.id}/start")) for sprint in sprints))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "another_sprint_is_active")


async def test_the_database_itself_refuses_a_second_active_sprint(plan: Planner) -> None:
    await plan.sprint(start=True)
    await plan.sprint()

    with pytest.raises(asyncpg.UniqueViolationError, match="sprints_one_active"):
        await plan.server.pool.execute("UPDATE sprints SET status = 'ACTIVE' WHERE number = 2")


async def test_a_sprint_started_twice_with_one_key_is_started_once(plan: Planner) -> None:
    sprint = await plan.sprint()
    path = plan.path(f"/sprints/{sprint.id}/start")

    answers = [await plan.api.post(path, headers={"Idempotency-Key": "start"}) for _ in range(2)]

    assert told(answers[0], Sprint) == told(answers[1], Sprint)
    assert [event.kind for event in await plan.events()].count(EventKind.SPRINT_STARTED) == 1


async def test_a_deleted_sprint_leaves_its_tasks_in_the_backlog(plan: Planner) -> None:
    sprint = await plan.sprint()
    await plan.task()
    one, _ = await plan.tasks(2, sprint_id=sprint.id)
    path = plan.path(f"/sprints/{sprint.number}")

    refused(await plan.api.delete(path), 428)
    refused(await plan.api.delete(path, headers={"If-Match": '"2"'}), 409, "stale")
    answer = await plan.api.delete(path, headers={"If-Match": '"1"'})

    assert answer.status_code == 204
    refused(await plan.api.get(path), 404)
    assert await plan.keys(sprint="none") == ["WEB-1", "WEB-2", "WEB-3"]
    event = (await plan.events(one))[-1]
    assert (event.kind, event.sprint_id) == (EventKind.TASK_MOVED, None)


async def test_a_sprint_with_work_in_it_is_not_deleted(plan: Planner) -> None:
    active = await plan.sprint(start=True)
    task = await plan.task(sprint_id=active.id)
    planned = await plan.sprint("Next")
    await held(plan.server.pool, await plan.task(sprint_id=planned.id))

    refused(await plan.api.delete(plan.path("/sprints/1"), headers={"If-Match": "*"}), 409, "sprint_has_tasks")
    refused(await plan.api.delete(plan.path("/sprints/2"), headers={"If-Match": "*"}), 409, "task_is_held")

    await plan.move([task], sprint_id=None)
    assert (await plan.api.delete(plan.path("/sprints/active"), headers={"If-Match": "*"})).status_code == 204


async def test_a_task_created_in_a_sprint_that_is_deleted_meanwhile_is_not_lost(plan: Planner) -> None:
    for _ in range(5):
        sprint = await plan.sprint()
        draft = {"title": "T", "sprint_id": str(sprint.id)}

        deleted, created = await asyncio.gather(
            plan.api.delete(plan.path(f"/sprints/{sprint.id}"), headers={"If-Match": "*"}),
            plan.api.post(plan.path("/tasks"), json=draft),
        )

        assert deleted.status_code == 204
        if created.status_code == 201:
            read = await plan.api.get(plan.path(f"/tasks/{created.json()['id']}"))
            assert read.json()["sprint_id"] is None
        else:
            refused(created, 422, field="sprint_id")


async def test_a_sprint_that_never_was_is_not_started_or_completed(plan: Planner) -> None:
    for address in (str(uuid4()), "7", "active"):
        refused(await plan.api.post(plan.path(f"/sprints/{address}/start")), 404)
        refused(await plan.api.post(plan.path(f"/sprints/{address}/complete"), json={}), 404)
