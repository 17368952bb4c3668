"""The audit trail: numbered events as the chain of hashes covers them, and how a hash is made.

hash(n) = SHA-256(hash(n - 1) + canonical(event n)), with 32 zero bytes before the first event of a workspace.
"""

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from locus.wire.base import Answer

START = bytes(32)  # the hash before the first event


class RecordedEvent(Answer, frozen=True, kw_only=True):
    """An event as its hash covers it: all that the server keeps of it, and no closed list that could grow."""

    seq: int
    workspace_id: UUID
    kind: str
    task_id: UUID | None
    sprint_id: UUID | None
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    detail: dict[str, Any]
    created_at: str  # UTC, with microseconds


class AuditLine(Answer, frozen=True, kw_only=True):
    """One line of an export. Events that were numbered before there was a chain have no hash."""

    event: RecordedEvent
    hash: str | None


def canonical(event: Any) -> bytes:
    """An event as JSON in its one form: keys sorted, no blanks, UTF-8."""
    return msgspec.json.encode(event, order="sorted")


def link(previous: bytes, event: bytes) -> bytes:
    """The hash of a canonical event that comes after one with the hash `previous`."""
    return hashlib.sha256(previous + event).digest()
