"""The description of the API in OpenAPI 3.1, made from the routes and the wire types that they really use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, ParameterKwarg, PathParameter, QueryParameter
from litestar.response import ServerSentEvent, Stream
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from locus.server.http.conditional import IfMatch
from locus.server.http.problems import MEDIA as PROBLEM_MEDIA
from locus.server.http.requests import IDEMPOTENCY_KEY, body_type, is_required
from locus.wire.problems import Problem

REF = "#/components/schemas/{name}"
PLACES: dict[type[ParameterKwarg], str] = {PathParameter: "path", QueryParameter: "query", HeaderParameter: "header"}

ERRORS = {
    400: "The request cannot be read.",
    401: "There is no valid API key.",
    403: "The key may not do this.",
    404: "There is no such thing here.",
    408: "The body did not arrive in time.",
    409: "The state of things forbids it.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "A field is wrong; `errors` names it.",
    428: "An edit needs If-Match.",
    429: "Too many were asked for; wait.",
    503: "Try again after `Retry-After` seconds.",
}
DESCRIPTION = """\
Planning on a server, execution on your machine. Every request needs `Authorization: Bearer lcs_…`.

Lists come in pages: ask again with `cursor` until `next_cursor` is null. An edit names in `If-Match` the ETag of what
it edits. A POST that is sent twice with the same `Idempotency-Key` happens once."""

IF_MATCH = get_args(IfMatch)[1].name

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    handler: HTTPRouteHandler

    @property
    def public(self) -> bool:
        return bool(self.handler.opt.get("public"))

    @property
    def id(self) -> str:
        return self.handler.operation_id if isinstance(self.handler.operation_id, str) else self.handler.handler_name


def operations(app: Litestar) -> list[Operation]:
    """Every operation that the application describes, in the order of addresses."""
    found = [
        Operation(method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
        if handler.resolve_include_in_schema() and method != "OPTIONS"
    ]
    return sorted(found, key=lambda one: (one.path, one.method))


def describe(app: Litestar, version: str) -> bytes:
    """The whole description as JSON."""
    described = operations(app)
    types = [kind for one in described for kind in types_of(one)]
    schemas, components = msgspec.json.schema_components([Problem, *types], ref_template=REF)
    schema_of = dict(zip([repr(kind) for kind in (Problem, *types)], schemas, strict=True))
    paths: dict[str, Json] = {}
    for one in described:
        paths.setdefault(one.path, {})[one.method.lower()] = operation(one, schema_of)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Locus",
                "version": version,
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "lcs_…"}},
            },
        }
    )


def types_of(one: Operation) -> Iterator[Any]:
    """Every type whose schema the operation's description needs."""
    yield from (constrained(field) for field, _ in parameters_of(one))
    body, answer = body_type(one.handler), answer_type(one.handler)
    yield from (kind for kind in (body, answer) if is_described(kind))


def is_described(kind: Any) -> bool:
    return kind is not None and kind not in (str, bytes, Stream, ServerSentEvent)


def parameters_of(one: Operation) -> Iterator[tuple[FieldDefinition, ParameterKwarg]]:
    for field in one.handler.parsed_fn_signature.parameters.values():
        if isinstance(field.kwarg_definition, tuple(PLACES)):
            yield field, field.kwarg_definition  # type: ignore[misc]


def constrained(field: FieldDefinition) -> Any:
    """The type of a parameter with the limits that its annotation sets."""
    kwarg = field.kwarg_definition
    assert isinstance(kwarg, ParameterKwarg)
    limits: Json = {
        "ge": kwarg.ge,
        "le": kwarg.le,
        "pattern": kwarg.pattern,
        "min_length": kwarg.min_length or kwarg.min_items,
        "max_length": kwarg.max_length or kwarg.max_items,
    }
    given = {name: limit for name, limit in limits.items() if limit is not None}
    inner = [kind for kind in get_args(field.annotation) if kind is not type(None)] if field.is_optional else []
    # A parameter that may be left out is not one that may be null: there is no null in an address.
    kind = inner[0] if len(inner) == 1 else field.annotation
    return Annotated[kind, msgspec.Meta(**given)] if given else kind


def answer_type(handler: HTTPRouteHandler) -> Any:
    """What a success answers with; None when it has no body."""
    kind = handler.parsed_fn_signature.return_type.annotation
    if get_origin(kind) is Response:
        kind = get_args(kind)[0]
    return None if kind is type(None) else kind


def operation(one: Operation, schema_of: Json) -> Json:
    doc = (one.handler.fn.__doc__ or "").strip().split("\n\n", 1)
    described: Json = {
        "operationId": one.id,
        "summary": doc[0].replace("\n", " ").rstrip("."),
        "tags": list(one.handler.tags or ()),
        "parameters": [parameter(field, kwarg, schema_of) for field, kwarg in parameters_of(one)],
        "responses": responses(one, schema_of),
        "security": [] if one.public else [{"key": []}],
    }
    if one.method == "POST":
        described["parameters"].append(
            {
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "description": "Makes it safe to send the request again: it happens once.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            }
        )
    if (body := body_type(one.handler)) is not None:
        described["requestBody"] = {
            "required": is_required(one.handler),
            "content": {"application/json": {"schema": schema_of[repr(body)]}},
        }
    return described


def parameter(field: FieldDefinition, kwarg: ParameterKwarg, schema_of: Json) -> Json:
    place = PLACES[type(kwarg)]
    schema = dict(schema_of[repr(constrained(field))])
    if field.has_default and field.default is not None:
        schema["default"] = msgspec.to_builtins(field.default)
    described: Json = {"name": kwarg.name or field.name, "in": place, "schema": schema}
    if place == "path" or field.is_required:
        described["required"] = True
    if kwarg.description:
        described["description"] = kwarg.description
    return described


def responses(one: Operation, schema_of: Json) -> Json:
    problem = {PROBLEM_MEDIA: {"schema": schema_of[repr(Problem)]}}
    answers: Json = {str(one.handler.status_code): success(one, schema_of)}
    for status in sorted(errors_of(one)):
        answers[str(status)] = {"description": ERRORS[status], "content": problem}
    return answers


def success(one: Operation, schema_of: Json) -> Json:
    kind = answer_type(one.handler)
    described: Json = {"description": "It is done."}
    if "version" in getattr(kind, "__struct_fields__", ()):
        described["headers"] = {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}
    if kind in (Stream, ServerSentEvent):
        described["content"] = {str(one.handler.media_type): {"schema": {"type": "string"}}}
    elif kind in (str, bytes):
        described["content"] = {"text/plain": {"schema": {"type": "string"}}}
    elif kind is not None:
        described["content"] = {"application/json": {"schema": schema_of[repr(kind)]}}
    return described


def errors_of(one: Operation) -> set[int]:
    """The statuses with which an operation may refuse, from what it takes."""
    statuses = {400, 503}
    fields = list(parameters_of(one))
    if not one.public:
        statuses |= {401, 403, 422}  # 422: an unknown query parameter
    elif one.method != "GET":
        statuses.add(403)  # a page of another site asks for it
    if one.handler.opt.get("limited"):
        statuses.add(429)
    if any(isinstance(kwarg, PathParameter) for _, kwarg in fields):
        statuses.add(404)
    if one.method != "GET":
        statuses |= {409, 422}
    if body_type(one.handler) is not None:
        statuses |= {408, 413, 415}
    if any(kwarg.name == IF_MATCH for _, kwarg in fields):
        statuses.add(428)
    return statuses
