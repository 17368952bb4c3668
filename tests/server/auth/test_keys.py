"""API keys over HTTP: who gets in, for how long, and what happens when a key changes."""

import asyncio
import time

import httpx
import pytest
from tests.support import server as servers
from tests.support.server import RunningServer

from locus.server.auth.secrets import new_secret
from locus.wire.workspaces import Purpose

REVOKED_EVERYWHERE = 2.0  # seconds, at most, until every process refuses a revoked key


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer lcs_short")],
        [("Authorization", "Basic bGNzOmxjcw==")],
        [("Authorization", "Bearer " + "x" * 5000)],
        [("Authorization", b"Bearer lcs_\xff\xfe" + b"a" * 34)],
        [("Authorization", "Bearer KEY"), ("Authorization", "Bearer KEY")],
        [("Authorization", "KEY")],
        [("X-Api-Key", "KEY")],
    ],
)
async def test_anything_but_one_valid_key_is_refused_alike(server: RunningServer, headers: list) -> None:
    secret = await server.key()
    sent = [(name, value.replace("KEY", secret) if isinstance(value, str) else value) for name, value in headers]
    async with server.client() as client:
        answer = await client.get("/api/v1/me", headers=sent)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "unauthorized"


async def test_a_key_that_never_was_and_one_that_ended_look_alike(server: RunningServer) -> None:
    ended = await server.key()
    await server.pool.execute("UPDATE api_keys SET expires_at = clock_timestamp() - interval '1 second'")
    async with server.client(ended) as one, server.client(new_secret()) as other:
        first, second = await one.get("/api/v1/me"), await other.get("/api/v1/me")

    assert first.status_code == second.status_code == 401
    assert first.content == second.content


async def test_a_wrong_checksum_asks_no_database(server: RunningServer) -> None:
    secret = await server.key()
    await server.pool.close()

    async with server.client(secret[:-1] + ("a" if secret[-1] != "a" else "b")) as client:
        assert (await client.get("/api/v1/me")).status_code == 401
    async with server.client(secret) as client:
        assert (await client.get("/api/v1/me")).status_code == 503


async def test_a_key_says_who_it_is(server: RunningServer) -> None:
    secret = await server.key(Purpose.WORKER, workspace=server.workspace, name="laptop")
    async with server.client(secret) as client:
        me = (await client.get("/api/v1/me")).json()

    assert (me["name"], me["purpose"]) == ("laptop", "worker")
    assert me["workspace"]["prefix"] == "WEB"
    assert me["organization"]["name"] == "Test"
    assert me["expires_at"]
    assert me["server_version"]


async def test_a_key_is_made_used_listed_and_revoked(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = await api.post(server.path("/keys"), json={"name": "ci", "purpose": "read", "expires_in_days": 30})
    secret, key = made.json()["secret"], made.json()["key"]
    async with server.client(secret) as client:
        assert (await client.get(server.path())).status_code == 200

        listed = (await api.get(server.path("/keys"))).json()["items"]
        assert [one["id"] for one in listed] == [key["id"]]
        assert secret not in (await api.get(server.path("/keys"))).text
        assert secret.startswith(listed[0]["hint"])

        assert (await api.delete(server.path(f"/keys/{key['id']}"))).status_code == 204
        assert (await client.get(server.path())).status_code == 401
    assert (await api.delete(server.path(f"/keys/{key['id']}"))).status_code == 404
    assert (await api.get(server.path("/keys"))).json()["items"][0]["revoked_at"]


async def test_a_rotated_key_has_a_new_secret_and_the_old_one_ends_at_once(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    made = (await api.post("/api/v1/organization/keys", json={"name": "k", "purpose": "member"})).json()
    async with server.client(made["secret"]) as old:
        assert (await old.get("/api/v1/me")).status_code == 200
        rotated = await api.post(f"/api/v1/organization/keys/{made['key']['id']}/rotate")
        assert (await old.get("/api/v1/me")).status_code == 401
    async with server.client(rotated.json()["secret"]) as new:
        me = (await new.get("/api/v1/me")).json()

    assert rotated.status_code == 201
    assert me["key_id"] == made["key"]["id"]
    assert me["purpose"] == "member"


async def test_a_key_never_outlives_the_key_that_made_it(server: RunningServer) -> None:
    async with server.client(await server.key(Purpose.ADMIN, days=5)) as client:
        mine = (await client.get("/api/v1/me")).json()["expires_at"]
        for days in (None, 300):
            made = await client.post("/api/v1/organization/keys", json={"name": "k", "expires_in_days": days})
            assert made.json()["key"]["expires_at"] == mine
        shorter = await client.post("/api/v1/organization/keys", json={"name": "k", "expires_in_days": 1})
        assert shorter.json()["key"]["expires_at"] < mine


async def test_a_key_without_an_end_may_make_one_without_an_end(server: RunningServer) -> None:
    async with server.client(await server.key(Purpose.ADMIN, days=None)) as client:
        made = await client.post("/api/v1/organization/keys", json={"name": "k", "expires_in_days": None})

    assert made.json()["key"]["expires_at"] is None


async def test_keys_of_a_workspace_and_of_the_organization_do_not_meet(
    server: RunningServer, api: httpx.AsyncClient
) -> None:
    here = (await api.post(server.path("/keys"), json={"name": "here"})).json()["key"]["id"]
    everywhere = (await api.post("/api/v1/organization/keys", json={"name": "all"})).json()["key"]["id"]

    assert (await api.delete(f"/api/v1/organization/keys/{here}")).status_code == 404
    assert (await api.delete(server.path(f"/keys/{everywhere}"))).status_code == 404
    assert (await api.post(server.path(f"/keys/{everywhere}/rotate"))).status_code == 404


async def test_another_process_refuses_a_revoked_key_soon(dsn: str) -> None:
    async with servers.running(dsn) as one, servers.second(dsn, one) as other:
        secret = await one.key(Purpose.READ)
        async with one.client(await one.key()) as admin, other.client(secret) as there:
            key_id = (await there.get("/api/v1/me")).json()["key_id"]
            assert (await admin.delete(f"/api/v1/organization/keys/{key_id}")).status_code == 204
            revoked = time.monotonic()
            while (await there.get("/api/v1/me")).status_code != 401:
                assert time.monotonic() - revoked < REVOKED_EVERYWHERE
                await asyncio.sleep(0.05)


async def test_the_last_use_is_noted_and_at_most_once_a_minute(server: RunningServer) -> None:
    secret = await server.key()
    read = "SELECT last_used_at FROM api_keys"
    async with server.client(secret) as client, asyncio.timeout(10):
        await client.get("/api/v1/me")
        while (first := await server.pool.fetchval(read)) is None:
            await asyncio.sleep(0.02)

        # Long enough for the server to look the key up again.
        until = time.monotonic() + 1.3
        while time.monotonic() < until:
            await client.get("/api/v1/me")
            await asyncio.sleep(0.1)
        assert await server.pool.fetchval(read) == first

        await server.pool.execute("UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'")
        while await server.pool.fetchval(read) < first:
            await client.get("/api/v1/me")
            await asyncio.sleep(0.05)


async def test_making_and_revoking_are_told_as_events(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = (await api.post(server.path("/keys"), json={"name": "k"})).json()
    await api.delete(server.path(f"/keys/{made['key']['id']}"))

    rows = await server.pool.fetch("SELECT kind, detail->>'key_id' AS key FROM events ORDER BY id")
    assert [(row["kind"], row["key"]) for row in rows] == [
        ("key.created", made["key"]["id"]),
        ("key.revoked", made["key"]["id"]),
    ]
