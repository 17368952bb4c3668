"""Forms: the fields that a browser sends, turned into the wire types that the API's requests have."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import FormMultiDict, State

from locus.server.errors import BadRequest
from locus.server.http import requests
from locus.server.http.requests import UnsupportedMedia
from locus.server.http.wording import refusal

T = TypeVar("T")
FORM = "application/x-www-form-urlencoded"

AnyRequest = Request[Any, Any, State]


class Form:
    """What was sent. Names that are not asked for are ignored: a form also has the token and the submit button."""

    def __init__(self, fields: FormMultiDict) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str, default: str = "") -> str:
        """A field as it was sent; line breaks are single ones."""
        value = self._fields.get(name, default)
        return value.replace("\r\n", "\n") if isinstance(value, str) else default

    def line(self, name: str) -> str:
        """A field of one line, without blanks around it."""
        return self.text(name).strip()

    def optional(self, name: str) -> str | None:
        """A field of one line; None when it is empty."""
        return self.line(name) or None

    def many(self, name: str) -> list[str]:
        """Every value of a field that may come several times, without the empty ones."""
        return [value for value in self._fields.getall(name, []) if isinstance(value, str) and value]

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.text(name) in ("on", "true", "1")


async def read(request: AnyRequest) -> Form:
    """The form of a request.

    Raises:
        BadRequest: it cannot be read, or has the character NUL.
    """
    fields = await request.form()
    if any("\0" in value for values in fields.dict().values() for value in values if isinstance(value, str)):
        raise BadRequest("The form has the character NUL.")
    return Form(fields)


def wire(kind: type[T], fields: object) -> T:
    """Fields by name, or one value, as the wire type `kind`, checked as strictly as a request of the API.

    Raises:
        Invalid: a field is wrong; it is named.
    """
    try:
        return msgspec.convert(fields, kind, strict=True)
    except msgspec.ValidationError as e:
        raise refusal(e, kind) from e


def checks(body_seconds: float) -> Callable[[AnyRequest], Awaitable[Response[None] | None]]:
    """What is done with every request of a page before its handler; a form must have arrived after `body_seconds`."""

    async def before(request: AnyRequest) -> Response[None] | None:
        if request.method in ("GET", "HEAD"):
            return None
        if request.method == "OPTIONS":
            allowed = ", ".join(sorted(requests.methods(request.app, request.scope["path_template"])))
            return Response(None, status_code=204, headers={"Allow": allowed})
        if await requests.read(request, body_seconds) and request.content_type[0] != FORM:
            raise UnsupportedMedia("Send the form as application/x-www-form-urlencoded.")
        return None

    return before
