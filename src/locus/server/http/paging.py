"""Lists in pages: a limit and an opaque cursor that holds the sort key of the last item that was shown."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.params import QueryParameter

from locus.server.errors import Invalid

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many items to return at most.")]
Cursor = Annotated[
    str | None, QueryParameter(max_length=1000, description="`next_cursor` of the page before this one.")
]

T = TypeVar("T")


def encode_cursor(key: Any) -> str:
    """The cursor for a sort key: a tuple of what msgspec can write (numbers, text, UUIDs, dates)."""
    return urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, key: type[T]) -> T | None:
    """The sort key in a cursor, or None on the first page.

    Raises:
        Invalid: it is not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        # Whatever is not of the alphabet would be skipped silently without validate.
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return msgspec.json.decode(urlsafe_b64decode(padded), type=key)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as e:
        raise Invalid.field("cursor", "is not one that this list has given out") from e
