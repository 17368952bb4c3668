"""Who may do what to tasks and sprints: every operation with every kind of key, and with what is not theirs."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.server.tasks.planning import SHA, Planner, refused

from locus.server.sprints.api import ROUTES as SPRINT_ROUTES
from locus.server.tasks.api import ROUTES as TASK_ROUTES
from locus.wire.workspaces import Purpose

READ, WORKER, MEMBER = Purpose.READ, Purpose.WORKER, Purpose.MEMBER
LADDER = [Purpose.READ, Purpose.WORKER, Purpose.MEMBER, Purpose.ADMIN]


@dataclass(frozen=True)
class Operation:
    """A request with `{task}` and `{sprint}` in its path, which `needed` may send and a lesser purpose may not."""

    method: str
    path: str
    needed: Purpose
    body: Any = None


OPERATIONS = {
    "list_tasks": Operation("GET", "/tasks", READ),
    "create_task": Operation("POST", "/tasks", MEMBER, {"title": "T"}),
    "get_task": Operation("GET", "/tasks/{task}", READ),
    "edit_task": Operation("PATCH", "/tasks/{task}", MEMBER, {"title": "T"}),
    "delete_task": Operation("DELETE", "/tasks/{task}", MEMBER),
    "change_task_status": Operation("POST", "/tasks/{task}/status", MEMBER, {"status": "BLOCKED"}),
    "edit_checklist_item": Operation("PATCH", "/tasks/{task}/checklist/item", MEMBER, {"done": True}),
    "move_tasks": Operation("POST", "/tasks/move", MEMBER, {"task_ids": ["{task}"], "sprint_id": None}),
    "link_pull_request": Operation(
        "POST",
        "/tasks/pull-request",
        WORKER,
        {"task_ids": ["{task}"], "url": "https://h/p/1", "number": 1, "branch": "locus/x", "head": SHA},
    ),
    "list_comments": Operation("GET", "/tasks/{task}/comments", READ),
    "add_comment": Operation("POST", "/tasks/{task}/comments", MEMBER, {"text": "Hello"}),
    "list_attempts": Operation("GET", "/tasks/{task}/attempts", READ),
    "list_sprints": Operation("GET", "/sprints", READ),
    "create_sprint": Operation("POST", "/sprints", MEMBER, {"name": "S"}),
    "get_sprint": Operation("GET", "/sprints/{sprint}", READ),
    "get_sprint_progress": Operation("GET", "/sprints/{sprint}/progress", READ),
    "edit_sprint": Operation("PATCH", "/sprints/{sprint}", MEMBER, {"name": "S"}),
    "start_sprint": Operation("POST", "/sprints/{sprint}/start", MEMBER),
    "complete_sprint": Operation("POST", "/sprints/{sprint}/complete", MEMBER, {}),
    "delete_sprint": Operation("DELETE", "/sprints/{sprint}", MEMBER),
    "get_sprint_report": Operation("GET", "/sprints/{sprint}/report", READ),
    "get_sprint_evidence": Operation("GET", "/sprints/{sprint}/evidence", READ),
    "get_figures": Operation("GET", "/figures", READ),
}


def test_every_operation_is_in_the_table() -> None:
    assert {route.operation_id for route in [*TASK_ROUTES, *SPRINT_ROUTES]} == set(OPERATIONS)


async def send(
    client: httpx.AsyncClient, workspace_path: str, operation: Operation, task: str, sprint: str
) -> httpx.Response:
    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{task}", task).replace("{sprint}", sprint)
        return [filled(entry) for entry in value] if isinstance(value, list) else value

    body = operation.body and {name: filled(value) for name, value in operation.body.items()}
    return await client.request(
        operation.method,
        workspace_path + filled(operation.path),
        json=body if operation.body is not None else None,
        headers={"If-Match": "*"},
    )


@pytest.mark.parametrize("purpose", [None, *LADDER])
async def test_a_key_may_do_what_its_purpose_says_and_no_more(plan: Planner, purpose: Purpose | None) -> None:
    secret = await plan.server.key(purpose, workspace=plan.server.workspace) if purpose else None
    async with plan.server.client(secret) as client:
        for name, operation in OPERATIONS.items():
            task = await plan.task(checklist=[{"text": "Item", "id": "item"}])
            sprint = await plan.sprint()

            answer = await send(client, plan.path(), operation, str(task.id), str(sprint.id))

            if purpose is None:
                refused(answer, 401, "unauthorized")
            elif LADDER.index(purpose) < LADDER.index(operation.needed):
                refused(answer, 403, "forbidden")
                assert await plan.read(task) == task, name
            else:
                assert answer.status_code in (200, 201, 204, 409), (name, answer.text)


async def test_what_is_not_here_and_what_is_somebody_elses_get_the_same_answer(plan: Planner) -> None:
    foreign = await plan.server.foreign()
    async with plan.server.client(await plan.server.key(workspace=foreign)) as owner:
        theirs = plan.server.path("", foreign.id)
        task = (await owner.post(theirs + "/tasks", json={"title": "Theirs"})).json()["id"]
        sprint = (await owner.post(theirs + "/sprints", json={"name": "Theirs"})).json()["id"]

        for name, operation in OPERATIONS.items():
            # The foreign workspace and a workspace that never was.
            there = await send(plan.api, theirs, operation, task, sprint)
            nowhere = await send(plan.api, plan.server.path("", uuid4()), operation, task, sprint)
            assert (refused(there, 404, "not_found"), name) == (refused(nowhere, 404, "not_found"), name)
            # The foreign task or sprint under one's own workspace, and one that never was.
            if "{" in operation.path or name in {"move_tasks", "link_pull_request"}:
                foreign_id = await send(plan.api, plan.path(), operation, task, sprint)
                missing_id = await send(plan.api, plan.path(), operation, str(uuid4()), str(uuid4()))
                assert foreign_id.status_code in (404, 422), name
                assert foreign_id.json() == missing_id.json(), name

        assert (await owner.get(theirs + f"/tasks/{task}")).json()["version"] == 1
        assert (await owner.get(theirs + f"/sprints/{sprint}")).json()["version"] == 1
