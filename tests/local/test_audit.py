"""A trail is verified here, whatever the server says: the first event that breaks it is named."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from locus.local import audit
from locus.local.audit import Seen, Verdict
from locus.local.errors import LocalError

WORKSPACE = UUID("5b6f6a3c-95a0-4bf5-9f5f-0e3f2f9f0a01")


def trail(count: int, *, start: int = 1, unchained: int = 0, actor: str = "ada") -> list[Any]:
    """An export of `count` events, chained as the description says."""
    lines, previous = [], bytes(32)
    for seq in range(start, start + count):
        event = {"seq": seq, "kind": "task.edited", "actor_name": actor, "detail": {"title": "Ü “x”", "b": [1]}}
        told = None
        if seq > unchained:
            text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            previous = hashlib.sha256(previous + text.encode()).digest()
            told = previous.hex()
        lines.append({"event": event, "hash": told})
    return lines


async def verified(lines: list[Any], seen: Seen | None = None, *, part: bool = False) -> Verdict:
    async def read() -> AsyncIterator[bytes]:
        for line in lines:
            # In a form of its own: order, blanks and escapes are not what is hashed.
            yield line if isinstance(line, bytes) else json.dumps(line, indent=None, ensure_ascii=True).encode()

    return await audit.verify(read(), seen, part=part)


async def test_a_whole_chain_is_found_whole() -> None:
    lines = trail(5)

    verdict = await verified(lines)

    assert verdict == Verdict(first=1, last=5, last_hash=lines[-1]["hash"])
    assert await verified([]) == Verdict()


@pytest.mark.parametrize("at", range(1, 6))
async def test_the_first_changed_event_is_named(at: int) -> None:
    lines = trail(5)
    lines[at - 1]["event"]["actor_name"] = "mallory"

    broken = (await verified(lines)).broken

    assert broken is not None
    assert broken.seq == at


@pytest.mark.parametrize("at", range(1, 6))
async def test_a_removed_event_is_named_unless_it_was_the_last(at: int) -> None:
    lines = trail(5)

    broken = (await verified(lines[: at - 1] + lines[at:])).broken

    assert (broken.seq if broken else None) == (at if at < 5 else None)


async def test_what_is_missing_from_the_end_is_noticed_by_whoever_verified_it_before() -> None:
    lines = trail(5)
    seen = Seen(5, lines[-1]["hash"], datetime.now(UTC))

    broken = (await verified(lines[:4], seen)).broken

    assert (await verified(lines, seen)).broken is None
    assert broken is not None
    assert (broken.seq, "is missing" in broken.says) == (5, True)


async def test_a_chain_that_was_computed_anew_is_noticed_by_whoever_verified_it_before() -> None:
    seen = Seen(3, trail(5)[2]["hash"], datetime.now(UTC))

    broken = (await verified(trail(5, actor="mallory"), seen)).broken

    assert (await verified(trail(5, actor="mallory"))).broken is None
    assert broken is not None
    assert (broken.seq, "verified here" in broken.says) == (3, True)


async def test_events_from_before_the_chain_are_counted_and_none_may_follow() -> None:
    lines = trail(5, unchained=2)
    unhashed = trail(5)
    unhashed[3]["hash"] = None

    assert (await verified(lines)).unchained == 2
    assert (await verified(lines)).broken is None
    broken = (await verified(unhashed)).broken
    assert broken is not None
    assert broken.seq == 4


async def test_a_part_is_taken_from_where_it_begins() -> None:
    part = trail(6)[2:]

    verdict = await verified(part, part=True)
    whole = await verified(part)

    assert (verdict.first, verdict.last, verdict.broken) == (3, 6, None)
    assert whole.broken is not None
    assert whole.broken.seq == 1
    part[2]["event"]["kind"] = "task.deleted"
    changed = (await verified(part, part=True)).broken
    assert changed is not None
    assert changed.seq == 5


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"event":{},"hash":null}', b'{"event":{"seq":2},"hash":"zz"}'])
async def test_a_line_that_is_none_breaks_the_chain(line: bytes) -> None:
    broken = (await verified([trail(1)[0], line])).broken

    assert broken is not None
    assert broken.seq == 2


async def test_the_end_of_a_verified_trail_is_kept(tmp_path: Path) -> None:
    lines = trail(3)
    audit.remember(tmp_path, WORKSPACE, await verified(lines))

    seen = audit.recall(tmp_path, WORKSPACE)

    assert seen is not None
    assert (seen.seq, seen.hash) == (3, lines[-1]["hash"])
    assert audit.recall(tmp_path, UUID(int=1)) is None
    next((tmp_path / "audit").iterdir()).write_text("{")
    with pytest.raises(LocalError):
        audit.recall(tmp_path, WORKSPACE)
