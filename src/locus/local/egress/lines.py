"""What stands in a line of the egress log, and where the files are.

Every line has the number after the one before, and the SHA-256 of the line before it; the first has zeros. The chain
goes on over months. Whoever changes, removes or moves a line has to rewrite everything after it, and the head. Old
months may be removed by a line that says so: the chain then begins after what it names.
"""

import hashlib
import re
from pathlib import Path

import msgspec
from msgspec import Struct

NOTHING = msgspec.Raw(b"null")  # the body of a request without one
START = "0" * 64  # the hash before the first line
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\.jsonl\Z")


class Sent(Struct, frozen=True, kw_only=True, tag="sent", tag_field="kind"):
    """A request that was about to be sent; `body` is exactly its bytes, or null without one."""

    n: int
    prev: str
    at: str  # UTC
    method: str
    server: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}  # msgspec copies it for each line
    body: msgspec.Raw = NOTHING


class Answered(Struct, frozen=True, kw_only=True, tag="answered", tag_field="kind"):
    """What came back for a request; no status when nothing did."""

    n: int
    prev: str
    at: str
    to: int  # the number of the request
    status: int | None = None


class Mended(Struct, frozen=True, kw_only=True, tag="mended", tag_field="kind"):
    """The writer found the end of the log other than its head said, and went on after it."""

    n: int
    prev: str
    at: str
    why: str  # torn: a crash cut the line before; short: lines were gone; headless: the head was gone


class Pruned(Struct, frozen=True, kw_only=True, tag="pruned", tag_field="kind"):
    """A person has removed the lines up to `through`, the last of which had the hash `hash`."""

    n: int
    prev: str
    at: str
    through: int
    hash: str


Line = Sent | Answered | Mended | Pruned

_line: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Head(Struct, frozen=True, kw_only=True):
    """Where the log ends: its last line's number and hash, its file and that file's size in bytes."""

    n: int
    hash: str
    file: str
    size: int
    synced: float  # seconds since the epoch; when the log was last forced to the disk


def hash_of(line: bytes) -> str:
    """The hash of a line without its line break."""
    return hashlib.sha256(line).hexdigest()


def decode(line: bytes) -> Line | None:
    """The line as what it says, or None when it cannot be read."""
    try:
        return _line.decode(line)
    except (msgspec.DecodeError, UnicodeError):
        return None


def folder(state: Path) -> Path:
    """Where the log of a user is, below their state directory."""
    return state / "egress"


def months(log: Path) -> list[Path]:
    """The files of the log in order."""
    if not log.is_dir():
        return []
    return sorted(path for path in log.iterdir() if MONTH.fullmatch(path.name))
