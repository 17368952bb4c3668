"""What codex writes about a conversation, in a file of its own, and does not print.

The format is internal: it tells why a turn failed, what was used, and how much of the allowance is left. Whoever
asks gets nothing when there is no such file or it has changed, and must do without.
"""

# No `from __future__ import annotations`: msgspec reads them.

import glob
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from locus.local.providers.base import Limit, Usage, moment

TAIL = 4 << 20  # bytes at the end of a file that are read; the end of a turn is in its last lines


class Tokens(msgspec.Struct):
    """How codex counts; input includes what was cached."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    output_tokens: int = 0

    def usage(self) -> Usage:
        return Usage(
            self.input_tokens,
            self.cached_input_tokens,
            self.output_tokens,
            written_tokens=self.cache_write_input_tokens,
        )


class _Payload(msgspec.Struct):
    type: str = ""


class _Line(msgspec.Struct):
    type: str = ""
    payload: msgspec.Raw = msgspec.Raw()


class _Info(msgspec.Struct):
    total_token_usage: Tokens | None = None


class _Answer(msgspec.Struct):
    """One answer of the model, recorded when it is complete."""

    usage: Tokens


class _Context(msgspec.Struct):
    model: str | None = None


class _Window(msgspec.Struct):
    used_percent: float = 0.0
    window_minutes: int | None = None
    resets_at: float | None = None


class _RateLimits(msgspec.Struct):
    primary: _Window | None = None
    secondary: _Window | None = None


class _TokenCount(msgspec.Struct):
    info: _Info | None = None
    rate_limits: _RateLimits | None = None


class _Error(msgspec.Struct):
    codex_error_info: str | dict[str, Any] | None = None


class _TaskComplete(msgspec.Struct):
    error: _Error | None = None


class Failure(Struct, frozen=True):
    """Why a turn failed: a word of codex's own, and the HTTP status where there was one."""

    kind: str
    status: int | None


class Record(Struct, frozen=True):
    """What the file says of a conversation up to now."""

    used: Usage | None = None
    """Of the whole conversation."""
    limit: Limit | None = None
    failure: Failure | None = None
    """Of the last turn, if it has ended."""


class Rollouts(Struct, frozen=True):
    """The conversations below one CODEX_HOME."""

    home: Path

    def record(self, thread: str) -> Record:
        """Return what is recorded of a conversation; an empty record when nothing can be read."""
        try:
            file = self.file(thread)
            return _record(_tail(file)) if file is not None else Record()
        except (OSError, ValueError):
            return Record()

    def file(self, thread: str) -> Path | None:
        """The record of a conversation. Raises OSError, and ValueError for what cannot be part of a name."""
        files = sorted((self.home / "sessions").glob(f"*/*/*/rollout-*-{glob.escape(thread)}.jsonl"))
        return files[-1] if files else None


class Follower:
    """Reads what is added to the record of a conversation while one run of it goes on."""

    def __init__(self, rollouts: Rollouts, resumed: str | None) -> None:
        self.answers = 0
        """How often the model has answered in this run."""
        self.usage = Usage()
        """What these answers took."""
        self.model: str | None = None
        self._rollouts = rollouts
        self._file: Path | None = None
        self._offset = 0
        if resumed is not None:
            try:
                self._file = rollouts.file(resumed)
                self._offset = self._file.stat().st_size if self._file is not None else 0
            except (OSError, ValueError):
                pass  # whoever cannot be read tells nothing

    def look(self, thread: str) -> bool:
        """Read on; whether another answer is complete."""
        before = self.answers
        try:
            self._file = self._file or self._rollouts.file(thread)
            if self._file is None:
                return False
            with self._file.open("rb") as opened:
                opened.seek(self._offset)
                read = opened.read(TAIL)
        except (OSError, ValueError):
            return False
        # The last line may not be written to its end, unless it is longer than anybody would want to read.
        whole = read.rfind(b"\n") + 1 or (len(read) if len(read) == TAIL else 0)
        self._offset += whole
        for line in read[:whole].splitlines():
            self._take(line)
        return self.answers > before

    def _take(self, line: bytes) -> None:
        try:
            outer = msgspec.json.decode(line, type=_Line)
            match outer.type:
                case "token_usage_record":
                    answer = msgspec.json.decode(outer.payload, type=_Answer)
                    self.answers += 1
                    self.usage += answer.usage.usage()
                case "turn_context":
                    self.model = msgspec.json.decode(outer.payload, type=_Context).model or self.model
        except (msgspec.MsgspecError, RecursionError):
            return


def _tail(file: Path) -> list[bytes]:
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(size - TAIL, 0))
        return opened.read(TAIL).splitlines()


def _record(lines: list[bytes]) -> Record:
    used = limit = failure = None
    for line in lines:
        try:
            outer = msgspec.json.decode(line, type=_Line)
            if outer.type != "event_msg":
                continue
            match msgspec.json.decode(outer.payload, type=_Payload).type:
                case "task_started":
                    failure = None
                case "token_count":
                    count = msgspec.json.decode(outer.payload, type=_TokenCount)
                    if count.info is not None and count.info.total_token_usage is not None:
                        used = count.info.total_token_usage.usage()
                    limit = _limit(count.rate_limits) or limit
                case "task_complete":
                    failure = _failure(msgspec.json.decode(outer.payload, type=_TaskComplete).error)
        except (msgspec.MsgspecError, RecursionError):
            continue
    return Record(used, limit, failure)


def _failure(error: _Error | None) -> Failure | None:
    if error is None:
        return None
    info = error.codex_error_info
    if isinstance(info, str):
        return Failure(info, None)
    for kind, more in (info or {}).items():
        status = more.get("http_status_code") if isinstance(more, dict) else None
        return Failure(kind, status if isinstance(status, int) else None)
    return None


def _limit(limits: _RateLimits | None) -> Limit | None:
    if limits is None:
        return None
    windows = [window for window in (limits.primary, limits.secondary) if window is not None]
    if not windows:
        return None
    # The fullest window is the one that matters; of two that are full, the one that stays so for longer.
    window = max(windows, key=lambda w: (w.used_percent, w.resets_at or 0.0))
    return Limit(
        kind="" if window.window_minutes is None else f"{window.window_minutes}_minutes",
        resets_at=moment(window.resets_at),
        rejected=window.used_percent >= 100,
        utilization=window.used_percent / 100,
    )
