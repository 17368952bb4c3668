"""What a request must look like before any handler sees it."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.support import server as servers
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.wire.base import MAX_BODY, MAX_DOC_BODY


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[RunningServer]:
    """One server for all: nothing here changes anything."""
    async with databases.one() as dsn, servers.running(dsn) as server:
        yield server


def problem(answer: httpx.Response) -> dict:
    """The problem document of a refusal, which every refusal is."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert {"title", "code", "detail", "type", "errors"} <= set(body)
    return body


@pytest.mark.parametrize(
    ("body", "status", "field", "message"),
    [
        (b'{"name": "W"}', 422, "prefix", "is required"),
        (b'{"name": 5, "prefix": "W"}', 422, "name", "must be text, not a whole number"),
        (b'{"name": "", "prefix": "W"}', 422, "name", "must not be empty"),
        (b'{"name": "W", "prefix": "W", "x": 1}', 422, "x", "is not a field that is known here"),
        (b'{"name": "W", "prefix": "w"}', 422, "prefix", "has characters that are not allowed here"),
        (b'{"name": "a\\nb", "prefix": "W"}', 422, "name", "must be one line"),
        (b'{"name": "\\u0000", "prefix": "W"}', 422, "name", "must be one line"),
        (b"[]", 422, "body", "must be an object, not a list"),
        (b"null", 422, "body", "must be an object, not null"),
        (b'{"name": "' + b"a" * 101 + b'", "prefix": "W"}', 422, "name", "must have at most 100 characters"),
    ],
)
async def test_a_wrong_field_is_named_in_words_for_people(
    api: httpx.AsyncClient, body: bytes, status: int, field: str, message: str
) -> None:
    answer = await api.post("/api/v1/workspaces", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    (wrong,) = problem(answer)["errors"]
    assert wrong["field"] == field
    assert wrong["message"].startswith(message)
    assert "regex" not in answer.text
    assert "`" not in answer.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b'{"name": "W", "prefix": "W"} x', "malformed_json"),
        (b'{"name": "\xff", "prefix": "W"}', "malformed_json"),
        (b'{"name": "\\ud800", "prefix": "W"}', "malformed_json"),
        (b'{"name": "W", "name": "V", "prefix": "W"}', "malformed_json"),
    ],
)
async def test_what_is_not_json_is_a_bad_request(api: httpx.AsyncClient, body: bytes, code: str) -> None:
    answer = await api.post("/api/v1/workspaces", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert problem(answer)["code"] == code


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"name":['])
async def test_a_body_of_any_depth_is_only_a_wrong_one(api: httpx.AsyncClient, opening: bytes) -> None:
    body = opening * (200_000 // len(opening))
    answer = await api.post("/api/v1/workspaces", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    problem(answer)


async def test_a_missing_body_and_another_kind_of_body_are_told_apart(api: httpx.AsyncClient) -> None:
    missing = await api.post("/api/v1/workspaces", headers={"Content-Type": "application/json"})
    form = await api.post("/api/v1/workspaces", data={"name": "W", "prefix": "W"})
    unsaid = await api.post("/api/v1/workspaces", content=b'{"name": "W", "prefix": "W"}')

    assert (missing.status_code, problem(missing)["code"]) == (422, "body_missing")
    assert (form.status_code, problem(form)["code"]) == (415, "unsupported_media_type")
    assert unsaid.status_code == 415


def of_size(field: str, size: int, **others: str) -> bytes:
    empty = len(json.dumps({field: "", **others}))
    return json.dumps({field: "a" * (size - empty), **others}).encode()


async def test_a_body_over_the_limit_is_refused_by_its_length(server: RunningServer, api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    at = await api.post("/api/v1/workspaces", content=of_size("name", MAX_BODY, prefix="W"), headers=headers)
    over = await api.post("/api/v1/workspaces", content=of_size("name", MAX_BODY + 1, prefix="W"), headers=headers)
    doc = await api.post(server.path("/docs"), content=of_size("text", MAX_DOC_BODY + 1, title="d"), headers=headers)

    assert at.status_code == 422  # readable, but the name is far too long
    assert (over.status_code, problem(over)["code"]) == (413, "too_large")
    assert str(MAX_BODY) in problem(over)["detail"]
    assert doc.status_code == 413
    assert str(MAX_DOC_BODY) in problem(doc)["detail"]


async def test_a_body_that_hides_its_length_is_counted(api: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"name": "'
        while sent < 64 * 1024 * 1024:
            sent += 65536
            yield b"a" * 65536

    # The server may close the connection before all of it was sent: that, too, is an answer.
    try:
        answer = await api.post("/api/v1/workspaces", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    except httpx.TransportError:
        assert sent < 64 * 1024 * 1024


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error_of_ours(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    before = await broken_off(server)
    secret = await server.key()
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    async with asyncio.timeout(10):
        while await broken_off(server) == before:
            await asyncio.sleep(0.02)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def broken_off(server: RunningServer) -> int:
    """How many requests for a workspace were answered with 400."""
    async with server.client() as client:
        lines = (await client.get("/metrics")).text.splitlines()
    counted = 'locus_requests_total{method="POST",route="/api/v1/workspaces",status="400"} '
    return sum(int(line.removeprefix(counted)) for line in lines if line.startswith(counted))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limitt=5", "limitt"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=abc", "limit"),
        ("limit=null", "limit"),
        ("limit=5&limit=6", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=" + "a" * 1001, "cursor"),
        ("cursor=bnVsbA", "cursor"),
    ],
)
async def test_a_query_parameter_that_is_unknown_or_wrong_is_named(
    api: httpx.AsyncClient, query: str, field: str
) -> None:
    answer = await api.get(f"/api/v1/workspaces?{query}")

    assert answer.status_code == 422
    assert [one["field"] for one in problem(answer)["errors"]] == [field]


async def test_an_unknown_address_and_a_wrong_method_are_problems_too(api: httpx.AsyncClient) -> None:
    unknown = await api.get("/api/v1/nothing")
    unreadable = await api.get("/api/v1/workspaces/not-an-id")
    method = await api.put("/api/v1/workspaces")

    assert (unknown.status_code, problem(unknown)["code"]) == (404, "not_found")
    assert unreadable.status_code == 404
    assert unreadable.content == unknown.content
    assert (method.status_code, problem(method)["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= {name.strip() for name in method.headers["allow"].split(",")}


async def test_options_tells_every_method_of_an_address(server: RunningServer) -> None:
    async with server.client() as client:
        answer = await client.options("/api/v1/workspaces")

    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, OPTIONS, POST"
