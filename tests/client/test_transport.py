"""The transport against a server that drops, stalls, lies and floods."""

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from tests.support.nowhere import Nowhere
from tests.support.scripted_http import Scripted, hang_up, problem, reply, scripted

from locus.client.errors import (
    BadAnswer,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    LeaseLost,
    NotFound,
    NotSignedIn,
    PlaneError,
    Refused,
    Stale,
    Unreachable,
)
from locus.client.transport import Transport
from locus.version import VERSION
from locus.wire.docs import DocDraft, DocEdit
from locus.wire.workspaces import Organization

ID = UUID("00000000-0000-4000-8000-000000000001")
GOOD = reply(200, b'{"id":"%b","name":"Test","created_at":"2026-01-01T00:00:00Z"}' % str(ID).encode())
KEY = "lcs_secret"


@asynccontextmanager
async def talking(script: Scripted, *, patience: float = 10.0, dice: float = 0.0) -> AsyncIterator[Transport]:
    """A transport whose pauses between tries are as short as possible."""
    transport = Transport(script.url, KEY, patience=patience, dice=lambda: dice, egress=Nowhere())
    try:
        yield transport
    finally:
        await transport.close()


async def ask(transport: Transport) -> Organization:
    return await transport.get("/organization", Organization)


async def test_a_request_says_who_asks_and_with_which_key() -> None:
    async with scripted(GOOD) as script, talking(script) as transport:
        answer = await ask(transport)

    headers = script.received[0].headers
    assert answer.id == ID
    assert script.received[0].path == "/api/v1/organization"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"] == f"locus/{VERSION}"
    assert len(headers["x-request-id"]) == 32


@pytest.mark.parametrize("trouble", [hang_up, *(reply(status) for status in (429, 502, 503, 504))])
async def test_passing_trouble_is_passed_over(trouble: bytes) -> None:
    async with scripted(trouble, trouble, GOOD) as script, talking(script) as transport:
        assert (await ask(transport)).id == ID

    assert len(script.received) == 3


async def test_a_repeated_post_carries_the_same_key_and_another_post_another() -> None:
    async with scripted(hang_up, reply(503), GOOD) as script, talking(script) as transport:
        await transport.post("/docs", DocDraft(title="One"), Organization)
        await transport.post("/docs", DocDraft(title="Two"), Organization)

    keys = [request.headers["idempotency-key"] for request in script.received]
    bodies = [request.body for request in script.received]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert bodies[0] == bodies[1] == bodies[2]


async def test_the_caller_s_own_idempotency_key_is_used() -> None:
    async with scripted(GOOD) as script, talking(script) as transport:
        await transport.post("/docs", DocDraft(title="One"), Organization, idempotency_key="attempt-7")

    assert script.received[0].headers["idempotency-key"] == "attempt-7"


@pytest.mark.parametrize("trouble", [hang_up, reply(503)])
async def test_an_edit_is_never_sent_twice(trouble: bytes) -> None:
    async with scripted(trouble, GOOD) as script, talking(script) as transport:
        with pytest.raises(Unreachable):
            await transport.patch("/docs/1", DocEdit(title="x"), Organization, version=3)

    assert len(script.received) == 1
    assert script.received[0].headers["if-match"] == '"3"'


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(400, "bad_request"), Invalid),
        (problem(401, "unauthorized"), NotSignedIn),
        (problem(403, "forbidden"), Forbidden),
        (problem(404, "not_found"), NotFound),
        (problem(409, "conflict"), Conflict),
        (problem(409, "stale"), Stale),
        (problem(409, "lease_lost"), LeaseLost),
        (problem(413, "too_large"), Invalid),
        (problem(422, "invalid"), Invalid),
        (problem(428, "precondition_required"), Refused),
        (problem(500, "internal"), BadAnswer),
    ],
)
async def test_what_cannot_pass_is_told_at_once_as_what_it_is(answer: bytes, kind: type[PlaneError]) -> None:
    async with scripted(answer, GOOD) as script, talking(script) as transport:
        with pytest.raises(kind) as raised:
            await ask(transport)

    assert type(raised.value) is kind
    assert len(script.received) == 1


async def test_the_field_at_fault_is_in_the_message() -> None:
    body = (
        b'{"title":"Invalid","status":422,"code":"invalid","detail":"2 fields are wrong.",'
        b'"errors":[{"field":"title","message":"is too long"}]}'
    )
    answer = reply(422, body, kind="application/problem+json")
    async with scripted(answer) as script, talking(script) as transport:
        with pytest.raises(Invalid) as raised:
            await ask(transport)

    assert raised.value.message == "2 fields are wrong.\ntitle: is too long"


async def test_tries_end_with_patience_and_the_last_trouble_is_told() -> None:
    began = time.monotonic()
    async with scripted(reply(503)) as script, talking(script, patience=0.5, dice=1.0) as transport:
        with pytest.raises(Unreachable) as raised:
            await ask(transport)

    assert 2 <= len(script.received) <= 6
    assert time.monotonic() - began < 3
    assert "503" in raised.value.message
    assert raised.value.exit_code == 4


async def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    began = time.monotonic()
    async with scripted(problem(429, "busy", Retry_After="1"), GOOD) as script, talking(script) as transport:
        await ask(transport)

    assert time.monotonic() - began >= 1.0
    assert len(script.received) == 2


