"""Every error leaves the server as a problem document (RFC 9457), and none of them tells how we are built."""

import logging
from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from locus.server.errors import BadRequest, Invalid, Refused
from locus.server.http.wording import told, wrong
from locus.wire.problems import FieldProblem, Problem

logger = logging.getLogger("locus.server")

MEDIA = "application/problem+json"
# What the framework itself refuses, before any of our code runs.
FRAMEWORK = {
    400: ("Bad request", "bad_request", "The request cannot be read."),
    404: ("Not found", "not_found", "There is no such thing here."),
    405: ("Method not allowed", "method_not_allowed", "This address does not take that method."),
    413: ("Too large", "too_large", "The body is too large."),
    415: ("Unsupported media type", "unsupported_media_type", "Send the body as application/json."),
}


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The response to a request that ended in `error`."""
    problem, headers = of(request, error)
    return document(problem, headers)


def of(request: Request[Any, Any, Any], error: Exception) -> tuple[Problem, Mapping[str, str]]:
    """What an error is to whoever sent the request, and the headers that belong to it. A defect is logged."""
    if isinstance(error, Refused):
        return refused(error)
    if isinstance(error, ValidationException):
        return refused(parameters(error))
    if isinstance(error, asyncpg.DataError):
        # A time at the edge of the calendar, for one: a value of its type that the database cannot hold.
        return refused(Invalid("A value of the request is out of range."))
    if isinstance(error, HTTPException) and error.status_code in FRAMEWORK:
        title, code, detail = FRAMEWORK[error.status_code]
        problem = Problem(title=title, status=error.status_code, code=code, detail=detail)
        return problem, ({"Allow": allow} if (allow := (error.headers or {}).get("allow")) else {})
    if isinstance(error, HTTPException) and error.detail == "client disconnected prematurely":
        return refused(BadRequest("The connection ended before the body did."))
    logger.error("unexpected error", exc_info=error, extra={"request": request.scope["state"].get("request_id")})
    problem = Problem(
        title="Server error",
        status=500,
        code="server_error",
        detail="This is a defect of the server. Its log has the details under this answer's X-Request-ID.",
    )
    return problem, {}


def refused(error: Refused) -> tuple[Problem, Mapping[str, str]]:
    problem = Problem(title=error.title, status=error.status, code=error.code, detail=error.detail, errors=error.errors)
    return problem, error.headers


def document(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    body = msgspec.json.encode(problem)
    return Response(body, status_code=problem.status, media_type=MEDIA, headers=dict(headers or {}))


def parameters(error: ValidationException) -> Invalid:
    """What the framework found wrong with query parameters and headers, in our words."""
    found: list[FieldProblem] = []
    for one in error.extra if isinstance(error.extra, list) else []:
        steps = [str(one.get("key", "request"))]
        found += told(steps, wrong(str(one.get("message", "")), [], str)).errors
    return Invalid("; ".join(f"{one.field} {one.message}" for one in found) + ".", errors=found)
