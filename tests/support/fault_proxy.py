"""A network that misbehaves on request: an HTTP proxy on loopback between a worker and a server.

It forwards every request whole and every answer whole. A rule makes it do something else with the requests that it
names: hold them, lose them, lose the answer, send them twice, take long.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

UPSTREAM = 120.0  # seconds for an answer of the far side; longer than a long poll
HOLD = 60.0  # seconds that a request is held at most, so that a failed test ends
HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Act(Enum):
    """What is done with a request."""

    HOLD_REQUEST = auto()  # not sent on before `go`
    HOLD_ANSWER = auto()  # answered by the far side, not told before `go`
    LOSE_REQUEST = auto()  # closed without sending it on
    LOSE_ANSWER = auto()  # sent on; then closed without a word
    TWICE = auto()  # sent on twice, as a network may; the second answer is told
    SLOW = auto()  # sent on, and told `seconds` later
    SWALLOW = auto()  # never sent on, and nothing said: a black hole
    HALF_ANSWER = auto()  # sent on; half of the answer is told, and the connection is closed on our side only


@dataclass
class Rule:
    """What to do with the next `left` requests whose method and path match."""

    act: Act
    pattern: str = ".*"  # of "POST /api/v1/…"
    left: int = 1
    seconds: float = 0.0
    there: threading.Event = field(default_factory=threading.Event)  # a request has met the rule
    go: threading.Event = field(default_factory=threading.Event)
    lost: bool = False

    def lose(self) -> None:
        """Let what is held end nowhere."""
        self.lost = True
        self.go.set()


@dataclass(frozen=True)
class Exchange:
    """One request as it came, and the answer of the far side; None when it was not asked or did not answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    answer: bytes


Heard = Callable[[Exchange], None]


class FaultProxy:
    """Started by `between`. `heard` is told of every answered request before its answer is passed on."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.history: list[Exchange] = []
        self.heard: Heard = lambda _: None
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def rule(self, act: Act, pattern: str = ".*", *, left: int = 1, seconds: float = 0.0) -> Rule:
        """Treat the next `left` requests like that whose `METHOD /path` the pattern matches from its beginning."""
        made = Rule(act, pattern, left, seconds)
        with self._lock:
            self._rules.append(made)
        return made

    def heal(self) -> None:
        """Forget all rules, and let go of what is held."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.go.set()

    def lose_all(self) -> None:
        """Forget all rules, and lose what is held."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.lose()

    def take(self, line: str) -> Rule | None:
        """The rule for a request, which counts as used once more."""
        with self._lock:
            for rule in self._rules:
                if rule.left > 0 and re.match(rule.pattern, line):
                    rule.left -= 1
                    return rule
        return None

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request to the far side; raises OSError or HTTPException when it does not answer."""
        assert self.upstream.hostname is not None
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=UPSTREAM)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def again(self, exchange: Exchange) -> int:
        """Send a request of the past once more, as an attacker or a late packet would; returns the status."""
        return self.ask(exchange.method, exchange.path, exchange.headers, exchange.body)[0]

    def wait(self, event: threading.Event, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not (event.is_set() or self._over.is_set()) and time.monotonic() < end:
            event.wait(0.05)

    def close(self) -> None:
        self._over.set()
        self.heal()
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    proxy: FaultProxy

    def _serve(self) -> None:
        proxy = self.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"connection", "host"}}
        headers["Host"] = f"{proxy.upstream.hostname}:{proxy.upstream.port}"
        rule = proxy.take(f"{self.command} {self.path}")
        act = rule.act if rule else None
        if rule is not None and act in (Act.HOLD_REQUEST, Act.SWALLOW, Act.LOSE_REQUEST):
            rule.there.set()
            if act is not Act.LOSE_REQUEST:
                proxy.wait(rule.go, HOLD)
            if act is not Act.HOLD_REQUEST or rule.lost:
                return self._hang_up()
        try:
            if act is Act.TWICE:
                proxy.ask(self.command, self.path, headers, body)
            status, given, answer = proxy.ask(self.command, self.path, headers, body)
        except (OSError, http.client.HTTPException):
            return self._hang_up()
        exchange = Exchange(self.command, self.path, headers, body, status, answer)
        proxy.history.append(exchange)
        proxy.heard(exchange)
        if rule is not None:
            rule.there.set()  # for HOLD_ANSWER only now: the far side has done it
            if act is Act.HOLD_ANSWER:
                proxy.wait(rule.go, HOLD)
            elif act is Act.SLOW:
                proxy.wait(rule.go, rule.seconds)
            if act is Act.LOSE_ANSWER or rule.lost:
                return self._hang_up()
        return self._tell(status, given, answer, half=act is Act.HALF_ANSWER)

    def _tell(self, status: int, headers: list[tuple[str, str]], body: bytes, *, half: bool = False) -> None:
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOPS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if half else body)
            if half:
                self.connection.shutdown(socket.SHUT_WR)
        except OSError:  # whoever asked is dead
            self.close_connection = True

    def _hang_up(self) -> None:
        self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  # as http.server calls them

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def between(upstream: str) -> Iterator[FaultProxy]:
    """A proxy in front of `upstream`, until the end of the block."""
    proxy = FaultProxy(upstream)
    thread = threading.Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
