"""Looking at the egress log: what left, when, and what came back."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from locus.local.egress.lines import NOTHING, Answered, Sent, decode, months
from locus.local.errors import LocalError


class Request(Struct, frozen=True):
    """One request as the log has it. `body` is JSON, exactly as it was sent; null when there was none."""

    number: int
    at: datetime
    method: str
    server: str
    path: str
    query: str
    headers: dict[str, str]
    body: msgspec.Raw
    status: int | None  # None: nothing came back, or it was not noted

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(bytes(self.body)) if self.has_body else 0

    @property
    def has_body(self) -> bool:
        return bytes(self.body) != bytes(NOTHING)


def requests(
    log: Path, *, since: datetime | None = None, about: Iterable[str] = (), limit: int | None = None
) -> list[Request]:
    """The requests of the log in `log`, oldest first; with `limit`, the last so many of them.

    `since` leaves earlier ones out; `about` leaves out those that name none of these words in their path, query or
    body. Lines that cannot be read are passed over here; `verify` tells of them. Raises LocalError.
    """
    words = [word.encode() for word in about]
    found: dict[int, Request] = {}
    for raw in _lines(log, since):
        match decode(raw):
            case Sent() as sent if _names(sent, words):
                request = _request(sent)
                if since is None or request.at >= since:
                    found[sent.n] = request
                    if limit is not None and len(found) > limit:
                        del found[next(iter(found))]
            case Answered(to=number, status=status) if number in found:
                found[number] = replace(found[number], status=status)
            case _:
                continue
    return list(found.values())


def one(log: Path, number: int) -> Request:
    """The request with this number. Raises LocalError when there is none."""
    for request in requests(log):
        if request.number == number:
            return request
    raise LocalError(
        f"No request has the number {number} in the egress log.", remedy="See the numbers: locus egress log"
    )


def _lines(log: Path, since: datetime | None) -> Iterator[bytes]:
    first = f"{since.astimezone(UTC):%Y-%m}.jsonl" if since else ""
    for path in months(log):
        if path.name < first:
            continue
        try:
            with path.open("rb") as file:
                yield from (line.rstrip(b"\n") for line in file)
        except OSError as e:
            raise LocalError(f"{path} cannot be read: {e.strerror or e}.", remedy="Check its rights.") from e


def _names(sent: Sent, words: list[bytes]) -> bool:
    if not words:
        return True
    said = b" ".join((sent.path.encode(), sent.query.encode(), bytes(sent.body)))
    return any(word in said for word in words)


def _request(sent: Sent) -> Request:
    return Request(
        number=sent.n,
        at=datetime.fromisoformat(sent.at),
        method=sent.method,
        server=sent.server,
        path=sent.path,
        query=sent.query,
        headers=sent.headers,
        body=sent.body,
        status=None,
    )
