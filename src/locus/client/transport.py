"""The one place that opens a connection to a control plane: limits, retries, and what an answer must look like.

Nothing is sent before the egress log has it: `_leave` is the only way to the network, for tries and streams alike.

Retried are GET and POST with an idempotency key, on trouble with the connection and on 429, 502, 503 and 504; the
key stays the same, so the server does a thing once however often it is asked. Nothing else is ever sent twice.
"""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from msgspec import Struct

from locus.client import address
from locus.client.answers import LATER, RIGHT_URL, meaning, passing, trouble
from locus.client.egress import Egress, Outgoing
from locus.client.errors import BadAnswer, NotSignedIn, PlaneError, Refused, Unreachable
from locus.client.lean import httpx
from locus.version import VERSION
from locus.wire.base import encode

CONNECT = 5.0  # seconds
READ = 20.0  # seconds without a byte
ATTEMPT = 60.0  # seconds for one try, however it trickles; a long poll adds its own waiting
LARGEST = 16 << 20  # bytes of an answer
PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds: the first pause between tries is up to PAUSE, each next up to twice that
# Headers that the egress log leaves out: the key, and what is the same in every request.
UNLOGGED = frozenset(
    {
        "authorization",
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "content-length",
    }
)

T = TypeVar("T")
Parameters = Mapping[str, str | int | list[str]]


class Reply(Struct, frozen=True):
    """An answer with a status below 300, read whole."""

    body: bytes
    etag: str | None


