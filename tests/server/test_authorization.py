"""Who may do what: every operation has a row, and every key is tried on every operation."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from tests.support import people, server as servers
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.server.app import create_app
from locus.server.auth import csrf
from locus.server.auth.principals import LEAST_ROLE, RANK, ROLE_RANK
from locus.server.db.pool import Pool
from locus.server.http.openapi import Operation, operations
from locus.server.settings import Settings
from locus.wire.workspaces import MemberRole, Organization, Purpose

ANY, READ, WORKER, MEMBER, ADMIN = None, Purpose.READ, Purpose.WORKER, Purpose.MEMBER, Purpose.ADMIN

SHA = "a" * 40
NUMBERS = {"provider": "command"}
PLAN = {"name": "p", "tasks": [{"ref": "a", "title": "t"}]}
SOME_ID = "5b6f6a3c-95a0-4bf5-9f5f-0e3f2f9f0a01"


@dataclass(frozen=True)
class Row:
    """The least purpose that an operation needs (None: any valid key), and a body that it accepts.

    With `role` it is for people alone: every key is refused, and so is whoever has less.
    """

    needs: Purpose | None
    body: object = None
    public: bool = False
    role: MemberRole | None = None
    query: str = ""  # what it cannot do without


OWNER, ADMINS, EVERYBODY = MemberRole.OWNER, MemberRole.ADMIN, MemberRole.VIEWER

MATRIX = {
    "list_sessions": Row(ANY, role=EVERYBODY),
    "revoke_session": Row(ANY, role=EVERYBODY),
    "ask_for_device": Row(ANY, {"machine": "m"}, public=True),
    "poll_device": Row(ANY, {"device": "x" * 43}, public=True),
    "list_members": Row(ANY, role=EVERYBODY),
    "change_member_role": Row(ANY, {"role": "VIEWER"}, role=ADMINS),
    "remove_member": Row(ANY, role=ADMINS),
    "transfer_ownership": Row(ANY, role=OWNER),
    "delete_organization": Row(ANY, role=OWNER),
    "list_invitations": Row(ANY, role=ADMINS),
    "create_invitation": Row(ANY, {"email": "a@example.org", "role": "VIEWER"}, role=ADMINS),
    "revoke_invitation": Row(ANY, role=ADMINS),
    "list_audit": Row(ANY, role=ADMINS),
    "health": Row(ANY, public=True),
    "readiness": Row(ANY, public=True),
    "metrics": Row(ANY, public=True),
    "me": Row(ANY),
    "get_organization": Row(ANY),
    "edit_organization": Row(ADMIN, {"name": "Test"}),
    "list_organization_keys": Row(ADMIN),
    "create_organization_key": Row(ADMIN, {"name": "k"}),
    "rotate_organization_key": Row(ADMIN),
    "revoke_organization_key": Row(ADMIN),
    "list_workspaces": Row(ANY),
    "create_workspace": Row(ADMIN, {"name": "W", "prefix": "WEB"}),
    "get_workspace": Row(READ),
    "edit_workspace": Row(ADMIN, {"attempt_cap": 3}),
    "delete_workspace": Row(ADMIN),
    "list_workspace_keys": Row(ADMIN),
    "create_workspace_key": Row(ADMIN, {"name": "k"}),
    "rotate_workspace_key": Row(ADMIN),
    "revoke_workspace_key": Row(ADMIN),
    "list_docs": Row(READ),
    "create_doc": Row(MEMBER, {"title": "d"}),
    "get_doc": Row(READ),
    "edit_doc": Row(MEMBER, {"title": "d"}),
    "delete_doc": Row(MEMBER),
    "list_doc_groups": Row(READ),
    "rename_doc_group": Row(MEMBER, {"old": "a", "new": "b"}),
    "list_doc_versions": Row(READ),
    "get_doc_version": Row(READ),
    "list_tasks": Row(READ),
    "create_task": Row(MEMBER, {"title": "t"}),
    "get_task": Row(READ),
    "edit_task": Row(MEMBER, {"title": "t"}),
    "delete_task": Row(MEMBER),
    "change_task_status": Row(MEMBER, {"status": "BACKLOG"}),
    "edit_checklist_item": Row(MEMBER, {"done": True}),
    "move_tasks": Row(MEMBER, {"task_ids": [SOME_ID]}),
    "link_pull_request": Row(
        WORKER,
        {
            "task_ids": [SOME_ID],
            "url": "https://example.org/a/b/pull/1",
            "number": 1,
            "branch": "locus/sprint-1",
            "head": SHA,
        },
    ),
    "list_comments": Row(READ),
    "add_comment": Row(MEMBER, {"text": "c"}),
    "list_attempts": Row(READ),
    "list_sprints": Row(READ),
    "list_plans": Row(READ),
    "get_forecast": Row(READ, query="tasks=1"),
    "get_plan": Row(READ),
    "propose_plan": Row(MEMBER, {"id": SOME_ID, "plan": PLAN}),
    "approve_plan": Row(MEMBER, {"plan": PLAN}),
    "reject_plan": Row(MEMBER, {"feedback": "f"}),
    "cancel_plan": Row(MEMBER),
    "create_sprint": Row(MEMBER, {"name": "s"}),
    "get_sprint": Row(READ),
    "get_sprint_progress": Row(READ),
    "edit_sprint": Row(MEMBER, {"name": "s"}),
    "start_sprint": Row(MEMBER),
    "complete_sprint": Row(MEMBER, {}),
    "delete_sprint": Row(MEMBER),
    "get_sprint_report": Row(READ),
    "get_sprint_evidence": Row(READ),
    "get_figures": Row(READ),
    "list_needs": Row(READ),
    "list_activity": Row(READ),
    "search": Row(READ, query="text=x"),
    "list_events": Row(READ),
    "stream_events": Row(READ),
    "export_events": Row(READ),
    "claim_task": Row(WORKER, {"agent_id": SOME_ID}),
    "take_held_task": Row(MEMBER, {"agent_id": SOME_ID, "fence": 1}),
    "renew_lease": Row(WORKER, {"fence": 1, "phase": "agent"}),
    "complete_task": Row(
        WORKER, {"fence": 1, "commit": SHA, "branch": "locus/sprint-1", "evidence": [], "numbers": NUMBERS}
    ),
    "fail_task": Row(WORKER, {"fence": 1, "reason": "agent_failed", "numbers": NUMBERS}),
    "release_task": Row(WORKER, {"fence": 1, "reason": "stopped"}),
    "cancel_task": Row(MEMBER),
    "register_agent": Row(
        WORKER,
        {"name": "a", "host_class": "ci", "os_family": "linux", "provider": "command", "locus_version": "1"},
    ),
    "list_agents": Row(READ),
    "get_agent": Row(READ),
    "agent_heartbeat": Row(WORKER, {"state": "idle"}),
}


def described() -> list[Operation]:
    # The routes are the same whatever the database; this one is never connected to.
    return operations(create_app(Settings(data=Path("/nonexistent")), Pool.__new__(Pool), ""))


OPERATIONS = described()
IN_A_WORKSPACE = [one for one in OPERATIONS if "{workspace_id}" in one.path]


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[RunningServer]:
    """One server for the whole matrix."""
    async with databases.one() as dsn, servers.running(dsn) as server:
        yield server


def named(one: Operation) -> str:
    return one.id


async def ask(server: RunningServer, one: Operation, secret: str | None, workspace_id: UUID) -> tuple[int, bytes]:
    """The status and the body of an operation with a good request; of a stream, only the status."""
    async with server.client(secret) as client:
        return await asked(client, one, workspace_id)


async def asked(client: httpx.AsyncClient, one: Operation, workspace_id: UUID) -> tuple[int, bytes]:
    """The same with a client that is signed in somehow."""
    address = (
        one.path.replace("{workspace_id}", str(workspace_id))
        .replace("{task}", "WEB-999")
        .replace("{sprint}", "9")
        .replace("{edition}", "1")
    )
    while "{" in address:
        address = address[: address.index("{")] + SOME_ID + address[address.index("}") + 1 :]
    if MATRIX[one.id].query:
        address += f"?{MATRIX[one.id].query}"
    body = MATRIX[one.id].body
    async with client.stream(
        one.method,
        address,
        content=json.dumps(body) if body is not None else None,
        headers={"If-Match": "*"} | ({"Content-Type": "application/json"} if body is not None else {}),
    ) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, b""
        return answer.status_code, await answer.aread()


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert {one.id for one in OPERATIONS} == set(MATRIX)


def test_no_two_operations_share_an_id() -> None:
    assert len({one.id for one in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("one", OPERATIONS, ids=named)
async def test_without_a_key_only_what_is_public_answers(server: RunningServer, one: Operation) -> None:
    status, body = await ask(server, one, None, server.workspace.id)

    assert one.public == MATRIX[one.id].public
    if one.public:
        assert status in (200, 201)
    else:
        assert status == 401
        assert json.loads(body)["code"] == "unauthorized"


@pytest.mark.parametrize("one", [one for one in OPERATIONS if not one.public], ids=named)
async def test_a_key_may_do_what_its_purpose_covers_and_nothing_else(server: RunningServer, one: Operation) -> None:
    needs = MATRIX[one.id].needs
    for purpose in Purpose:
        status, body = await ask(server, one, await server.key(purpose), server.workspace.id)

        if MATRIX[one.id].role is not None:
            assert (status, json.loads(body)["code"]) == (403, "needs_person")
        elif needs is not None and RANK[purpose] < RANK[needs]:
            assert status == 403, (purpose, body)
            assert json.loads(body)["code"] == "forbidden"
        else:
            assert status not in (401, 403), (purpose, body)
            assert status < 500, (purpose, body)


@pytest.mark.parametrize("one", [one for one in OPERATIONS if not one.public], ids=named)
async def test_a_person_may_do_what_their_role_covers_and_nothing_else(server: RunningServer, one: Operation) -> None:
    row = MATRIX[one.id]
    least = row.role or (LEAST_ROLE[row.needs] if row.needs else MemberRole.VIEWER)
    for role in MemberRole:
        somebody = await people.somebody(server, role)
        async with somebody.client(server) as browser:
            status, body = await asked(browser, one, server.workspace.id)

        if ROLE_RANK[role] < ROLE_RANK[least]:
            assert status == 403, (role, body)
            assert json.loads(body)["code"] == "forbidden"
        else:
            assert status not in (401, 403), (role, body)
            assert status < 500, (role, body)


@pytest.mark.parametrize("one", [one for one in OPERATIONS if not one.public and one.method != "GET"], ids=named)
async def test_no_change_happens_with_a_cookie_alone(server: RunningServer, one: Operation) -> None:
    owner = await people.somebody(server, MemberRole.OWNER)
    async with owner.client(server) as browser:
        del browser.headers[csrf.HEADER]
        status, body = await asked(browser, one, server.workspace.id)

    assert (status, json.loads(body)["code"]) == (403, "csrf")


@pytest.mark.parametrize("one", IN_A_WORKSPACE, ids=named)
async def test_a_foreign_workspace_is_not_there_for_a_person(server: RunningServer, one: Operation) -> None:
    foreign = await server.foreign()
    owner = await people.somebody(server, MemberRole.OWNER)
    async with owner.client(server) as browser:
        there = await asked(browser, one, foreign.id)
        nowhere = await asked(browser, one, uuid4())

    assert there == nowhere
    assert there[0] == 404


@pytest.mark.parametrize("operation_id", ["change_member_role", "remove_member", "transfer_ownership"])
async def test_a_member_of_another_organization_is_not_there(server: RunningServer, operation_id: str) -> None:
    one = next(one for one in OPERATIONS if one.id == operation_id)
    owner = await people.somebody(server, MemberRole.OWNER)
    foreign = await server.foreign()
    stranger = await people.somebody(
        server,
        MemberRole.MEMBER,
        organization=Organization(id=foreign.organization_id, name="", created_at=foreign.created_at),
    )
    path = one.path.replace("{user_id}", str(stranger.id))
    async with owner.client(server) as browser:
        answer = await browser.request(one.method, path, json=MATRIX[one.id].body)

    assert answer.status_code == 404


@pytest.mark.parametrize("one", IN_A_WORKSPACE, ids=named)
async def test_a_foreign_workspace_looks_exactly_like_one_that_does_not_exist(
    server: RunningServer, one: Operation
) -> None:
    foreign = await server.foreign()
    for secret in (
        await server.key(Purpose.ADMIN),
        await server.key(Purpose.ADMIN, workspace=server.workspace),
    ):
        there = await ask(server, one, secret, foreign.id)
        nowhere = await ask(server, one, secret, uuid4())

        assert there == nowhere
        assert there[0] == 404


@pytest.mark.parametrize("one", [one for one in OPERATIONS if "/organization/keys" in one.path], ids=named)
async def test_a_key_of_one_workspace_has_no_say_over_the_organizations_keys(
    server: RunningServer, one: Operation
) -> None:
    status, _ = await ask(server, one, await server.key(Purpose.ADMIN, workspace=server.workspace), uuid4())

    assert status == 403


@pytest.mark.parametrize("operation_id", ["create_workspace", "edit_organization"])
async def test_a_key_of_one_workspace_cannot_change_the_organization(server: RunningServer, operation_id: str) -> None:
    one = next(one for one in OPERATIONS if one.id == operation_id)

    status, _ = await ask(server, one, await server.key(Purpose.ADMIN, workspace=server.workspace), uuid4())

    assert status == 403


async def test_a_key_of_one_workspace_sees_only_that_one(server: RunningServer) -> None:
    async with server.client(await server.key(Purpose.ADMIN)) as client:
        await client.post("/api/v1/workspaces", json={"name": "Another", "prefix": "ANO"})
    async with server.client(await server.key(Purpose.READ, workspace=server.workspace)) as client:
        listed: httpx.Response = await client.get("/api/v1/workspaces")

    assert [one["prefix"] for one in listed.json()["items"]] == ["WEB"]
