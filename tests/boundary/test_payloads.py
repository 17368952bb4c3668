"""docs/trust.md shows what a worker sends: every kind of request of a recorded day, in its real shape, and no other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.boundary.conftest import Day, Spoken

PAGE = Path(__file__).parents[2] / "docs" / "trust.md"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BLOCK = re.compile(r"^```http\n(GET|POST) (\S+)\n(?:\n(.*?))?^```", re.DOTALL | re.MULTILINE)

Shape = tuple[str, str, Any]


def shape(method: str, target: str, body: str) -> Shape:
    """A request without its particulars: ids, numbers, hashes and times are all alike."""
    path = re.sub(r"/(tasks|sprints)/(?!\{id\})(?:[A-Z]+-\d+|\d+|active)", r"/\1/{name}", ID.sub("{id}", target))
    return method, re.sub(r"(cursor|after|limit)=[^&]+", r"\1=…", path), plain(json.loads(body)) if body else None


def plain(value: Any) -> Any:
    match value:
        case dict():
            return tuple(sorted((name, plain(inner)) for name, inner in value.items()))
        case list():
            return tuple(sorted({plain(inner) for inner in value}, key=repr))
        case bool() | None:
            return type(value).__name__
        case int() | float():
            return "number"
        case str() if ID.fullmatch(value):
            return "id"
        case str() if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value):
            return "hash"
        case str():
            return "word"


@pytest.fixture
def documented() -> set[Shape]:
    return {shape(method, target, body) for method, target, body in BLOCK.findall(PAGE.read_text())}


def sent_in(day: Day) -> set[Shape]:
    return {shape(one.method, one.target, one.body.decode()) for one in day.recorded.requests()}


def test_every_kind_of_request_that_a_worker_sends_is_in_the_trust_statement(
    day: Day, spoken: Spoken, documented: set[Shape]
) -> None:
    sent = sent_in(day) | sent_in(spoken)

    assert sorted(sent - documented, key=repr) == []


def test_every_request_in_the_trust_statement_was_really_sent(day: Day, spoken: Spoken, documented: set[Shape]) -> None:
    sent = sent_in(day) | sent_in(spoken)

    assert documented
    assert sorted(documented - sent, key=repr) == []
