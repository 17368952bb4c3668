"""Foreign text made harmless, and the small words of the look: glyphs, ages, amounts. For terminals and phones."""

import re
from datetime import UTC, datetime

from locus.wire.tasks import BlockedReason, Priority, Status

# Whole sequences go, not only their first byte: CSI; strings (OSC, DCS, SOS, PM, APC) with their end; two-byte ones.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What turns the order of a line around, or cannot be seen at all: shown, so that it cannot deceive.
_DECEIVING = re.compile(
    r"[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)


def safe(text: str, *, lines: bool = False) -> str:
    """Text from elsewhere as it may be printed. Line breaks and tabs become blanks unless `lines`."""
    text = _CONTROL.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n")))
    text = _DECEIVING.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)
    return text if lines else text.replace("\n", " ").replace("\t", " ")


GLYPHS: dict[Status, str] = {
    Status.BACKLOG: "○",
    Status.IN_PROGRESS: "◐",
    Status.IN_REVIEW: "◉",
    Status.DONE: "✓",
    Status.BLOCKED: "!",
}
BARS: dict[Priority, str] = {Priority.LOW: "▁", Priority.MEDIUM: "▃", Priority.HIGH: "▅", Priority.CRITICAL: "▇"}
WORDS: dict[Status, str] = {
    Status.BACKLOG: "backlog",
    Status.IN_PROGRESS: "working",
    Status.IN_REVIEW: "review",
    Status.DONE: "done",
    Status.BLOCKED: "blocked",
}

WHY: dict[BlockedReason, str] = {
    BlockedReason.NO_CHANGE: "the agent finished and changed nothing",
    BlockedReason.ATTEMPTS_EXHAUSTED: "every attempt failed",
    BlockedReason.CHECKS_FAILED: "checks stay red",
    BlockedReason.NEEDS_INPUT: "needs an answer from you",
    BlockedReason.POLICY: "changes what only a person may change",
    BlockedReason.CONFLICT: "does not fit on the branch any more",
    BlockedReason.PUSH_REFUSED: "the remote refused the push",
    BlockedReason.DEPENDENCY: "waits for another task",
    BlockedReason.MANUAL: "a person blocked it",
}


def duration(seconds: float) -> str:
    """A length of time in at most two units: 4 s, 3 min 7 s, 30 min, 2 h 5 min, 3 d. Never 3:07, which may be hours."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 3600:
        return f"{whole // 60} min"  # seconds say nothing more
    if whole < 86_400:
        return _two(whole // 3600, "h", whole % 3600 // 60, "min")
    return f"{whole // 86_400} d"


def _two(much: int, unit: str, rest: int, smaller: str) -> str:
    return f"{much} {unit} {rest} {smaller}" if rest else f"{much} {unit}"


def ago(moment: datetime, *, now: datetime | None = None) -> str:
    """How long ago something was."""
    passed = ((now or datetime.now(UTC)) - moment).total_seconds()
    return "now" if passed < 5 else f"{duration(passed)} ago"


# Words that every text has and that say nothing of what it is about.
COMMON = """
    about after all also an and any are as at be because been before but by can could did do does each either else for
    from get had has have he her his how if in into is it its just let like make may more most must my need no not now
    of on one only or other our out over own same shall she should so some such than that the their them then there
    these they this those to too under until up us use used very was we were what when where which while who why will
    with would yes you your
"""
EMPTY = frozenset(COMMON.split())
