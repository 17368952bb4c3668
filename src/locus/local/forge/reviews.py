"""Open pull requests and reviews of them on GitHub."""

# No `from __future__ import annotations`: msgspec reads them.

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Struct

from locus.local.forge.base import Forge, ForgeError, Reason
from locus.local.forge.github import BODY_LIMIT, GitHub

PAGE = 100
PAGES = 10  # of a list; nobody iterates on more than a thousand comments

Sha = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]


class _User(Struct):
    login: str = ""


class _Viewer(Struct):
    viewer: _User


class _Query(Struct):
    query: str


class _Full(Struct):
    full_name: str = ""


class _End(Struct):
    ref: str
    sha: Sha
    repo: _Full | None = None


class _Pull(Struct):
    number: int
    html_url: str
    state: str
    title: str
    head: _End
    base: _End
    body: str | None = None
    user: _User | None = None


class _Commit(Struct):
    author: _User | None = None
    committer: _User | None = None


class _Review(Struct):
    html_url: str = ""
    body: str | None = None
    user: _User | None = None


class Pull(Struct, frozen=True):
    """A pull request, as far as a reviewer needs it. Title and body are words of whoever opened it."""

    number: int
    url: str
    open: bool
    title: str
    body: str
    author: str
    branch: str
    head: str
    base: str
    own: bool
    """Whether its branch is in the same repository, and not in somebody's copy of it."""


class Posted(Struct, frozen=True):
    """A review that is there already. The text is our own account's."""

    url: str
    text: str


class Remark(Struct, omit_defaults=True):
    """A comment beside lines of a change. `side` is RIGHT for the new file, LEFT for the old one."""

    path: str
    body: str
    line: int
    side: str
    start_line: int | None = None
    start_side: str | None = None


class _Asked(Struct, omit_defaults=True):
    commit_id: str
    body: str
    event: str
    comments: list[Remark]


class Reviews(Struct, frozen=True):
    """What reviewers do in one repository. Every method raises ForgeError."""

    github: GitHub

    async def opened(self) -> list[Pull]:
        """The open pull requests, the oldest first."""
        query = {"state": "open", "sort": "created", "direction": "asc"}
        found: list[Pull] = []
        for page in range(1, PAGES + 1):
            asked = query | {"per_page": str(PAGE), "page": str(page)}
            part = await self.github.ask("GET", f"{self.github.path}/pulls", list[_Pull], query=asked)
            found += [self._pull(one) for one in part]
            if len(part) < PAGE:
                break
        return found

    async def pull(self, number: int) -> Pull:
        """One pull request. Raises ForgeError, also when there is none of this number."""
        try:
            return self._pull(await self.github.ask("GET", f"{self.github.path}/pulls/{number:d}", _Pull))
        except ForgeError as e:
            if e.reason is not Reason.NOT_FOUND:
                raise
            raise ForgeError(
                f"There is no pull request {number} in {self.github.owner}/{self.github.repository}, or the token does"
                " not show it.",
                reason=Reason.NOT_FOUND,
                remedy="Look at its number, which could be that of an issue, and at the address of the remote.",
            ) from e

    async def account(self) -> str | None:
        """Who we are there; None when the token belongs to no account that it may name."""
        try:
            return (await self.github.ask("GET", "/user", _User)).login or None
        except ForgeError as e:
            if e.reason not in (Reason.FORBIDDEN, Reason.NOT_FOUND):
                raise
        try:  # the token of an app may not ask that, and may ask this
            return (await self.github.graphql(_Query("{ viewer { login } }"), _Viewer)).viewer.login or None
        except ForgeError as e:
            if e.passes:
                raise
            return None

    async def authors(self, number: int) -> set[str]:
        """The accounts that wrote or committed what a pull request has, as far as their addresses show it."""
        found: set[str] = set()
        for page in range(1, PAGES + 1):
            query = {"per_page": str(PAGE), "page": str(page)}
            path = f"{self.github.path}/pulls/{number:d}/commits"
            part = await self.github.ask("GET", path, list[_Commit], query=query)
            found |= {who.login for one in part for who in (one.author, one.committer) if who is not None and who.login}
            if len(part) < PAGE:
                break
        return found

    async def written(self, number: int, mark: str, account: str | None) -> Posted | None:
        """Our newest review whose text holds `mark`; None when there is none, or nobody knows which is ours."""
        if account is None:
            return None  # anybody could have written the mark
        found: Posted | None = None
        for page in range(1, PAGES + 1):
            query = {"per_page": str(PAGE), "page": str(page)}
            part = await self.github.ask("GET", self._reviews(number), list[_Review], query=query)
            for one in part:
                text = one.body or ""
                if mark in text and one.user is not None and one.user.login == account:
                    found = Posted(one.html_url, text)
            if len(part) < PAGE:
                break
        return found

    async def write(self, number: int, head: str, *, event: str, body: str, remarks: Sequence[Remark]) -> str:
        """Write one review of the commit `head`, with all its remarks or not at all; returns its address."""
        asked = _Asked(head, body[:BODY_LIMIT], event, list(remarks))
        return (await self.github.ask("POST", self._reviews(number), _Review, asked)).html_url

    def _reviews(self, number: int) -> str:
        return f"{self.github.path}/pulls/{number:d}/reviews"

    def _pull(self, pull: _Pull) -> Pull:
        ours = f"{self.github.owner}/{self.github.repository}".casefold()
        return Pull(
            number=pull.number,
            url=pull.html_url,
            open=pull.state == "open",
            title=pull.title,
            body=pull.body or "",
            author=pull.user.login if pull.user else "",
            branch=pull.head.ref,
            head=pull.head.sha,
            base=pull.base.ref,
            own=pull.head.repo is not None and pull.head.repo.full_name.casefold() == ours,
        )


def reviews_of(forge: Forge) -> Reviews | None:
    """Reviews in a repository on a forge that has them; None for one that has not."""
    return Reviews(forge) if isinstance(forge, GitHub) else None
