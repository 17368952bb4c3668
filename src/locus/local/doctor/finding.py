"""What the doctor says: one finding per thing looked at."""

from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"  # Locus works, but not all of it, or not for long
    FAILED = "failed"  # `locus run` would fail


class Finding(Struct, frozen=True):
    """What was looked at, what was found, and what to do about it."""

    subject: str
    level: Level
    says: str
    remedy: str | None = None


def ok(subject: str, says: str) -> Finding:
    return Finding(subject, Level.OK, says)


def warning(subject: str, says: str, remedy: str | None = None) -> Finding:
    return Finding(subject, Level.WARNING, says, remedy)


def failed(subject: str, says: str, remedy: str | None = None) -> Finding:
    return Finding(subject, Level.FAILED, says, remedy)
