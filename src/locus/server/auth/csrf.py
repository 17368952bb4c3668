"""No foreign page acts for somebody who is signed in here.

Two walls: what changes something must come from a page of this server, as the browser itself says (Sec-Fetch-Site, or
Origin in older ones); and it must repeat a token that only pages of this session have. SameSite=Lax is a third.
"""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import State

from locus.server.auth.site import Site
from locus.server.errors import Forbidden
from locus.server.http import requests

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FIELD = "csrf_token"  # of a form
HEADER = "X-CSRF-Token"  # of everything else
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

AnyRequest = Request[Any, Any, State]


def token_of(secret: str) -> str:
    """The token that every form of a session carries; `secret` is the session's."""
    return hmac.new(secret.encode(), b"locus-csrf", hashlib.sha256).hexdigest()


def from_here(request: AnyRequest, site: Site, *, said: bool) -> bool:
    """Whether the browser says that a page of this server sent the request; `said` is whether it must say so."""
    headers = request.headers
    fetch_site: list[str] = headers.getall("sec-fetch-site", [])
    if fetch_site:
        return fetch_site in (["same-origin"], ["none"])  # none: the person, not a page
    origin: list[str] = headers.getall("origin", [])
    if not origin:
        return not said
    if len(origin) != 1:
        return False
    return origin[0] == site.origin or [urlsplit(origin[0]).netloc] == headers.getall("host", [])


async def check(request: AnyRequest, site: Site, secret: str, body_seconds: float) -> None:
    """Refuse a change that is asked for with a session's cookie, but not by a page of this session.

    Raises:
        Forbidden: it comes from elsewhere, or without the token.
    """
    if request.method in SAFE:
        return
    if not from_here(request, site, said=True):
        raise Forbidden("This request comes from another site.", code="cross_site")
    given = request.headers.get(HEADER)
    if given is None and request.content_type[0] in FORMS:
        await requests.read(request, body_seconds)
        given = (await request.form()).get(FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token_of(secret).encode()):
        raise Forbidden("This page is too old, or was made for another session. Load it again.", code="csrf")


def check_visitor(request: AnyRequest, site: Site) -> None:
    """Refuse a change on a public page that a page of another site asks for, such as a sign-in as somebody else.

    Raises:
        Forbidden: it comes from elsewhere.
    """
    if request.method not in SAFE and not from_here(request, site, said=False):
        raise Forbidden("This request comes from another site.", code="cross_site")
