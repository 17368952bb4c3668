"""The frame around every request: its id, its line in the log, its place in the metrics, and the headers of safety."""

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from litestar.enums import ScopeType

from locus.server.http.log import Line
from locus.server.http.metrics import Metrics

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

access = logging.getLogger("locus.access")

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
UNMATCHED = "unmatched"

# An answer is data for a program: no browser should run, frame, sniff or keep it. A page overrides the policy.
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
DEFAULTS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]


class Frame:
    """Pure ASGI: it costs a few microseconds, and errors, streams and unknown addresses pass through it too."""

    def __init__(self, app: "ASGIApp", metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = id_of(scope)
        scope["state"]["request_id"] = request_id.decode()
        status = 0

        async def framed(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *HEADERS,
                    *(default for default in DEFAULTS if default[0] not in present),
                    (b"x-request-id", request_id),
                ]
            await send(message)

        self._metrics.in_flight += 1
        try:
            await self._app(scope, receive, framed)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.in_flight -= 1
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            route = scope.get("path_template") or UNMATCHED
            self._metrics.request(method, route, status, seconds)
            if access.isEnabledFor(logging.INFO):
                caller = scope.get("user")
                access.info(
                    Line(
                        request=scope["state"]["request_id"],
                        method=method,
                        route=route,
                        status=status,
                        ms=round(seconds * 1000, 1),
                        key=str(caller.id) if caller is not None else None,
                    )
                )


def id_of(scope: "Scope") -> bytes:
    """The caller's X-Request-ID when it is a tame one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.match(value):
            return value
    return secrets.token_hex(8).encode()
