"""A model service on loopback that answers by script: what the two kinds of service have in common.

Not a model: each request of an agent's main loop takes the next step, and the last step repeats.
"""

from __future__ import annotations

import gzip
import json
import select
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model wants used; a text as input is for tools of free form."""

    name: str
    input: Mapping[str, Any] | str


@dataclass(frozen=True)
class Says:
    """The model answers: a text, tools, or both, after it has thought something."""

    text: str = ""
    tools: Sequence[ToolCall] = ()
    stop_reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    thinking: str = ""


@dataclass(frozen=True)
class Fails:
    """The service answers with an HTTP error; `error` replaces the error object of the body."""

    status: int
    error: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hangs:
    """The service accepts the request and falls silent: at once, or after the beginning of `after`."""

    after: str = ""


@dataclass(frozen=True)
class Breaks:
    """The connection is lost after the beginning of the text."""

    text: str = "Let me see what"


Step = Says | Fails | Hangs | Breaks


@dataclass(frozen=True)
class Request:
    """What an agent asked of its model."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class ModelServer:
    """Serves a script on a free port of 127.0.0.1 between `with` and its end."""

    handler: ClassVar[type[ModelHandler]]

    def __init__(self, script: Sequence[Step], *, thinks: float = 0.0) -> None:
        """`thinks` is the seconds before an answer; real models take longer than none."""
        self.thinks = thinks
        self.requests: list[Request] = []
        """Requests of the main loop, in order."""
        self.closing = threading.Event()
        self._script = script
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), self.handler)
        self._http.model = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_step(self, request: Request) -> Step:
        with self._lock:
            self.requests.append(request)
            return self._script[min(len(self.requests), len(self._script)) - 1]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    model: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        # An agent that is killed in the middle of an answer is what many tests are about.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ModelHandler(BaseHTTPRequestHandler):
    """One request. The two services say which requests are the main loop's, and how an answer looks."""

    protocol_version = "HTTP/1.1"
    server: _Http

    def is_main(self, path: str, body: Mapping[str, Any]) -> bool:
        raise TypeError("the service says")

    def answer(self, body: Mapping[str, Any], step: Says | Hangs | Breaks) -> None:
        raise TypeError("the service says")

    def error_body(self, step: Fails) -> Mapping[str, Any]:
        raise TypeError("the service says")

    def do_HEAD(self) -> None:
        self.send_json(200, {})

    def do_GET(self) -> None:
        self.send_json(200, {"object": "list", "data": [], "models": []})

    def do_POST(self) -> None:
        body = self._body()
        path = self.path.partition("?")[0]
        if not self.is_main(path, body):
            self.send_json(404, {"error": {"type": "not_found_error", "message": "not in the script"}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        step = self.server.model.next_step(Request(path, headers, body))
        self.server.model.closing.wait(self.server.model.thinks)
        match step:
            case Fails():
                self.send_json(step.status, step.error or self.error_body(step), step.headers)
            case Hangs(after=""):
                self.fall_silent()
            case _:
                self.answer(body, step)

    def _body(self) -> Mapping[str, Any]:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        return json.loads(data) if data else {}

    def send_json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self._start(status, "application/json", {"content-length": str(len(data)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def start_stream(self, headers: Mapping[str, str] | None = None) -> None:
        self._start(200, "text/event-stream", {"transfer-encoding": "chunked", **(headers or {})})

    def _start(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_event(self, kind: str, data: Mapping[str, Any]) -> None:
        text = f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        self.wfile.flush()

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def fall_silent(self) -> None:
        """Send nothing more until the client goes away or the server closes."""
        while not self.server.model.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.1)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                break
        self.break_off()

    def break_off(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the requests are kept."""
