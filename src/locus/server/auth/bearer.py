"""Who sent a request: the guard in front of every route that is not public.

A program sends an API key; a browser sends the cookie of its session, and with what changes something the proof that a
page of ours asked for it (csrf.py). Both become a Principal, so that every route knows one kind of caller.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from locus.server.auth import csrf
from locus.server.auth.keyring import Keyring
from locus.server.auth.principals import Person, Principal
from locus.server.auth.site import Site
from locus.server.errors import Forbidden, Unauthorized

# In a handler's opt.
PUBLIC = "public"  # nobody needs to be signed in
NEWCOMERS = "newcomers"  # also for people who belong to no organization

Connection = ASGIConnection[Any, Any, Any, Any]
NEEDED = "Send a valid API key as Authorization: Bearer lcs_…"


def guard(
    keyring: Keyring, site: Site, body_seconds: float = 30.0
) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """A guard that lets only holders of a valid key or session through, and notes who it was."""

    async def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
        if connection.scope.get("method") == "OPTIONS":
            return
        assert isinstance(connection, Request)
        secret = session_secret(connection, site)
        if handler.opt.get(PUBLIC):
            csrf.check_visitor(connection, site)
        elif secret is None or "authorization" in connection.headers:
            connection.scope["user"] = await keyring.principal(secret_of(connection))
        else:
            person = await _signed_in(keyring, secret)
            await csrf.check(connection, site, secret, body_seconds)
            connection.scope["auth"] = person
            connection.scope["state"]["session_secret"] = secret
            principal = connection.scope["user"] = person.principal(_workspace(connection))
            if principal is None and not handler.opt.get(NEWCOMERS):
                raise Forbidden("You belong to no organization yet.", code="no_organization")

    return signed_in


def session_secret(connection: Connection, site: Site) -> str | None:
    """What the cookie of a session says, good or not."""
    return connection.cookies.get(site.session_cookie) or None


def secret_of(connection: Connection) -> str:
    """The key in the Authorization header.

    Raises:
        Unauthorized: there is none, more than one, or something else.
    """
    given = connection.headers.getall("authorization", [])
    scheme, _, secret = given[0].strip().partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        raise Unauthorized(NEEDED)
    return secret.strip()


def credential_of(connection: Connection) -> str:
    """The secret that let this request in: of a key, or of a session."""
    session: str | None = connection.scope["state"].get("session_secret")
    return session if session is not None else secret_of(connection)


def csrf_token(connection: Connection) -> str:
    """What the forms of a page repeat; empty for a caller with a key, who needs none."""
    session: str | None = connection.scope["state"].get("session_secret")
    return csrf.token_of(session) if session is not None else ""


async def again(connection: Connection, keyring: Keyring, workspace_id: UUID) -> Principal:
    """Who a long request is from, asked once more: a key may have been revoked, a session ended, a member removed.

    Raises:
        Unauthorized: nobody may use the key or session any more.
    """
    session: str | None = connection.scope["state"].get("session_secret")
    if session is None:
        return await keyring.principal(secret_of(connection))
    principal = (await _signed_in(keyring, session)).principal(workspace_id)
    if principal is None:
        raise Unauthorized("You belong to no organization any more.")
    return principal


def principal_of(request: Request[Principal, Any, Any]) -> Principal:
    """The `principal` that handlers ask for."""
    return request.user


def person_of(request: Request[Principal, Any, Any]) -> Person:
    """The `person` that handlers ask for: what only people do, with a browser.

    Raises:
        Forbidden: it is a key.
    """
    person: Person | None = request.scope.get("auth")
    if person is None:
        raise Forbidden("This needs a person who is signed in, not a key.", code="needs_person")
    return person


async def _signed_in(keyring: Keyring, secret: str) -> Person:
    person = await keyring.person(secret)
    if person is None:
        raise Unauthorized("Your session has ended. Sign in again.")
    return person


def _workspace(connection: Connection) -> UUID | None:
    """The workspace that an address names by its id; a page may also name one by its prefix."""
    given = connection.path_params.get("workspace_id") or connection.path_params.get("workspace")
    try:
        return given if isinstance(given, UUID) else UUID(given)
    except (TypeError, ValueError):
        return None
