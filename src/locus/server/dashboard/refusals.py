"""Refusals as pages: what happened and what to do, in the frame's own clothes."""

import json
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Redirect

from locus.server.dashboard import rendering
from locus.server.dashboard.page import look
from locus.server.dashboard.toast import Toast
from locus.server.errors import Unauthorized
from locus.server.http import problems

SIGN_IN = "/sign-in"
REMEDIES = {
    401: "Sign in and try again.",
    403: "Ask an owner or an admin of the organization for the right to do this.",
    404: "It may have been deleted, or it belongs to a workspace that you may not enter.",
    503: "Nothing is lost. Try again in a moment.",
}

AnyRequest = Request[Any, Any, Any]


def answer(request: AnyRequest, error: Exception) -> Response[Any]:
    """The response to a request of a browser that ended in `error`.

    A part of a page that cannot be shown leaves the page as it is, with a toast that says why.
    """
    problem, headers = problems.of(request, error)
    part = bool(request.headers.get("HX-Request"))
    if isinstance(error, Unauthorized):
        address = f"{SIGN_IN}?next={quote(_path(request), safe='/')}"
        return (
            Response(b"", status_code=401, headers={"HX-Redirect": address})
            if part
            else Redirect(address, status_code=303)
        )
    if part:
        told = json.loads(Toast(problem.detail, "refused").header())
        # Fields that are wrong are marked in the form; what has no field of its own there is a toast.
        told["locus:refused"] = [{"field": one.field, "message": one.message} for one in problem.errors]
        toast = {"HX-Trigger": json.dumps(told), "HX-Reswap": "none"}
        return rendering.html("", status=problem.status, headers={**headers, **toast})
    text = rendering.render(
        "error.html",
        look=look(request),
        problem=problem,
        remedy=REMEDIES.get(problem.status, ""),
        request_id=request.scope["state"].get("request_id", ""),
    )
    packing = request.headers.get("accept-encoding", "")
    return rendering.html(text, status=problem.status, accept_encoding=packing, headers=headers)


def either(request: AnyRequest, error: Exception) -> Response[Any]:
    """The response of the application: a page for a browser, a problem document for a program."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return problems.answer(request, error)
    return answer(request, error)


def _path(request: AnyRequest) -> str:
    """Where to come back to after signing in: only where a GET leads to."""
    if request.method != "GET":
        return "/"
    query = request.scope["query_string"].decode("latin-1")
    return request.url.path + (f"?{query}" if query else "")
