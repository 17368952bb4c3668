"""Creating, reading, editing and deleting tasks."""

from uuid import uuid4

import pytest
from tests.server.tasks.planning import Planner, held, refused, told

from locus.wire.events import EventKind
from locus.wire.tasks import Task


async def test_every_field_of_a_new_task_comes_back_as_it_was_sent(plan: Planner) -> None:
    sprint = await plan.sprint()
    other, parent = await plan.task("Other"), await plan.task("Parent")

    task = await plan.task(
        "Accept < b > addresses",
        description="Map<string, List<int>>",
        sprint_id=sprint.id,
        parent_id=parent.id,
        priority="CRITICAL",
        role="QA",
        labels=["a b", "<i>"],
        assignee="Grace",
        due_on="2031-02-28",
        checklist=[{"text": "It works", "check": "unit"}, {"text": "Copy", "done": True, "id": "copy"}],
        depends_on=[other.id],
    )

    read = await plan.read(task)
    assert read == task
    assert (task.key, task.number, task.version, task.status) == ("WEB-3", 3, 1, "BACKLOG")
    assert (task.title, task.description) == ("Accept < b > addresses", "Map<string, List<int>>")
    assert (task.sprint_id, task.parent_id, task.depends_on) == (sprint.id, parent.id, [other.id])
    assert (task.priority, task.role, task.labels) == ("CRITICAL", "QA", ["a b", "<i>"])
    assert (task.assignee, str(task.due_on)) == ("Grace", "2031-02-28")
    assert [(item.text, item.check, item.done) for item in task.checklist] == [
        ("It works", "unit", False),
        ("Copy", None, True),
    ]
    assert task.checklist[1].id == "copy"


async def test_a_task_is_found_by_its_key_in_any_case(plan: Planner) -> None:
    task = await plan.task()

    response = await plan.api.get(plan.path("/tasks/web-1"))

    assert told(response, Task) == task
    assert response.headers["etag"] == '"1"'


NOWHERE = ["WEB-2", "WEB-0", "WEB-01", "WEB-99999999999", "API-1", "WEB", "-1", "WEB-1 ", "WEB-1%0A", "%00", "'", "é-1"]


async def test_an_address_that_names_no_task_is_not_found(plan: Planner) -> None:
    await plan.task()

    for address in NOWHERE:
        refused(await plan.api.get(plan.path(f"/tasks/{address}")), 404, "not_found")


async def test_the_workspace_adds_its_default_checklist_to_every_new_task(plan: Planner) -> None:
    path = plan.path()
    items = [{"text": "Tests pass", "check": "unit"}, {"text": "Read it once more"}]
    edit = await plan.api.patch(path, json={"default_checklist": items}, headers={"If-Match": "*"})
    assert edit.status_code == 200

    one = await plan.task(checklist=[{"text": "Mine"}])
    two = await plan.task()

    assert [(item.text, item.check) for item in one.checklist] == [
        ("Mine", None),
        ("Tests pass", "unit"),
        ("Read it once more", None),
    ]
    assert not {item.id for item in one.checklist} & {item.id for item in two.checklist}


async def test_a_default_checklist_that_does_not_fit_names_the_checklist(plan: Planner) -> None:
    items = [{"text": "Read it once more"}] * 2
    await plan.api.patch(plan.path(), json={"default_checklist": items}, headers={"If-Match": "*"})
    draft = {"title": "Long", "checklist": [{"text": "Item"}] * 99}

    refused(await plan.api.post(plan.path("/tasks"), json=draft), 422, "invalid", "checklist")


async def test_an_edit_changes_what_it_names_and_null_clears(plan: Planner) -> None:
    task = await plan.task(role="QA", assignee="Grace", due_on="2031-02-28", description="Old", labels=["x"])

    edited = told(
        await plan.edit(task, '"1"', title="New", role=None, assignee=None, due_on=None, labels=[], description=""),
        Task,
    )

    assert (edited.title, edited.role, edited.assignee, edited.due_on) == ("New", None, None, None)
    assert (edited.labels, edited.description, edited.priority) == ([], "", task.priority)
    assert edited.version == 2
    assert (await plan.events(task))[-1].detail.fields == [
        "title",
        "description",
        "role",
        "labels",
        "assignee",
        "due_on",
    ]


async def test_an_edit_from_an_old_version_is_refused_and_changes_nothing(plan: Planner) -> None:
    task = await plan.task()
    await plan.edit(task, '"1"', title="First")

    refused(await plan.edit(task, '"1"', title="Second"), 409, "stale")

    assert (await plan.read(task)).title == "First"


async def test_an_edit_without_if_match_is_refused(plan: Planner) -> None:
    task = await plan.task()

    refused(await plan.api.patch(plan.path(f"/tasks/{task.id}"), json={"title": "New"}), 428)
    refused(await plan.api.delete(plan.path(f"/tasks/{task.id}")), 428)


async def test_an_edit_that_changes_nothing_is_no_new_version_and_no_event(plan: Planner) -> None:
    task = await plan.task(labels=["x"])

    same = told(await plan.edit(task, title=task.title, labels=["x"]), Task)

    assert same == task
    assert [event.kind for event in await plan.events(task)] == [EventKind.TASK_CREATED]


