"""A GitHub on loopback: pull requests by REST, and git over smart HTTP for the same repositories.

It is a real server with real bare repositories behind it, so a pull request exists only when its branch does. Every
answer it gives as GitHub is checked against an extract of GitHub's own OpenAPI description (github-openapi.json).
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from tests.support.github_reviews import Reviewing

SPECIFICATION: dict[str, Any] = json.loads(Path(__file__).with_name("github-openapi.json").read_text())
_REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:github", Resource(contents=SPECIFICATION, specification=DRAFT4)
)
TOKEN = "ghp_" + "T0ken" * 8

Json = dict[str, Any]


def _resolved(schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = SPECIFICATION
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def example(schema: Json, name: str = "") -> Any:
    """Make the smallest value that a schema allows: required fields only."""
    schema = _resolved(schema)
    if schema.get("nullable") and not schema.get("enum"):
        return None
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema and "properties" not in schema:
            return example(schema[several][0], name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        known = schema.get("properties", {})
        return {field: example(known.get(field, {}), field) for field in schema.get("required", ())}
    if kind == "array":
        return []
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        return 1
    return {"date-time": "2026-01-02T03:04:05Z", "uri": "https://example.org/x", "email": "a@example.org"}.get(
        schema.get("format", ""), f"a {name}"
    )


def answer_schema(path: str, method: str, status: int) -> Json | None:
    """Return the schema of an answer, or None where GitHub describes none."""
    described = SPECIFICATION["paths"][path][method]["responses"].get(str(status))
    if described is None:
        return None
    schema: Json | None = _resolved(described).get("content", {}).get("application/json", {}).get("schema")
    return schema


def flaws(path: str, method: str, status: int, body: Any) -> list[str]:
    """Say where an answer differs from GitHub's description."""
    schema = answer_schema(path, method, status)
    if schema is None:
        return []
    rooted = json.loads(json.dumps(schema).replace('"#/', '"urn:github#/'))
    validator = OAS30Validator(rooted, registry=_REGISTRY)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(body)]


@dataclass
class Reply:
    """One answer instead of GitHub's own, for a fault."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Say nothing until the server is stopped."""
    lost: Callable[[], object] | None = None
    """Called instead of answering; the connection is then closed."""


@dataclass
class Request:
    method: str
    path: str
    body: Json
    authorization: str | None


