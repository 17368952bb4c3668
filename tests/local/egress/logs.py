"""Logs to look at and to tamper with."""

from pathlib import Path

from locus.client.egress import Outgoing
from locus.local.egress.log import EgressLog

BODY = b'{"state":"idle"}'


def request(path: str = "/api/v1/me", *, body: bytes | None = BODY, query: str = "") -> Outgoing:
    return Outgoing(
        method="POST", server="http://127.0.0.1:1", path=path, query=query, headers={"x-request-id": "1"}, body=body
    )


def written(state: Path, count: int = 6) -> Path:
    """A log of `count` requests, each answered: where it is."""
    log = EgressLog(state)
    for number in range(1, count + 1):
        log.answered(log.sent(request(f"/api/v1/tasks/{number}")), 200)
    return log.place


def only_file(place: Path) -> Path:
    [found] = place.glob("*.jsonl")
    return found
