"""The frame: request ids, headers, metrics, the log, and what is said when something breaks."""

import json
import logging

import httpx
import pytest
from tests.support.server import RunningServer

from locus.server.http.log import JsonFormatter
from locus.wire.workspaces import Purpose


@pytest.mark.parametrize("given", ["abc", "A-1_2.3", "x" * 64])
async def test_a_tame_request_id_is_kept(api: httpx.AsyncClient, given: str) -> None:
    answer = await api.get("/api/v1/me", headers={"X-Request-ID": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ä", 'x"', "a\tb"])
async def test_any_other_request_id_is_replaced(api: httpx.AsyncClient, given: str) -> None:
    answer = await api.get("/api/v1/me", headers={"X-Request-ID": given.encode()})

    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.parametrize("address", ["/api/v1/me", "/api/v1/nothing", "/healthz", "/api/v1/workspaces/x"])
async def test_every_answer_is_framed_safely(server: RunningServer, address: str) -> None:
    async with server.client() as client:
        answer = await client.get(address)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers or "uvicorn" not in answer.headers["server"]


async def test_the_log_has_one_line_a_request_and_nothing_secret(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = await server.key(Purpose.ADMIN)
    async with server.client(secret) as client:
        await client.post(
            server.path("/docs"),
            json={"title": "a-secret-title", "text": "a-secret-text"},
            headers={"X-Request-ID": "one", "Idempotency-Key": "a-secret-idempotency"},
        )
        await client.get(server.path("/docs?text=a-secret-query"), headers={"X-Request-ID": "two"})
        await client.post(
            server.path("/keys"), json={"name": "k", "purpose": "nonsense"}, headers={"X-Request-ID": "three"}
        )

    ours = [record for record in caplog.records if record.name.startswith("locus")]
    lines = [JsonFormatter().format(record) for record in ours]
    mine = {entry["request"]: entry for entry in map(json.loads, lines) if entry["logger"] == "locus.access"}
    assert set(mine) == {"one", "two", "three"}
    assert mine["one"]["route"] == "/api/v1/workspaces/{workspace_id}/docs"
    assert (mine["one"]["method"], mine["one"]["status"]) == ("POST", 201)
    assert mine["one"]["ms"] > 0
    assert mine["one"]["key"]
    everything = "\n".join(lines)
    assert secret not in everything
    assert "a-secret" not in everything
    assert str(server.workspace.id) not in everything


async def test_the_counts_are_by_route_and_not_by_address(api: httpx.AsyncClient, server: RunningServer) -> None:
    await api.get(server.path())
    await api.get(server.path("/nothing-here"))

    text = (await api.get("/metrics")).text
    assert 'locus_requests_total{method="GET",route="/api/v1/workspaces/{workspace_id}",status="200"} 1' in text
    assert 'locus_requests_total{method="GET",route="unmatched",status="404"} 1' in text
    assert str(server.workspace.id) not in text
    assert "locus_pool_connections " in text
    assert "locus_events_head " in text
    for line in text.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2


async def test_health_needs_no_database_and_readiness_does(server: RunningServer) -> None:
    async with server.client() as client:
        assert (await client.get("/readyz")).status_code == 200

        await server.pool.close()

        assert (await client.get("/healthz")).status_code == 200
        refused = await client.get("/readyz")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert refused.json()["status"] == 503


async def test_a_database_that_went_away_is_told_without_a_stack(server: RunningServer) -> None:
    secret = await server.key()
    await server.pool.close()

    async with server.client(secret) as client:
        answer = await client.get("/api/v1/me")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "Traceback" not in answer.text
    assert "asyncpg" not in answer.text


async def test_a_defect_of_ours_is_a_plain_500_and_its_stack_is_in_the_log(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    # A table that a query needs is not there: nothing a caller could have caused.
    secret = await server.key()
    await server.pool.execute("ALTER TABLE docs RENAME TO docs_away")

    async with server.client(secret) as client:
        answer = await client.get(server.path("/docs"), headers={"X-Request-ID": "the-defect"})

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "server_error"
    assert "docs" not in answer.text
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    logged = json.loads(JsonFormatter().format(record))
    assert logged["request"] == "the-defect"
    assert "Traceback" in logged["error"]
