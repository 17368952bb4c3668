"""Organizations and workspaces over HTTP."""

from uuid import uuid4

import httpx
import pytest
from tests.support.server import RunningServer

from locus.server.workspaces.actions import prefix_for


async def test_a_workspace_is_made_read_edited_and_deleted(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = await api.post("/api/v1/workspaces", json={"name": "Mobile", "prefix": "MOB"})
    where = server.path("", made.json()["id"])
    read = await api.get(where)
    edited = await api.patch(
        where, json={"name": "Phones", "attempt_cap": 5}, headers={"If-Match": read.headers["etag"]}
    )

    assert made.status_code == 201
    assert read.json() == made.json()
    assert (edited.json()["name"], edited.json()["attempt_cap"], edited.json()["prefix"]) == ("Phones", 5, "MOB")
    assert edited.headers["etag"] == '"2"'

    unconfirmed = await api.delete(where, headers={"If-Match": "*"})
    deleted = await api.delete(where + "?confirm=MOB", headers={"If-Match": '"2"'})
    assert (unconfirmed.status_code, unconfirmed.json()["code"]) == (409, "not_confirmed")
    assert deleted.status_code == 204
    assert (await api.get(where)).status_code == 404


async def test_an_edit_needs_the_current_version(server: RunningServer, api: httpx.AsyncClient) -> None:
    first = await api.patch(server.path(), json={"name": "A"}, headers={"If-Match": '"1"'})
    stale = await api.patch(server.path(), json={"name": "B"}, headers={"If-Match": '"1"'})
    unreadable = await api.patch(server.path(), json={"name": "B"}, headers={"If-Match": "1"})
    huge = await api.patch(server.path(), json={"name": "B"}, headers={"If-Match": f'"{2**40}"'})
    missing = await api.patch(server.path(), json={"name": "B"})
    forced = await api.patch(server.path(), json={"name": "C"}, headers={"If-Match": "*"})

    assert first.status_code == 200
    for refused in (stale, unreadable, huge):
        assert (refused.status_code, refused.json()["code"]) == (409, "stale")
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    assert forced.json()["version"] == 3


async def test_a_prefix_is_an_organizations_only_once(server: RunningServer, api: httpx.AsyncClient) -> None:
    await server.foreign()  # has the same prefix as the server's own workspace

    again = await api.post("/api/v1/workspaces", json={"name": "Web again", "prefix": "WEB"})

    assert again.status_code == 409
    assert again.json()["code"] == "prefix_taken"


async def test_the_default_checklist_gets_ids_and_is_never_done(server: RunningServer, api: httpx.AsyncClient) -> None:
    items = [{"text": "Tests pass", "check": "test"}, {"text": "Documented", "done": True, "id": "docs"}]
    edited = await api.patch(server.path(), json={"default_checklist": items}, headers={"If-Match": "*"})
    twice = await api.patch(
        server.path(),
        json={"default_checklist": [{"text": "a", "id": "x"}, {"text": "b", "id": "x"}]},
        headers={"If-Match": "*"},
    )

    stored = (await api.get(server.path())).json()["default_checklist"]
    assert edited.status_code == 200
    assert [(one["text"], one["check"], one["done"]) for one in stored] == [
        ("Tests pass", "test", False),
        ("Documented", None, False),
    ]
    assert stored[0]["id"]
    assert stored[1]["id"] == "docs"
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "default_checklist")


async def test_a_workspace_with_running_work_is_not_deleted(server: RunningServer, api: httpx.AsyncClient) -> None:
    await server.pool.execute(
        """INSERT INTO tasks (workspace_id, number, title, position, status, lease_agent_id, lease_expires_at)
           VALUES ($1, 1, 't', 1, 'IN_PROGRESS', $2, clock_timestamp() + interval '1 minute')""",
        server.workspace.id,
        uuid4(),
    )
    refused = await api.delete(server.path("?confirm=WEB"), headers={"If-Match": "*"})

    assert (refused.status_code, refused.json()["code"]) == (409, "tasks_in_progress")
    assert (await api.get(server.path())).status_code == 200


async def test_a_workspace_takes_its_keys_along(server: RunningServer, api: httpx.AsyncClient) -> None:
    secret = await server.key(workspace=server.workspace)
    async with server.client(secret) as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        await api.delete(server.path("?confirm=WEB"), headers={"If-Match": "*"})
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_the_list_is_complete_in_pages_of_any_size(server: RunningServer, api: httpx.AsyncClient) -> None:
    for number in range(6):
        await api.post("/api/v1/workspaces", json={"name": f"W{number}", "prefix": f"W{number}"})

    everything = [one["prefix"] for one in (await api.get("/api/v1/workspaces")).json()["items"]]
    seen: list[str] = []
    query = "?limit=2"
    while True:
        page = (await api.get(f"/api/v1/workspaces{query}")).json()
        assert len(page["items"]) <= 2
        seen += [one["prefix"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"

    assert everything == ["WEB", "W0", "W1", "W2", "W3", "W4", "W5"]
    assert seen == everything


async def test_the_organization_can_be_renamed(api: httpx.AsyncClient) -> None:
    renamed = await api.patch("/api/v1/organization", json={"name": "Ünïcode & Søns"})

    assert renamed.status_code == 200
    assert (await api.get("/api/v1/organization")).json()["name"] == "Ünïcode & Søns"


async def test_changes_are_told_as_events_with_the_names_of_the_fields(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    made = (await api.post("/api/v1/workspaces", json={"name": "B", "prefix": "B"})).json()
    await api.patch(server.path("", made["id"]), json={"name": "C", "attempt_cap": 2}, headers={"If-Match": "*"})
    await api.patch(server.path("", made["id"]), json={"name": "D"}, headers={"If-Match": '"1"'})  # stale

    rows = await server.pool.fetch(
        "SELECT kind, detail->'fields' AS fields FROM events WHERE workspace_id = $1 ORDER BY id", made["id"]
    )
    assert [(row["kind"], row["fields"] and bytes(row["fields"])) for row in rows] == [
        ("workspace.created", None),
        ("workspace.edited", b'["name", "attempt_cap"]'),
    ]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("web-app", "WEBAPP"), ("Payments Service", "PAYMENTS"), ("42", "TASK"), ("", "TASK"), ("3d-view", "DVIEW"),
     ("日本", "TASK"), ("a", "A")],
)  # fmt: skip
def test_a_prefix_is_made_from_a_name(name: str, prefix: str) -> None:
    assert prefix_for(name) == prefix


async def test_the_required_checks_are_names_each_of_them_once(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = (await api.post("/api/v1/workspaces", json={"name": "A", "prefix": "REQ"})).json()
    where = server.path("", made["id"])

    edited = await api.patch(where, json={"required_checks": ["unit", "lint", "unit"]}, headers={"If-Match": "*"})
    refused = await api.patch(where, json={"required_checks": ["../x"]}, headers={"If-Match": "*"})

    assert made["required_checks"] == []
    assert edited.json()["required_checks"] == ["unit", "lint"]
    assert refused.status_code == 422
    assert (await api.get(where)).json()["required_checks"] == ["unit", "lint"]
