"""The way out of a sandbox whose network is the provider's: what it lets through, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
from tests.support.scripted_http import Scripted, reply, scripted

from locus.local.sandbox.destinations import Destination, admitted, destinations
from locus.local.sandbox.proxy import HEAD_LIMIT, Proxy

METADATA = "169.254.169.254"


@asynccontextmanager
async def proxy(allowed: Sequence[Destination], told: list[str] | None = None) -> AsyncIterator[Proxy]:
    made = Proxy(allowed, (told if told is not None else []).append)
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def asked(way: Proxy, request: bytes) -> bytes:
    """All that comes back for a request."""
    reader, writer = await asyncio.open_unix_connection(way.socket)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


def port_of(server: Scripted) -> int:
    return int(server.url.rsplit(":", 1)[1])


def get(url: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {url} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


async def test_the_models_service_is_reached_by_tunnel_and_by_address() -> None:
    async with scripted(reply(200, b"hello")) as service, proxy(destinations([service.url], ())) as way:
        by_address = await asked(way, get(f"{service.url}/v1/messages?x=1", "X-Api-Key: k"))
        tunnel = f"CONNECT 127.0.0.1:{port_of(service)} HTTP/1.1\r\n\r\n".encode()
        through = await asked(way, tunnel + get("/inside"))

    assert by_address.endswith(b"hello")
    assert through.startswith(b"HTTP/1.1 200 Connection established\r\n\r\n")
    assert through.endswith(b"hello")
    assert [request.path for request in service.received] == ["/v1/messages?x=1", "/inside"]
    assert service.received[0].headers["x-api-key"] == "k"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", METADATA, "example.org"])
@pytest.mark.parametrize(
    "form", ["CONNECT {host}:{port} HTTP/1.1\r\n\r\n", "GET http://{host}:{port}/ HTTP/1.1\r\n\r\n"]
)
async def test_nothing_else_is_reached_and_the_user_hears_of_it_once(host: str, form: str) -> None:
    told: list[str] = []
    async with scripted(reply(200, b"secret")) as other, proxy((), told) as way:
        request = form.format(host=host, port=port_of(other)).encode()
        answers = [await asked(way, request) for _ in range(2)]

    assert all(answer.startswith(b"HTTP/1.1 403 ") for answer in answers)
    assert other.received == []
    assert len(told) == 1
    assert host.strip("[].").lower() in told[0].lower()


async def test_another_port_of_an_allowed_host_is_not_reached() -> None:
    async with (
        scripted(reply(200)) as service,
        scripted(reply(200)) as other,
        proxy(destinations([service.url], ())) as way,
    ):
        answer = await asked(way, get(other.url))

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert other.received == []


async def test_a_second_request_of_one_connection_does_not_reach_another_host() -> None:
    async with (
        scripted(reply(200)) as service,
        scripted(reply(200)) as other,
        proxy(destinations([service.url], ())) as way,
    ):
        await asked(way, get(f"{service.url}/first") + get(f"{other.url}/second"))

    assert [request.path for request in service.received] == ["/first"]
    assert other.received == []


async def test_a_name_of_the_users_that_stands_for_an_address_near_is_refused() -> None:
    told: list[str] = []
    async with scripted(reply(200)) as other, proxy(destinations((), [f"localhost:{port_of(other)}"]), told) as way:
        answer = await asked(way, get(f"http://localhost:{port_of(other)}/"))

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert other.received == []
    assert "is not on the internet" in told[0]


async def test_an_address_that_the_user_wrote_as_an_address_is_reached() -> None:
    async with (
        scripted(reply(200, b"mine")) as service,
        proxy(destinations((), [f"127.0.0.1:{port_of(service)}"])) as way,
    ):
        answer = await asked(way, get(f"{service.url}/"))

    assert answer.endswith(b"mine")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET https://example.org/ HTTP/1.1\r\n\r\n",
        b"GET file:///etc/passwd HTTP/1.1\r\n\r\n",
        b"CONNECT / HTTP/1.1\r\n\r\n",
        b"CONNECT example.org:no HTTP/1.1\r\n\r\n",
        b"CONNECT example.org:99999 HTTP/1.1\r\n\r\n",
        b"CONNECT [ HTTP/1.1\r\n\r\n",
        b"hello\r\n\r\n",
        b"\xff\xfe\x00 \x01 HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_for_a_proxy_is_refused(request_: bytes) -> None:
    async with proxy(()) as way:
        answer = await asked(way, request_)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403 "))


async def test_a_head_without_end_is_given_up_and_others_are_served() -> None:
    async with scripted(reply(200, b"hello")) as service, proxy(destinations([service.url], ())) as way:
        endless = await asked(way, b"GET " + b"x" * (HEAD_LIMIT * 3))
        answer = await asked(way, get(service.url))

    assert endless == b""
    assert answer.endswith(b"hello")


async def test_a_service_that_does_not_answer_is_told_as_such() -> None:
    async with scripted(reply(200)) as gone:
        url = gone.url
    async with proxy(destinations([url], ())) as way:
        answer = await asked(way, get(url))

    assert answer.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("host", "near", "address", "takes"),
    [
        ("api.example.org", False, "93.184.216.34", True),
        ("api.example.org", False, "2606:2800:220:1::1", True),
        ("api.example.org", False, "10.0.0.1", False),
        ("api.example.org", False, "172.16.0.1", False),
        ("api.example.org", False, "192.168.1.1", False),
        ("api.example.org", False, "100.64.0.1", False),
        ("api.example.org", False, "127.0.0.1", False),
        ("api.example.org", False, "0.0.0.0", False),
        ("api.example.org", False, METADATA, False),
        ("api.example.org", False, "224.0.0.1", False),
        ("api.example.org", False, "::1", False),
        ("api.example.org", False, "fe80::1", False),
        ("api.example.org", False, "fd00:ec2::254", False),
        ("api.example.org", False, f"::ffff:{METADATA}", False),
        ("api.example.org", False, "::ffff:10.0.0.1", False),
        ("api.example.org", False, "64:ff9b::a00:1", False),
        ("api.example.org", False, "2002:a00:1::", False),
        ("model.example.org", True, "10.0.0.1", True),
        ("model.example.org", True, "127.0.0.1", True),
        ("model.example.org", True, METADATA, False),
        ("model.example.org", True, "fe80::1", False),
        ("10.0.0.1", True, "10.0.0.1", True),
    ],
)
def test_addresses_decide_when_names_are_allowed(host: str, near: bool, address: str, takes: bool) -> None:
    assert Destination(host, 443, near=near).takes(ip_address(address)) is takes


def test_hosts_and_services_become_destinations() -> None:
    found = destinations(["https://api.example.org", "http://127.0.0.1:8080/v1"], ["mirror.example.org", "[::1]:99"])

    assert [(one.host, one.port, one.near) for one in found] == [
        ("api.example.org", 443, True),
        ("127.0.0.1", 8080, True),
        ("mirror.example.org", 443, False),
        ("mirror.example.org", 80, False),
        ("::1", 99, True),
    ]
    assert admitted(found, "API.example.org.", 443) is found[0]
    assert admitted(found, "api.example.org.evil.example", 443) is None
    assert admitted(found, "evil-api.example.org", 443) is None
    assert admitted(found, "[::1]", 99) is found[4]
