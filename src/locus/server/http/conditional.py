"""Conditional edits: an answer carries its version as ETag, an edit names in If-Match the version it was made from."""

import re
from typing import Annotated, Protocol, TypeVar

from litestar import Response
from litestar.params import HeaderParameter

from locus.server.errors import PreconditionRequired

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="The ETag of the version that is edited, or `*` for any."),
]

TAG = re.compile(r'^"([1-9][0-9]{0,8})"$')
NEVER = -1  # a version that nothing has


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


T = TypeVar("T", bound=Versioned)


def expected_version(if_match: str | None) -> int | None:
    """The version that an edit expects to find; None when any will do.

    Raises:
        PreconditionRequired: there is no If-Match, so the edit might undo what somebody else just did.
    """
    if if_match is None:
        raise PreconditionRequired('Send If-Match with the ETag of the version you edit, like If-Match: "3".')
    if if_match.strip() == "*":
        return None
    found = TAG.match(if_match.strip())
    return int(found[1]) if found else NEVER


def etag(version: int) -> str:
    return f'"{version}"'


def tagged(thing: T, *, status: int = 200) -> Response[T]:
    """An answer with the version of the thing as its ETag."""
    return Response(thing, status_code=status, headers={"ETag": etag(thing.version)})
