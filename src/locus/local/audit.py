"""Verifying a server's audit trail on this machine: the chain itself, and that it still is the one seen before.

A server could compute a whole chain anew. So the last hash that was verified is kept here, and must still be there.
"""

from collections.abc import AsyncIterable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from locus.local import files
from locus.local.errors import LocalError
from locus.wire.audit import START, canonical, link


class Seen(Struct, frozen=True):
    """The end of a chain that was verified: its number, its hash and when that was."""

    seq: int
    hash: str
    at: datetime


class Broken(Struct, frozen=True):
    """The first event that is not as it should be."""

    seq: int
    says: str


class Verdict(Struct, frozen=True):
    """What a trail came to; without events, `first` and `last` are 0. `unchained` came before there was a chain."""

    first: int = 0
    last: int = 0
    last_hash: str | None = None
    unchained: int = 0
    broken: Broken | None = None


class _Line(Struct):
    event: msgspec.Raw
    hash: str | None


class _Number(Struct):
    seq: int


async def verify(lines: AsyncIterable[bytes], seen: Seen | None = None, *, part: bool = False) -> Verdict:
    """Follow the chain through the lines of an export, up to the first event that breaks it.

    `seen` is an end that was verified earlier; the trail must still have it. A `part` need not begin with event 1.
    """
    first, last, unchained = 0, 0, 0
    previous = START
    chained = False

    def verdict(broken: Broken | None = None) -> Verdict:
        return Verdict(first, last, previous.hex() if chained else None, unchained, broken)

    async for line in lines:
        try:
            read = msgspec.json.decode(line, type=_Line)
            seq = msgspec.json.decode(read.event, type=_Number).seq
            event = canonical(msgspec.json.decode(read.event))
            told = None if read.hash is None else bytes.fromhex(read.hash)
        except (msgspec.DecodeError, ValueError):
            return verdict(Broken(last + 1, "cannot be read"))
        if seq != last + 1 and (last or not part):
            return verdict(Broken(last + 1, f"is missing: event {seq} stands in its place"))
        if told is None:
            if chained:
                return verdict(Broken(seq, "has no hash"))
            unchained += 1
        elif not last and seq > 1:
            chained = True  # the export begins here: what came before, and so this hash, is taken as it is
        else:
            chained = True
            if link(previous, event) != told:
                return verdict(Broken(seq, f"was changed, or event {seq - 1} before it was"))
        first, last, previous = first or seq, seq, told or START
        if seen is not None and seq == seen.seq and (told or b"").hex() != seen.hash:
            return verdict(Broken(seq, f"is not the one that was verified here on {seen.at:%Y-%m-%d}"))
    if seen is not None and last < seen.seq:
        return verdict(Broken(last + 1, f"is missing: on {seen.at:%Y-%m-%d} there were {seen.seq} events"))
    return verdict()


def recall(state: Path, workspace_id: UUID) -> Seen | None:
    """The end of this workspace's trail that was verified last. Raises LocalError when it cannot be read."""
    path = _kept(state, workspace_id)
    text = files.read_private(path)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Seen)
    except msgspec.DecodeError as e:
        raise LocalError(f"{path} cannot be read: {e}.", remedy="Remove it, and verify again.") from e


def remember(state: Path, workspace_id: UUID, verdict: Verdict) -> None:
    """Keep the end of a verified trail. Raises LocalError."""
    if verdict.last_hash is not None:
        seen = Seen(verdict.last, verdict.last_hash, datetime.now(UTC))
        files.write(_kept(state, workspace_id), msgspec.json.encode(seen).decode())


def _kept(state: Path, workspace_id: UUID) -> Path:
    return state / "audit" / f"{workspace_id}.json"
