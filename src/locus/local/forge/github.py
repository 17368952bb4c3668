"""Pull requests on GitHub and GitHub Enterprise, over its REST interface."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from msgspec import Struct

from locus.local.forge.base import ForgeError, Proposal, PullRequest, Reason, Rights, State
from locus.local.forge.refusals import error_in, error_of

TIMEOUT = 30.0  # seconds for one request, to the last byte of its answer
ANSWER_LIMIT = 4 << 20  # bytes
REDIRECTS = 3  # a repository that was renamed answers with one
TITLE_LIMIT = 256  # characters
BODY_LIMIT = 65_536  # characters; GitHub's own

_PART = re.compile(r"[A-Za-z0-9._-]{1,100}")
_REDIRECTING = frozenset({301, 302, 307, 308})

T = TypeVar("T")


class _Pull(msgspec.Struct):
    number: int
    html_url: str
    state: str
    merged_at: str | None = None


class _Issue(msgspec.Struct):
    title: str = ""
    body: str | None = None


class _Permissions(msgspec.Struct):
    push: bool = False


class _Repository(msgspec.Struct):
    archived: bool = False
    permissions: _Permissions | None = None


class _Asked(msgspec.Struct, omit_defaults=True):
    title: str
    body: str
    head: str | None = None
    base: str | None = None


class _Fault(msgspec.Struct):
    message: str = ""
    type: str = ""


class _Answered(msgspec.Struct):
    """An answer of the interface whose errors come with the status of a success."""

    data: msgspec.Raw = msgspec.Raw(b"{}")
    errors: list[_Fault] = []


@dataclass(frozen=True)
class GitHub:
    """One repository. `api` is the address of the interface, such as https://api.github.com."""

    api: str
    owner: str
    repository: str
    token: str | None = field(repr=False)
    timeout: float = TIMEOUT
    name: str = "GitHub"

    async def find(self, head: str) -> PullRequest | None:
        query = {"state": "open", "head": f"{self.owner}:{head}", "per_page": "1"}
        found = await self.ask("GET", f"{self.path}/pulls", list[_Pull], query=query)
        return _pull_request(found[0]) if found else None

    async def create(self, proposal: Proposal) -> PullRequest:
        asked = _Asked(_title(proposal), _body(proposal), proposal.head, proposal.base)
        return _pull_request(await self.ask("POST", f"{self.path}/pulls", _Pull, asked))

    async def update(self, pull: PullRequest, proposal: Proposal) -> PullRequest:
        asked = _Asked(_title(proposal), _body(proposal))
        return _pull_request(await self.ask("PATCH", f"{self.path}/pulls/{pull.number}", _Pull, asked))

    async def issue(self, number: int) -> tuple[str, str]:
        """The title and the text of an issue or a pull request. Raises ForgeError."""
        found = await self.ask("GET", f"{self.path}/issues/{number}", _Issue)
        return found.title, found.body or ""

    async def rights(self) -> Rights:
        told = await self.ask("GET", self.path, _Repository)
        if told.archived:
            return Rights(False, remedy="The repository is archived: unarchive it in its settings.")
        if told.permissions is None:
            return Rights(None)
        if not told.permissions.push:
            return Rights(False, remedy="Ask an owner of the repository for write access, or use a token that has it.")
        return Rights(True)

    async def graphql(self, asked: msgspec.Struct, answer: type[T]) -> T:
        """Ask the interface that knows what REST does not, such as which threads are resolved. Raises ForgeError."""
        beside = self.api.removesuffix("/v3") if self.api.endswith("/api/v3") else self.api
        answered = await replace(self, api=beside).ask("POST", "/graphql", _Answered, asked)
        if answered.errors:
            raise error_in([one.type for one in answered.errors], [one.message for one in answered.errors])
        return self._decoded(answered.data, answer)

    @property
    def path(self) -> str:
        """Where the repository is, below the interface's address."""
        return f"/repos/{quote(self.owner, safe='')}/{quote(self.repository, safe='')}"

    async def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        asked: msgspec.Struct | None = None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Send one request below the interface's address and read its answer. Raises ForgeError."""
        if self.token is None:
            raise ForgeError(
                "There is no token for GitHub.",
                reason=Reason.AUTH,
                remedy="Sign in with gh auth login, or set GITHUB_TOKEN.",
            )
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._send(method, path, asked, query or {})
        except TimeoutError as e:
            raise ForgeError(f"GitHub did not answer within {self.timeout:.0f} s.", reason=Reason.UNREACHABLE) from e
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            # The text of these errors may quote what was sent.
            raise ForgeError(
                f"GitHub cannot be reached at {self.api} ({type(e).__name__}).",
                reason=Reason.UNREACHABLE,
                remedy="Look at the network, and at the proxy settings.",
            ) from e
        if not 200 <= response.status < 300:
            raise error_of(response.status, response.headers, response.body)
        return self._decoded(response.body, answer)

    def _decoded(self, body: bytes | msgspec.Raw, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=answer)
        except msgspec.DecodeError as e:  # a ValidationError is one
            raise ForgeError(
                f"What answered at {self.api} is not GitHub's interface.",
                reason=Reason.OTHER,
                remedy="Look at the address of the forge in the settings, and at proxies in between.",
            ) from e

    async def _send(self, method: str, path: str, asked: msgspec.Struct | None, query: Mapping[str, str]) -> _Response:
        url = httpx.URL(self.api.rstrip("/") + path, params=dict(query) or None)
        content = None if asked is None else msgspec.json.encode(asked)
        async with httpx.AsyncClient(follow_redirects=False, timeout=self.timeout) as client:
            for _ in range(REDIRECTS + 1):
                request = client.build_request(method, url, content=content, headers=self._headers())
                response = await client.send(request, stream=True)
                async with aclosing(response):
                    if response.status_code not in _REDIRECTING:
                        return _Response(response.status_code, response.headers, await _limited(response))
                    url = self._same_host(url.join(response.headers.get("location", "")))
        raise ForgeError("GitHub sent us from one place to the next.", reason=Reason.OTHER)

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "locus",
        }

    def _same_host(self, target: httpx.URL) -> httpx.URL:
        """Return the target of a redirect; the token goes to no other host than the one it is for."""
        origin = httpx.URL(self.api)
        if (target.scheme, target.host, target.port) != (origin.scheme, origin.host, origin.port):
            raise ForgeError(
                f"GitHub sent us to another host ({target.host}), and the token is not for that.", reason=Reason.OTHER
            )
        return target


