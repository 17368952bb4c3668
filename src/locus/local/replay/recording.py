"""A recording: what each run of an agent printed, when, how it ended, and what it left in its tree.

A file of JSON lines, readable by its owner only: a heading, then a line for each run of an agent, in their order. The
program that plays it (play.py) reads the same file.
"""

import base64
from pathlib import Path

import msgspec
from msgspec import Struct

from locus.local.errors import LocalError

VERSION = 1


class Left(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A file as an agent has left it. `mode` is git's; without one the file is gone. `data` is base64."""

    path: str
    mode: str | None = None
    data: str = ""

    @classmethod
    def of(cls, path: str, *, mode: str, content: bytes) -> "Left":
        return cls(path=path, mode=mode, data=base64.b64encode(content).decode("ascii"))


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an agent. `lines` are seconds since its start and what it printed then."""

    lines: list[tuple[float, str]]
    seconds: float
    code: int | None
    signal: int | None
    stderr: str
    left: list[Left]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole recording is of."""

    locus_recording: int
    provider: str
    locus_version: str


class Recording(Struct, frozen=True):
    path: Path
    heading: Heading
    takes: tuple[Take, ...]


def load(path: Path) -> Recording:
    """Read a recording. Raises LocalError when it is none, or of a newer version."""
    try:
        first, *rest = path.read_bytes().splitlines()
        heading = msgspec.json.decode(first, type=Heading)
        takes = tuple(msgspec.json.decode(line, type=Take) for line in rest)
    except OSError as e:
        raise LocalError(f"{path} cannot be read: {e.strerror}.", remedy="Make one: locus run --record FILE") from e
    except (ValueError, msgspec.DecodeError) as e:
        raise LocalError(f"{path} is not a recording.", remedy="Make one: locus run --record FILE") from e
    if heading.locus_recording != VERSION:
        raise LocalError(f"{path} was made by a newer Locus ({heading.locus_version}).", remedy="Upgrade.")
    if not takes:
        raise LocalError(f"{path} has no run of an agent in it.", remedy="Record one: locus run --record FILE")
    return Recording(path.absolute(), heading, takes)