async def test_a_deleted_task_is_gone_and_nobody_waits_for_it(plan: Planner) -> None:
    task = await plan.task()
    waiting = await plan.task(depends_on=[task.id])
    child = await plan.task(parent_id=task.id)

    response = await plan.api.delete(plan.path(f"/tasks/{task.id}"), headers={"If-Match": '"1"'})

    assert (response.status_code, response.content) == (204, b"")
    refused(await plan.api.get(plan.path(f"/tasks/{task.id}")), 404)
    waiting, child = await plan.read(waiting), await plan.read(child)
    assert (waiting.depends_on, waiting.version) == ([], 2)
    assert (child.parent_id, child.version) == (None, 2)
    assert (await plan.events(waiting))[-1].detail.fields == ["depends_on"]
    assert (await plan.events(child))[-1].detail.fields == ["parent_id"]


async def test_a_stale_delete_deletes_nothing(plan: Planner) -> None:
    task = await plan.task()

    refused(await plan.api.delete(plan.path(f"/tasks/{task.id}"), headers={"If-Match": '"2"'}), 409, "stale")

    assert await plan.read(task) == task


async def test_what_an_agent_holds_is_neither_deleted_nor_taken_away(plan: Planner) -> None:
    sprint = await plan.sprint()
    task = await plan.task()
    await held(plan.server.pool, task)

    refused(await plan.api.delete(plan.path(f"/tasks/{task.id}"), headers={"If-Match": "*"}), 409, "task_is_held")
    refused(await plan.edit(task, sprint_id=sprint.id), 409, "task_is_held")
    refused(await plan.edit(task, assignee="Grace"), 409, "task_is_held")
    assert told(await plan.edit(task, title="Reworded"), Task).title == "Reworded"


@pytest.mark.parametrize("field", ["sprint_id", "parent_id"])
async def test_a_reference_to_nothing_names_its_field(plan: Planner, field: str) -> None:
    task = await plan.task()
    foreign = await plan.server.foreign()
    table = "sprints" if field == "sprint_id" else "tasks"
    columns, values = ("name", "'S'") if table == "sprints" else ("title, position", "'T', 1")
    there = await plan.server.pool.fetchval(
        f"INSERT INTO {table} (workspace_id, number, {columns}) VALUES ($1, 1, {values}) RETURNING id", foreign.id
    )

    answers = [
        refused(await plan.edit(task, **{field: reference}), 422, "invalid", field) for reference in (there, uuid4())
    ]
    created = refused(
        await plan.api.post(plan.path("/tasks"), json={"title": "T", field: str(there)}), 422, "invalid", field
    )

    assert answers[0] == answers[1] == created


@pytest.mark.parametrize("field", ["depends_on", "doc_ids"])
async def test_a_list_of_references_names_each_entry_that_is_nothing(plan: Planner, field: str) -> None:
    task = await plan.task()
    doc = (await plan.api.post(plan.path("/docs"), json={"title": "Doc"})).json()
    good = str((await plan.task("Good")).id) if field == "depends_on" else doc["id"]

    answer = await plan.edit(task, **{field: [str(uuid4()), good, str(uuid4())]})

    problem = refused(answer, 422, "invalid")
    assert [error.field for error in problem.errors] == [f"{field}.0", f"{field}.2"]
    assert getattr(await plan.read(task), field) == []


async def test_docs_of_a_task_are_kept(plan: Planner) -> None:
    doc = (await plan.api.post(plan.path("/docs"), json={"title": "Doc"})).json()
    task = await plan.task(doc_ids=[doc["id"]])
    assert [str(one) for one in task.doc_ids] == [doc["id"]]

    assert told(await plan.edit(task, doc_ids=[]), Task).doc_ids == []


@pytest.mark.parametrize("field", ["labels", "depends_on", "doc_ids"])
async def test_a_value_that_comes_twice_is_refused(plan: Planner, field: str) -> None:
    one = str((await plan.task()).id)

    answer = await plan.api.post(plan.path("/tasks"), json={"title": "Twice", field: [one, one]})

    refused(answer, 422, "invalid", f"{field}.1")


async def test_a_completed_sprint_takes_no_task(plan: Planner) -> None:
    sprint = await plan.sprint(start=True)
    inside, outside = await plan.task(sprint_id=sprint.id), await plan.task()
    assert (await plan.complete(sprint, open_tasks="keep")).status_code == 200

    refused(await plan.edit(outside, sprint_id=sprint.id), 409, "sprint_completed")
    refused(
        await plan.api.post(plan.path("/tasks"), json={"title": "New", "sprint_id": str(sprint.id)}),
        409,
        "sprint_completed",
    )
    assert told(await plan.edit(inside, sprint_id=sprint.id, title="Stays"), Task).title == "Stays"


async def test_a_task_that_comes_to_a_sprint_stands_at_its_end(plan: Planner) -> None:
    sprint = await plan.sprint()
    first = await plan.task()
    await plan.tasks(3, sprint_id=sprint.id)

    await plan.edit(first, sprint_id=sprint.id)

    assert await plan.keys(sprint=str(sprint.number)) == ["WEB-2", "WEB-3", "WEB-4", "WEB-1"]


async def test_one_idempotency_key_creates_one_task(plan: Planner) -> None:
    body = b'{"title": "Once"}'

    one = await plan.post("/tasks", body, **{"Idempotency-Key": "k1"})
    two = await plan.post("/tasks", body, **{"Idempotency-Key": "k1"})
    other = await plan.post("/tasks", b'{"title": "Twice"}', **{"Idempotency-Key": "k1"})

    assert told(one, Task, 201) == told(two, Task, 201)
    assert one.headers["etag"] == two.headers["etag"] == '"1"'
    refused(other, 422, "idempotency_key_reused")
    assert len((await plan.page()).items) == 1