class Transport:
    """Connections to one control plane, with one key.

    `egress` is told of every try before it is sent, and what came of it. `patience` is for how many seconds a request
    is tried again before its trouble is told; a request's own `deadline` takes its place. `dice` gives numbers from 0
    to 1 for the length of pauses.
    Raises BadAddress for a URL that cannot be a control plane's.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        egress: Egress,
        patience: float,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.url = address.parse(url)
        self._egress = egress
        self.patience = patience
        self._dice = dice
        headers = {"User-Agent": f"locus/{VERSION}", "Accept-Encoding": "identity"}
        if key:
            headers["Authorization"] = f"Bearer {_visible(key)}"
        here = address.is_loopback(urlsplit(self.url).hostname or "")
        try:
            self._http = httpx.AsyncClient(
                headers=headers,
                timeout=httpx.Timeout(READ, connect=CONNECT),
                follow_redirects=False,
                # Proxies and certificates of the environment count, but what is on this machine is asked directly.
                trust_env=not here,
                verify=_nobody() if self.url.startswith("http:") else True,
            )
        except (ImportError, ValueError) as e:
            raise PlaneError(
                f"The proxy of the environment cannot be used: {e}.", remedy="Set HTTPS_PROXY to an http:// URL."
            ) from e

    async def close(self) -> None:
        await self._http.aclose()

    async def get(
        self, path: str, answer: type[T], *, parameters: Parameters | None = None, deadline: float | None = None
    ) -> T:
        """GET a resource and read it as `answer`."""
        reply = await self._request("GET", path, parameters=parameters, deadline=deadline)
        return self._read(reply, answer)

    async def post(
        self,
        path: str,
        body: msgspec.Struct | None,
        answer: type[T],
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
        waiting: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """POST a message. `idempotency_key` is for a caller that may say the same thing again after a restart.

        `waiting` is for how many seconds the server was asked to hold the answer back.
        """
        sent = {"Idempotency-Key": idempotency_key or str(uuid4()), **(headers or {})}
        reply = await self._request("POST", path, body=body, headers=sent, deadline=deadline, waiting=waiting)
        return self._read(reply, answer)

    async def patch(self, path: str, body: msgspec.Struct, answer: type[T], *, version: int | None) -> T:
        """Edit what had this version; Stale when it no longer has."""
        return self._read(await self._request("PATCH", path, body=body, headers=_if_match(version)), answer)

    async def delete(self, path: str, *, version: int | None = None, parameters: Parameters | None = None) -> None:
        """Delete what had this version; Stale when it no longer has."""
        await self._request("DELETE", path, headers=_if_match(version), parameters=parameters)

    @asynccontextmanager
    async def stream(self, path: str, *, headers: Mapping[str, str], silence: float) -> AsyncIterator[httpx.Response]:
        """An open answer of lines that come when they come; `silence` is for how many seconds none may."""
        request = self._http.build_request(
            "GET",
            f"{self.url}/api/v1{path}",
            headers={"X-Request-ID": uuid4().hex, **headers},
            timeout=httpx.Timeout(silence, connect=CONNECT),
        )
        try:
            response = await self._leave(request)
        except httpx.HTTPError as e:
            raise trouble(self.url, e) from e
        try:
            if response.status_code != 200:
                raise meaning(self.url, response, await self._body(response))
            yield response
        except httpx.HTTPError as e:
            raise trouble(self.url, e) from e
        finally:
            await response.aclose()

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: msgspec.Struct | None = None,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        waiting: float = 0.0,
    ) -> Reply:
        content = encode(body) if body is not None else None
        sent = {"X-Request-ID": uuid4().hex, **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = self._http.build_request(
            method,
            f"{self.url}/api/v1{path}",
            params=parameters,
            headers=sent,
            content=content,
            timeout=httpx.Timeout(READ + waiting, connect=CONNECT),
        )
        repeatable = method == "GET" or "Idempotency-Key" in sent
        until = time.monotonic() + (self.patience if deadline is None else deadline)
        ceiling = PAUSE
        while True:
            limit = ATTEMPT + waiting
            if deadline is not None:
                limit = min(limit, max(0.0, until - time.monotonic()))
            try:
                return await self._once(request, limit)
            except (Unreachable, Refused) as e:
                if not repeatable or not passing(e):
                    raise
                pause = max(self._dice() * ceiling, e.retry_after or 0.0)
                if time.monotonic() + pause >= until:
                    raise
                await asyncio.sleep(pause)
                ceiling = min(2 * ceiling, LONGEST_PAUSE)

    async def _once(self, request: httpx.Request, limit: float) -> Reply:
        try:
            async with asyncio.timeout(limit):
                response = await self._leave(request)
                try:
                    body = await self._body(response)
                finally:
                    await response.aclose()
        except TimeoutError as e:
            raise Unreachable(f"{self.url} did not answer within {limit:.0f} s.", remedy=LATER) from e
        except httpx.HTTPError as e:
            raise trouble(self.url, e) from e
        if 200 <= response.status_code < 300:
            return Reply(body, response.headers.get("ETag"))
        raise meaning(self.url, response, body)

    async def _leave(self, request: httpx.Request) -> httpx.Response:
        """Write a request down, then send it. Raises NotLogged instead of sending, or what httpx raises."""
        number = self._egress.sent(
            Outgoing(
                method=request.method,
                server=self.url,
                path=request.url.raw_path.partition(b"?")[0].decode(),
                query=request.url.query.decode(),
                headers={name: value for name, value in request.headers.items() if name not in UNLOGGED},
                body=request.content or None,
            )
        )
        status: int | None = None
        try:
            response = await self._http.send(request, stream=True)
            status = response.status_code
        finally:
            self._egress.answered(number, status)
        return response

    async def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > LARGEST:
                raise BadAnswer(f"{self.url} sent more than {LARGEST >> 20} MiB.", remedy=RIGHT_URL)
            parts.append(part)
        return b"".join(parts)

    def _read(self, reply: Reply, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(reply.body, type=answer)
        except (msgspec.DecodeError, UnicodeError) as e:
            raise BadAnswer(
                f"{self.url} sent an answer that cannot be read: {e}.", remedy=f"{RIGHT_URL} Or upgrade Locus."
            ) from e


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _visible(key: str) -> str:
    # Never quote it: this message goes to screens and logs.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise NotSignedIn("The key has characters that no key has.", remedy="Copy it again: `locus login`.")
    return key


def _nobody() -> ssl.SSLContext:
    """Trust in no certificate at all: plain http on this machine needs none, and loading the usual ones takes time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
