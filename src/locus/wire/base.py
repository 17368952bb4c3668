"""The two kinds of message, and the limits that every text and number obeys."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may send. A field that is not listed is refused, never ignored."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the server says. Clients ignore fields they do not know, so that a server may be newer."""


# A line begins with something visible and has no control characters, so that it can never forge a second line
# in a commit message, a terminal or a log.
LINE = r"^[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*$(?!\n)"
# PostgreSQL cannot store NUL; every other character comes back as it was sent.
PROSE = r"^[^\u0000]*$"

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=LINE)]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
Label = Annotated[str, Meta(min_length=1, max_length=50, pattern=LINE)]
Description = Annotated[str, Meta(max_length=65_536, pattern=PROSE)]
CommentText = Annotated[str, Meta(min_length=1, max_length=16_384, pattern=PROSE)]
DocText = Annotated[str, Meta(max_length=1_048_576, pattern=PROSE)]
ItemText = Annotated[str, Meta(min_length=1, max_length=500, pattern=PROSE)]
CHECK_NAME = r"^[a-z0-9][a-z0-9_.-]*$(?!\n)"
CheckName = Annotated[str, Meta(min_length=1, max_length=50, pattern=CHECK_NAME)]
Prefix = Annotated[str, Meta(min_length=1, max_length=10, pattern=r"^[A-Z][A-Z0-9]*$(?!\n)")]
ItemId = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$(?!\n)")]

Sha = Annotated[str, Meta(min_length=40, max_length=64, pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$(?!\n)")]
Sha256 = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}$(?!\n)")]
# An agent names itself; no word of a person, a model or a machine fits.
AgentName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$(?!\n)")]
# Only branches that Locus itself names may cross.
Branch = Annotated[str, Meta(max_length=100, pattern=r"^locus/[a-z0-9][a-z0-9-]*$(?!\n)")]
Version = Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_-]*$(?!\n)")]
ModelName = Annotated[str, Meta(max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9.:/@_\[\]-]*$(?!\n)")]
PullRequestUrl = Annotated[
    str, Meta(max_length=300, pattern=r"^https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9._/-]+$(?!\n)")
]

# Words of an agent, where a workspace has asked for them: one line of letters of the scripts that have cases, digits
# and the punctuation of prose. No slash, underscore, backtick, bracket or sign of arithmetic, no escape of any kind,
# and nothing that cannot be seen.
_LETTERS = r"A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff"
SUMMARY = rf"^[0-9{_LETTERS}\u201c\u201e(][0-9{_LETTERS} .,:;!?'\"()\u2013\u2014\u2018-\u201e\u2026-]*$(?!\n)"
Summary = Annotated[str, Meta(min_length=1, max_length=500, pattern=SUMMARY)]

# A point in time says its offset from UTC; without one it would mean another moment on each machine.
Moment = Annotated[datetime, Meta(tz=True)]

Count = Annotated[int, Meta(ge=0, le=2_000_000_000)]
BigCount = Annotated[int, Meta(ge=0, le=9_000_000_000_000)]
Fence = Annotated[int, Meta(ge=1, le=2_000_000_000)]
ExitCode = Annotated[int, Meta(ge=-255, le=255)]

MAX_BODY = 256 * 1024  # bytes of a request
MAX_DOC_BODY = 1_258_291  # bytes of a request that carries a document (1.2 MiB)
MAX_BATCH = 100  # ids in one request

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """A stretch of a list. Ask again with `cursor=next_cursor` until it is null."""

    items: list[T]
    next_cursor: str | None = None


def encode(message: Struct) -> bytes:
    """The bytes of a message as they cross the network."""
    return msgspec.json.encode(message)
