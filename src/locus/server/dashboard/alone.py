"""Pages without a workspace around them: signing in, the first steps, one's own account."""

from typing import Annotated, Any
from urllib.parse import quote

from litestar import Response
from litestar.datastructures import Cookie
from litestar.params import QueryParameter

from locus.server.auth import bearer
from locus.server.dashboard import rendering
from locus.server.dashboard.page import AnyRequest, look

Next = Annotated[str | None, QueryParameter(name="next", max_length=2000)]


def render(
    request: AnyRequest, template: str, *, status: int = 200, cookies: list[Cookie] | None = None, **context: Any
) -> Response[bytes]:
    """A page of its own; `csrf` is empty for visitors, who have nothing that a foreign page could use."""
    text = rendering.render(template, look=look(request), csrf=bearer.csrf_token(request), **context)
    packing = request.headers.get("accept-encoding", "")
    return rendering.html(text, status=status, accept_encoding=packing, cookies=cookies)


def within(wanted: str | None) -> str:
    """Where to go next: a page of this server, whatever the address says."""
    if not wanted or not wanted.startswith("/") or wanted[1:2] in ("/", "\\") or not wanted.isprintable():
        return "/"
    return wanted


def with_next(path: str, wanted: str | None) -> str:
    """An address that carries on where to go next."""
    there = within(wanted)
    return path if there == "/" else f"{path}?next={quote(there, safe='/')}"