async def test_a_pause_beyond_our_patience_is_not_waited_for() -> None:
    began = time.monotonic()
    async with scripted(problem(429, "busy", Retry_After="3600")) as script, talking(script) as transport:
        with pytest.raises(Busy) as raised:
            await ask(transport)

    assert time.monotonic() - began < 3
    assert raised.value.retry_after == 3600


async def test_pauses_grow_so_that_a_server_in_trouble_is_not_run_over() -> None:
    came: list[float] = []

    async def note(writer: asyncio.StreamWriter) -> None:
        came.append(time.monotonic())
        writer.write(reply(503))

    async with scripted(note) as script, talking(script, patience=1.2, dice=1.0) as transport:
        with pytest.raises(Unreachable):
            await ask(transport)

    pauses = [later - earlier for earlier, later in itertools.pairwise(came)]
    assert len(pauses) >= 2
    assert all(later > 1.4 * earlier for earlier, later in itertools.pairwise(pauses))


async def test_a_deadline_ends_even_a_try_that_has_begun() -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    began = time.monotonic()
    async with scripted(stall) as script, talking(script) as transport:
        with pytest.raises(Unreachable):
            await transport.get("/organization", Organization, deadline=0.3)

    assert time.monotonic() - began < 5


async def test_an_answer_that_trickles_for_ever_is_given_up() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with scripted(trickle) as script, talking(script, patience=0.0) as transport:
        with pytest.raises(Unreachable) as raised:
            await transport.get("/organization", Organization, deadline=0.5)

    assert "did not answer within" in raised.value.message


async def test_nobody_at_the_address_is_said_with_what_to_do() -> None:
    async with scripted(GOOD) as script:
        url = script.url
    transport = Transport(url, KEY, patience=0.2, egress=Nowhere())
    with pytest.raises(Unreachable) as raised:
        await ask(transport)
    await transport.close()

    assert url in raised.value.message
    assert "locus up" in str(raised.value)


async def test_a_redirect_is_not_followed() -> None:
    async with scripted(GOOD) as elsewhere:
        there = reply(302, Location=f"{elsewhere.url}/api/v1/organization")
        async with scripted(there) as script, talking(script) as transport:
            with pytest.raises(BadAnswer):
                await ask(transport)

    assert elsewhere.received == []


async def test_an_answer_without_end_is_cut_off_before_it_fills_the_memory() -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while sent < 200 << 20:
            writer.write(b" " * 65536)
            sent += 65536
            await writer.drain()

    async with scripted(flood) as script, talking(script) as transport:
        with pytest.raises(BadAnswer) as raised:
            await ask(transport)

    assert "16 MiB" in raised.value.message
    assert sent < 40 << 20
    assert len(script.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"<html>hello</html>", kind="text/html"),
        reply(200, b"{"),
        reply(200, b'{"id": 5}'),
        reply(200, b"\xff\xfe"),
        reply(404, b"<html>nothing here</html>", kind="text/html"),
        reply(401, b"<html>proxy</html>", kind="text/html"),
        reply(200, b'{"name":"\xed\xa0\x80"}'),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
async def test_what_is_no_answer_of_a_control_plane_is_called_that(answer: bytes) -> None:
    async with scripted(answer) as script, talking(script, patience=0.0) as transport:
        with pytest.raises(BadAnswer) as raised:
            await ask(transport)

    assert script.url in raised.value.message


async def test_fields_of_a_newer_server_are_ignored() -> None:
    newer = GOOD.replace(b'{"id"', b'{"fresh":1,"id"').replace(b"Content-Length: ", b"X: ")
    async with scripted(newer) as script, talking(script) as transport:
        assert (await ask(transport)).id == ID


async def test_what_is_on_this_machine_is_never_asked_through_a_proxy() -> None:
    async with scripted(GOOD) as proxy, scripted(GOOD) as script:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                patch.setenv(name, proxy.url)
            async with talking(script) as transport:
                await ask(transport)

    assert len(script.received) == 1
    assert proxy.received == []


async def test_another_machine_is_asked_through_the_proxy_of_the_environment() -> None:
    async with scripted(reply(502)) as proxy:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HTTPS_PROXY", proxy.url)
            patch.delenv("NO_PROXY", raising=False)
            transport = Transport("https://locus.example.org", KEY, patience=0.0, egress=Nowhere())
            with pytest.raises(Unreachable):
                await ask(transport)
            await transport.close()

    assert [request.method for request in proxy.received] == ["CONNECT"]


@pytest.mark.parametrize("key", ["lcs_\n", "lcs_\x00", "lcs ü", "two words"])
async def test_a_key_that_cannot_be_one_is_never_sent_and_never_shown(key: str) -> None:
    with pytest.raises(NotSignedIn) as raised:
        Transport("http://127.0.0.1:1", key, patience=0.0, egress=Nowhere())

    assert key not in str(raised.value)


async def test_cancelling_a_request_ends_it_at_once() -> None:
    arrived = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.sleep(30)

    async with scripted(stall) as script, talking(script) as transport:
        asking = asyncio.create_task(ask(transport))
        await arrived.wait()
        asking.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert time.monotonic() - began < 1


async def test_a_server_that_cannot_prove_who_it_is_never_gets_the_key() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).parent / "nobody-trusts-this.pem")
    async with scripted(GOOD, tls=tls) as script, talking(script, patience=0.0) as transport:
        with pytest.raises(Unreachable) as raised:
            await ask(transport)

    assert script.received == []
    assert "does not prove who it is" in raised.value.message
