"""What the subjects share: a transport, the workspace's path, lists that go on over pages."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

from locus.client.transport import Transport
from locus.wire.base import Page

T = TypeVar("T")
PAGE = 200  # items; the most that a server gives at once


class Subject:
    """One kind of thing in a workspace; `path` puts the workspace before the rest of a path."""

    def __init__(self, transport: Transport, path: Callable[[str], str]) -> None:
        self._transport = transport
        self._path = path


async def every(
    transport: Transport, path: str, item: type[T], parameters: Mapping[str, Any] | None = None
) -> AsyncIterator[T]:
    """All items of a list, page after page."""
    cursor: str | None = None
    while True:
        asked = query({**(parameters or {}), "limit": PAGE, "cursor": cursor})
        page: Page[T] = await transport.get(path, Page[item], parameters=asked)  # type: ignore[valid-type]
        for one in page.items:
            yield one
        cursor = page.next_cursor
        if cursor is None:
            return


def query(values: Mapping[str, Any]) -> dict[str, str | int | list[str]]:
    """Query parameters without those that are not given."""
    return {
        name: value if isinstance(value, str | int) else [str(one) for one in value]
        for name, value in values.items()
        if value is not None and (isinstance(value, str | int) or len(value) > 0)
    }


def segment(name: str | UUID | int) -> str:
    """A name as one piece of a path, whatever it contains."""
    text = quote(str(name), safe="")
    # A path of dots would be resolved away before it is sent.
    return text.replace(".", "%2E") if text.strip(".") == "" else text
