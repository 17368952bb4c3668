"""Whoever gets hold of the database gets no key to anything."""

import json

import httpx
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose


async def values(server: RunningServer) -> set[str]:
    """Every single value in every column of every table, as text."""
    tables = await server.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found: set[str] = set()
    for table in tables:
        rows = await server.pool.fetch(f"SELECT row_to_json(t)::text AS row FROM {table['tablename']} t")
        for row in rows:
            kept = json.loads(row["row"]).values()
            found |= {str(value).removeprefix("\\x") for value in kept if value is not None}
    return found


async def test_no_value_in_the_database_opens_a_door(server: RunningServer) -> None:
    secrets = [await server.key(purpose, workspace=server.workspace) for purpose in Purpose]
    async with server.client(await server.key()) as api:
        made = (await api.post(server.path("/keys"), json={"name": "laptop"})).json()["secret"]
        await api.post(server.path("/tasks"), json={"title": "Something"}, headers={"Idempotency-Key": "once"})
        known = await values(server)

    async with httpx.AsyncClient(base_url=server.url) as client:

        async def opens(bearer: str) -> bool:
            said = bearer.replace("\n", " ")[:500].strip() or "-"
            answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {said}".encode()})
            return answer.status_code == 200

        good = [await opens(secret) for secret in (*secrets, made)]
        bad = [value for value in known if await opens(value)]

    assert len(known) > 60
    assert set(good) == {True}
    assert bad == []
    assert not any(secret in value for secret in (*secrets, made) for value in known)
