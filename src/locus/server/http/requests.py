"""Reading a request: its query parameters must be known ones, its body must be JSON of the declared type."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import msgspec
from litestar import Litestar, Request as LitestarRequest, Response
from litestar.datastructures import State
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import QueryParameter

from locus.server.errors import BadRequest, Invalid, Refused, TooLarge
from locus.server.http.wording import refusal

IDEMPOTENCY_KEY = "Idempotency-Key"
VISIBLE = re.compile(r"[\x21-\x7e]{1,255}\Z")


class UnsupportedMedia(Refused):
    status, title, code = 415, "Unsupported media type", "unsupported_media_type"


class TooSlow(Refused):
    status, title, code = 408, "Request timeout", "request_timeout"


class Request(LitestarRequest[Any, Any, State]):
    """A request whose JSON body is decoded once, strictly, into the type that its handler declares as `data`."""

    async def json(self) -> Any:
        """The body as what the handler declares. `checked` has decoded it before the handler is called."""
        return self.scope["state"]["locus_body"]


def checks(body_seconds: float) -> Callable[[LitestarRequest[Any, Any, State]], Awaitable[Response[None] | None]]:
    """What is done with every request before its handler; a body must have arrived after `body_seconds`."""

    async def before(request: LitestarRequest[Any, Any, State]) -> Response[None] | None:
        return await checked(request, body_seconds)

    return before


async def checked(request: LitestarRequest[Any, Any, State], body_seconds: float) -> Response[None] | None:
    """Refuse what no handler should see; runs after the caller is known and before the handler.

    A question for the methods of an address is answered here.

    Raises:
        Refused: an unknown or repeated query parameter, a body that is too large, too slow, not JSON or not valid.
    """
    if request.method == "OPTIONS":
        allowed = ", ".join(sorted(methods(request.app, request.scope["path_template"])))
        return Response(None, status_code=204, headers={"Allow": allowed})
    handler = request.route_handler
    check_query(request, handler)
    idempotency_key(request)
    expected = body_type(handler)
    if expected is None:
        return None
    body = await read(request, body_seconds)
    if not body:
        if is_required(handler):
            raise Invalid("The body is missing: send a JSON object.", code="body_missing")
        return None
    if request.content_type[0] != "application/json":
        raise UnsupportedMedia("Send the body as application/json.")
    request.scope["state"]["locus_body"] = decoded(body, expected)
    return None


def methods(app: Litestar, path: str) -> set[str]:
    """What an address takes; `path` is the template."""
    return {method for route in app.routes if route.path_format == path for method in route.methods}


async def read(request: LitestarRequest[Any, Any, State], seconds: float) -> bytes:
    """The whole body, within the route's limit and so many seconds."""
    limit = request.route_handler.resolve_request_max_body_size()
    try:
        async with asyncio.timeout(seconds):
            return await request.body()
    except RequestEntityTooLarge as e:
        raise TooLarge(f"body: must have at most {limit} bytes.") from e
    except TimeoutError as e:
        raise TooSlow(f"The body did not arrive within {seconds:g} seconds.") from e


@cache
def decoder(expected: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(expected)


def decoded(body: bytes, expected: Any) -> Any:
    """The JSON text `body` as an `expected`.

    Raises:
        BadRequest: it is not JSON, or an object has the same name twice.
        Invalid: a field is wrong.
    """
    try:
        value = decoder(expected).decode(body)
    except msgspec.ValidationError as e:
        raise refusal(e, expected) from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise BadRequest("The body is not valid JSON in UTF-8.", code="malformed_json") from e
    # Readers of JSON disagree about which of two equal names counts, so we accept neither. The closed type has been
    # matched by now, which bounds the depth.
    json.loads(body, object_pairs_hook=refuse_repeated)
    return value


def refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadRequest("The body has an object with the same name twice.", code="malformed_json")


def body_type(handler: BaseRouteHandler) -> Any:
    """What the handler declares as `data`, or None when it takes no body."""
    data = handler.parsed_fn_signature.parameters.get("data")
    return None if data is None else data.annotation


def is_required(handler: BaseRouteHandler) -> bool:
    return not handler.parsed_fn_signature.parameters["data"].has_default


@dataclass(frozen=True)
class Taken:
    """A query parameter that a handler takes."""

    many: bool  # it may be repeated
    text: bool  # any text will do


# By the function and not by the handler, which an application owns: it would be kept for ever.
KNOWN: dict[Callable[..., Any], dict[str, Taken]] = {}


def query_parameters(handler: BaseRouteHandler) -> dict[str, Taken]:
    """The query parameters that a handler takes."""
    if handler.fn in KNOWN:
        return KNOWN[handler.fn]
    found: dict[str, Taken] = {}
    for name, field in handler.parsed_fn_signature.parameters.items():
        kwarg = field.kwarg_definition
        if isinstance(kwarg, QueryParameter):
            many = any(part.is_non_string_sequence for part in (field, *field.inner_types))
            found[kwarg.name or name] = Taken(many, text=str in (field.annotation, *get_args(field.annotation)))
    KNOWN[handler.fn] = found
    return found


def check_query(request: LitestarRequest[Any, Any, State], handler: BaseRouteHandler) -> None:
    if not request.scope["query_string"] or not isinstance(handler, HTTPRouteHandler):
        return
    known = query_parameters(handler)
    for name in request.query_params:
        if name not in known:
            raise Invalid.field(name[:100], "is not a parameter that is known here")
        values = request.query_params.getall(name)
        if len(values) > 1 and not known[name].many:
            raise Invalid.field(name, "may be given once only")
        if any("\0" in value for value in values):
            raise Invalid.field(name, "must not contain the character NUL")
        # The decoder would take the word for "left out".
        if not known[name].text and any(value.lower() == "null" for value in values):
            raise Invalid.field(name, "must not be null; leave it out instead")


def idempotency_key(request: LitestarRequest[Any, Any, State]) -> str | None:
    """The request's Idempotency-Key, or None.

    Raises:
        Invalid: it is not 1 to 255 visible ASCII characters.
    """
    given = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not given:
        return None
    if len(given) > 1 or not VISIBLE.match(given[0]):
        raise Invalid.field(IDEMPOTENCY_KEY, "must be given once, as 1 to 255 visible ASCII characters")
    return given[0]
