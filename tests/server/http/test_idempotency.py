"""A POST that is sent twice with one Idempotency-Key happens once."""

import asyncio

import httpx
import pytest
from tests.support.server import RunningServer

from locus.wire.workspaces import Purpose

SAME = {"Idempotency-Key": "one-and-the-same"}


async def count(server: RunningServer) -> int:
    return int(await server.pool.fetchval("SELECT count(*) FROM docs"))


async def test_the_second_time_gets_the_first_answer(server: RunningServer, api: httpx.AsyncClient) -> None:
    first = await api.post(server.path("/docs"), json={"title": "d"}, headers=SAME)
    second = await api.post(server.path("/docs"), json={"title": "d"}, headers=SAME)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"] == '"1"'
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await count(server) == 1


async def test_another_body_under_the_same_key_is_refused(server: RunningServer, api: httpx.AsyncClient) -> None:
    await api.post(server.path("/docs"), json={"title": "d"}, headers=SAME)
    other = await api.post(server.path("/docs"), json={"title": "e"}, headers=SAME)

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert await count(server) == 1


async def test_many_at_once_make_one(server: RunningServer, api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(api.post(server.path("/docs"), json={"title": "d"}, headers=SAME) for _ in range(8))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await count(server) == 1


async def test_a_key_is_one_callers_and_one_addresss(server: RunningServer, api: httpx.AsyncClient) -> None:
    made = (await api.post("/api/v1/workspaces", json={"name": "B", "prefix": "B"})).json()
    await api.post(server.path("/docs"), json={"title": "d"}, headers=SAME)
    elsewhere = await api.post(server.path("/docs", made["id"]), json={"title": "d"}, headers=SAME)
    async with server.client(await server.key(Purpose.MEMBER)) as other:
        another = await other.post(server.path("/docs"), json={"title": "d"}, headers=SAME)

    assert elsewhere.json()["workspace_id"] == made["id"]
    assert another.status_code == 201
    assert await count(server) == 3


async def test_a_refusal_is_not_remembered(server: RunningServer, api: httpx.AsyncClient) -> None:
    body = {"name": "B", "prefix": "B"}
    await api.post("/api/v1/workspaces", json=body)
    refused = await api.post("/api/v1/workspaces", json=body, headers=SAME)
    await server.pool.execute("DELETE FROM workspaces WHERE prefix = 'B'")
    accepted = await api.post("/api/v1/workspaces", json=body, headers=SAME)

    assert refused.status_code == 409
    assert accepted.status_code == 201


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "ä"])
async def test_a_key_must_be_visible_ascii(server: RunningServer, api: httpx.AsyncClient, key: str) -> None:
    answer = await api.post(server.path("/docs"), json={"title": "d"}, headers={"Idempotency-Key": key.encode()})

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_a_remembered_answer_with_a_secret_is_sealed(server: RunningServer, api: httpx.AsyncClient) -> None:
    first = await api.post(server.path("/keys"), json={"name": "k"}, headers=SAME)
    second = await api.post(server.path("/keys"), json={"name": "k"}, headers=SAME)

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    secret = first.json()["secret"]
    (stored,) = await server.pool.fetch("SELECT * FROM idempotency_keys")
    assert secret.encode() not in stored["answer"]
    assert b"lcs_" not in stored["answer"]