class _Response(Struct, frozen=True):
    status: int
    headers: httpx.Headers
    body: bytes


async def _limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > ANSWER_LIMIT:
            raise ForgeError(f"GitHub's answer is longer than {ANSWER_LIMIT >> 20} MiB.", reason=Reason.OTHER)
    return bytes(body)


def _pull_request(pull: _Pull) -> PullRequest:
    if urlsplit(pull.html_url).scheme not in ("http", "https") or not pull.html_url.isprintable():
        raise ForgeError("GitHub gave an address that is none.", reason=Reason.OTHER)
    merged = State.MERGED if pull.merged_at else State.CLOSED
    return PullRequest(pull.number, pull.html_url, State.OPEN if pull.state == "open" else merged)


def _title(proposal: Proposal) -> str:
    return " ".join(proposal.title.split())[:TITLE_LIMIT]


def _body(proposal: Proposal) -> str:
    if len(proposal.body) <= BODY_LIMIT:
        return proposal.body
    note = "\n\n(cut here: it was longer than GitHub takes)\n"
    return proposal.body[: BODY_LIMIT - len(note)] + note


def owner_and_repository(path: str) -> tuple[str, str] | None:
    """Return the two parts of a repository's path on GitHub, or None when it is not one."""
    parts = path.strip("/").removesuffix(".git").split("/")
    if len(parts) != 2 or not all(_PART.fullmatch(part) and part.strip(".") for part in parts):
        return None
    return parts[0], parts[1]


def api_of(host: str, *, port: int | None = None) -> str:
    """Return the address of the interface of a GitHub host; only a server of one's own has another port."""
    if host in ("github.com", "ssh.github.com"):
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"https://{host}{f':{port:d}' if port not in (None, 443) else ''}/api/v3"
