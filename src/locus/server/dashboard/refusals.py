"""Refusals as pages: what happened and what to do, in the frame's own clothes."""

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.response import Redirect

from locus.server.dashboard import rendering, words
from locus.server.dashboard.page import look
from locus.server.dashboard.toast import Toast
from locus.server.errors import Unauthorized
from locus.server.http import problems
from locus.wire.problems import Problem

SIGN_IN = "/sign-in"
REMEDIES = {
    401: "Sign in and try again.",
    403: "Ask an owner or an admin of the organization for the right to do this.",
    404: "It may have been deleted, or it belongs to a workspace that you may not enter.",
    503: "Nothing is lost. Try again in a moment.",
}
# What the pages call by another name than the wire does.
FIELDS = {
    "attempt_cap": "attempts",
    "depends_on": "waits for",
    "due_on": "the due day",
    "ends_on": "the last day",
    "parent_id": "part of",
    "sprint_id": "the sprint",
    "starts_on": "the first day",
}
IDENTIFIER = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")

AnyRequest = Request[Any, Any, Any]


def answer(request: AnyRequest, error: Exception) -> Response[Any]:
    """The response to a request of a browser that ended in `error`.

    A part of a page that cannot be shown leaves the page as it is, with a toast that says why.
    """
    problem, headers = problems.of(request, error)
    part = bool(request.headers.get("HX-Request"))
    if isinstance(error, Unauthorized):
        address = f"{SIGN_IN}?next={quote(_shown(request) if part else _path(request), safe='/')}"
        return (
            Response(b"", status_code=401, headers={"HX-Redirect": address})
            if part
            else Redirect(address, status_code=303)
        )
    if part:
        told = {"HX-Trigger": fields(problem) or Toast(problem.detail, "refused").header(), "HX-Reswap": "none"}
        return rendering.html("", status=problem.status, headers={**headers, **told})
    text = rendering.render(
        "error.html",
        look=look(request),
        problem=problem,
        remedy=REMEDIES.get(problem.status, ""),
        request_id=request.scope["state"].get("request_id", ""),
    )
    packing = request.headers.get("accept-encoding", "")
    return rendering.html(text, status=problem.status, accept_encoding=packing, headers=headers)


def fields(problem: Problem) -> str:
    """What is wrong with which field of a form, as htmx wants events; empty when it is about no field.

    The message stands below its field; `toast` is for one that the form does not show.
    """
    told = []
    for one in problem.errors:
        message = IDENTIFIER.sub(lambda found: named(found[0]), one.message).rstrip(".")
        own = problem.detail.startswith(one.field)  # then it says no more than the field and the message
        toast = _sentence(f"{named(one.field)} {message}") if own else problem.detail
        # A form knows a list as one field.
        told.append({"field": one.field.split(".")[0], "message": _sentence(message), "toast": toast})
    return json.dumps({"locus:refused": told}) if told else ""


def named(field: str) -> str:
    """A field as the pages call it."""
    first = field.split(".")[0]
    return FIELDS.get(first, words.plain(first))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def either(request: AnyRequest, error: Exception) -> Response[Any]:
    """The response of the application: a page for a browser, a problem document for a program."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return problems.answer(request, error)
    return answer(request, error)


def _shown(request: AnyRequest) -> str:
    """The page in which a part was asked for, as htmx tells it: what was being written there is still kept there."""
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    if shown.netloc != request.url.netloc or not shown.path.startswith("/") or shown.path.startswith("//"):
        return "/"
    return shown.path + (f"?{shown.query}" if shown.query else "")


def _path(request: AnyRequest) -> str:
    """Where to come back to after signing in: only where a GET leads to."""
    if request.method != "GET":
        return "/"
    query = request.scope["query_string"].decode("latin-1")
    return request.url.path + (f"?{query}" if query else "")