class GitHubServer:
    """Started by `running`. `repositories` is a directory with bare repositories `<owner>/<name>.git`."""

    def __init__(self, repositories: Path) -> None:
        self.repositories = repositories
        self.requests: list[Request] = []
        self.pulls: list[Json] = []
        self.flaws: list[str] = []
        self.faults: list[tuple[str, Reply]] = []
        self.refusals: dict[str, Reply] = {}
        self.password: str | None = None
        self.may_push = True
        self.refuses_pushes: int | None = None  # git over HTTP: with this status; 0 leaves who pushes without an answer
        self.reviewing = Reviewing()
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"github": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def api(self) -> str:
        return f"{self.url}/api/v3"

    def fail_next(self, method: str, reply: Reply) -> None:
        """Answer the next request of a method in another way."""
        self.faults.append((method, reply))

    def refuse(self, path: str, reply: Reply) -> None:
        """Answer every request whose path ends so in another way."""
        self.refusals[path] = reply

    def fault(self, method: str) -> Reply | None:
        with self._lock:
            for i, (wanted, reply) in enumerate(self.faults):
                if wanted == method:
                    del self.faults[i]
                    return reply
        return None

    def branches(self, owner: str, name: str) -> dict[str, str]:
        bare = self.repositories / owner / f"{name}.git"
        if not bare.is_dir():
            return {}
        listed = subprocess.run(
            ["git", f"--git-dir={bare}", "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"],
            capture_output=True,
            text=True,
            check=True,
        )
        rows = (line.split(" ") for line in listed.stdout.splitlines())
        return {ref.removeprefix("refs/heads/"): sha for ref, sha in rows}

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Json) -> tuple[int, Any, str]:
        """Answer as GitHub does. Returns status, body, and the path as the description writes it."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if (method, parts) == ("GET", ["user"]) and self.reviewing.app:
            return 403, _refusal("Resource not accessible by integration"), "/user"
        if (method, parts) == ("GET", ["user"]):
            schema = SPECIFICATION["components"]["schemas"]["private-user"]
            return 200, {**example(schema), "login": self.reviewing.account}, "/user"
        known = len(parts) >= 3 and parts[0] == "repos"
        owner, name = parts[1:3] if known else ("", "")
        branches = self.branches(owner, name)
        template = "/repos/{owner}/{repo}"
        if not branches:
            return 404, _refusal("Not Found"), template
        match (method, parts[3:]):
            case ("GET", []):
                return 200, self._repository(owner, name), template
            case ("GET", ["pulls"]):
                return 200, self._listed(owner, name, query), f"{template}/pulls"
            case ("POST", ["pulls"]):
                return (*self.create(owner, name, body), f"{template}/pulls")
            case ("PATCH", ["pulls", number]):
                return (*self._edited(owner, name, int(number), body), f"{template}/pulls/{{pull_number}}")
        if (answered := self.reviewing.answer(self, method, parts[3:], query, body)) is not None:
            return answered
        return 404, _refusal("Not Found"), template

    def _repository(self, owner: str, name: str) -> Json:
        schema = answer_schema("/repos/{owner}/{repo}", "get", 200)
        assert schema is not None
        made: Json = example(schema)
        made |= {"name": name, "full_name": f"{owner}/{name}", "archived": False}
        made["permissions"] = {"admin": False, "pull": True, "push": self.may_push}
        return made

    def _listed(self, owner: str, name: str, query: dict[str, list[str]]) -> list[Json]:
        state = query.get("state", ["open"])[0]
        head = query.get("head", [""])[0]
        return [
            _simple(pull)
            for pull in self.pulls
            if pull["base"]["repo"]["full_name"] == f"{owner}/{name}"
            and state in ("all", pull["state"])
            and head in ("", f"{owner}:{pull['head']['ref']}")
        ]

    def create(self, owner: str, name: str, body: Json) -> tuple[int, Json]:
        """Open a pull request, as anybody may."""
        branches = self.branches(owner, name)
        with self._lock:
            head, base = body.get("head", ""), body.get("base", "")
            if head not in branches or base not in branches:
                return 422, _invalid("head" if head not in branches else "base", "invalid")
            if branches[head] == branches[base]:
                return 422, _invalid(None, "custom", f"No commits between {base} and {head}")
            if any(p["state"] == "open" and p["head"]["ref"] == head for p in self.pulls):
                said = f"A pull request already exists for {owner}:{head}."
                return 422, _invalid(None, "custom", said)
            pull = self._pull(owner, name, branches, body)
            self.pulls.append(pull)
            return 201, pull

    def _pull(self, owner: str, name: str, branches: dict[str, str], body: Json) -> Json:
        schema = answer_schema("/repos/{owner}/{repo}/pulls", "post", 201)
        assert schema is not None
        made: Json = example(schema)
        number = len(self.pulls) + 1
        made |= {
            "number": number,
            "html_url": f"https://github.example/{owner}/{name}/pull/{number}",
            "state": "open",
            "title": body["title"],
            "body": body.get("body"),
            "draft": body.get("draft", False),
            "merged_at": None,
        }
        for side in ("head", "base"):
            made[side] |= {"ref": body[side], "sha": branches[body[side]], "label": f"{owner}:{body[side]}"}
            made[side]["repo"] |= {"name": name, "full_name": f"{owner}/{name}"}
        made["user"] |= {"login": body.get("opened_by", self.reviewing.account)}
        return made

    def _edited(self, owner: str, name: str, number: int, body: Json) -> tuple[int, Json]:
        for pull in self.pulls:
            if pull["number"] == number and pull["base"]["repo"]["full_name"] == f"{owner}/{name}":
                pull |= {key: value for key, value in body.items() if key in ("title", "body", "state")}
                return 200, pull
        return 404, _refusal("Not Found")


def _simple(pull: Json) -> Json:
    """A pull request as it is in a list: without some fields, and with some that it alone has there."""
    schema: Json = SPECIFICATION["components"]["schemas"]["pull-request-simple"]
    made: Json = example(schema)
    return made | {name: value for name, value in pull.items() if name in schema["properties"]}


def _refusal(message: str) -> Json:
    return {"message": message, "documentation_url": "https://docs.github.example/rest", "status": "404"}


def _invalid(name: str | None, code: str, message: str | None = None) -> Json:
    error: Json = {"resource": "PullRequest", "code": code}
    if name:
        error["field"] = name
    if message:
        error["message"] = message
    return {"message": "Validation Failed", "errors": [error], "documentation_url": "https://docs.github.example/rest"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: GitHubServer

    def log_message(self, format: str, *args: object) -> None:
        """Requests are recorded, not printed."""

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def do_PATCH(self) -> None:
        self._handle("PATCH")

    def _handle(self, method: str) -> None:
        parts = urlsplit(self.path)
        if re.match(r"/[^/]+/[^/]+\.git/", parts.path):
            self._serve_git(method, parts.path, parts.query)
            return
        raw = self._body()
        body: Json = json.loads(raw) if raw else {}
        self.github.requests.append(Request(method, self.path, body, self.headers.get("authorization")))
        if (reply := self.github.fault(method)) is not None:
            self._fault(reply)
            return
        if (
            reply := next((r for end, r in self.github.refusals.items() if parts.path.endswith(end)), None)
        ) is not None:
            self._fault(reply)
            return
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._send(401, json.dumps({**_refusal("Bad credentials"), "status": "401"}).encode())
            return
        if parts.path == "/api/graphql":
            self._send(200, json.dumps(self.github.reviewing.graphql(body)).encode())
            return
        path = parts.path.removeprefix("/api/v3")
        status, answered, template = self.github.answer(method, path, parse_qs(parts.query), body)
        self.github.flaws += flaws(template, method.lower(), status, answered)
        self._send(status, json.dumps(answered).encode())

    def _fault(self, reply: Reply) -> None:
        if reply.hang:
            self.github.stopping.wait(60)
        if reply.lost is not None:
            reply.lost()
        if reply.hang or reply.lost is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(reply.status, reply.body, reply.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):  # the client has seen enough
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            chunks = bytearray()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return bytes(chunks)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _serve_git(self, method: str, path: str, query: str) -> None:
        body = self._body()
        pushing = "git-receive-pack" in path + query
        if pushing and self.github.refuses_pushes == 0:
            self.github.stopping.wait()
            return
        if pushing and self.github.refuses_pushes:
            self._send(
                self.github.refuses_pushes, b"The branch is not yours.", {"WWW-Authenticate": 'Basic realm="git"'}
            )
            return
        if self.github.password is not None:
            expected = base64.b64encode(f"ada:{self.github.password}".encode()).decode()
            if self.headers.get("authorization") != f"Basic {expected}":
                self._send(401, b"", {"WWW-Authenticate": 'Basic realm="git"'})
                return
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.github.repositories),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
                "REMOTE_USER": "ada",
                "REMOTE_ADDR": "127.0.0.1",
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("content-type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self._send(int(headers.pop("Status", "200").split(" ")[0]), content, headers)


@contextmanager
def running(repositories: Path) -> Iterator[GitHubServer]:
    """Serve until the block is left; then every answer must have been one that GitHub could have given."""
    github = GitHubServer(repositories)
    thread = threading.Thread(target=github.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        github.stopping.set()
        github.server.shutdown()
        github.server.server_close()
        thread.join()
    assert not github.flaws, github.flaws
