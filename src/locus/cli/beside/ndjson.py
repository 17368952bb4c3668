"""The protocol of `--json-stream`, version 1: one JSON object a line, for editors and other programs.

What holds on every path, also when a signal comes or nothing could be started: `start` is the first line and there is
one; `done` is the last line and there is one; every `tool_started` is followed by its `tool_completed`; after an
`error` nothing says success. docs/json-stream.md has the fields.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct, field

from locus.cli.output import harmless_json
from locus.local.providers.base import (
    Ending,
    Event,
    Finished,
    Limit,
    Notice,
    Text,
    TextPart,
    Thinking,
    ToolFinished,
    ToolStarted,
)
from locus.local.sessions.shelf import new_id

PROTOCOL = 1
USAGE = 2
LINE, PARAGRAPH = "\n", "\n\n"
# The words of version 1. What is none of them is UNKNOWN; `details.ending` says it in our own words.
CODES: dict[Ending, str] = {
    Ending.MISSING: "CLI_NOT_FOUND",
    Ending.NOT_SIGNED_IN: "AUTH_EXPIRED",
    Ending.PROVIDER_DOWN: "NETWORK_TIMEOUT",
    Ending.CRASHED: "PROCESS_CRASHED",
    Ending.SESSION_LOST: "SESSION_NOT_FOUND",
}
# What trying the same again, later or with another setting, may mend.
RECOVERABLE = frozenset(
    {Ending.NOT_SIGNED_IN, Ending.PROVIDER_DOWN, Ending.USAGE_LIMIT, Ending.SILENT, Ending.WALL_LIMIT, Ending.BUDGET}
)


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


class Stream(Struct):
    """One stream from `start` to `done`. What is told in a wrong place is not said rather than said wrongly."""

    session: str
    write: Callable[[str], None] = _write
    now: Callable[[], float] = time.time
    began: float = field(default_factory=time.monotonic)
    started: bool = False
    over: bool = False
    failed: bool = False
    _open: dict[str, tuple[str, float]] = field(default_factory=dict)  # tool id: name, when
    _tools: dict[str, None] = field(default_factory=dict)  # names, in the order of their first use
    _streaming: bool = False
    _parts: str = ""  # of a text that has not been told whole yet
    _before: str = ""  # what stands between the text before and the next one

    def start(self, *, provider: str | None, model: str | None, cwd: str) -> None:
        if self.started:
            return
        self.started = True
        self._say("start", {"command": "exec", **_known(provider=provider, model=model), "cwd": cwd})

    def status(self, status: str, message: str) -> None:
        self._say("status", {"status": status, "message": message})

    def tell(self, event: Event) -> None:
        """Say what an event of an agent means; of Finished, everything but `done`."""
        match event:
            case TextPart(text=text):
                self._text(text)
                self._parts += text
            case Text(text=text, line=line):
                goes_on = self._parts and text.startswith(self._parts)
                self._text(text.removeprefix(self._parts) if goes_on else text, line=line)
                self._parts = ""
                self._before = LINE if line else PARAGRAPH
            case Thinking(text=text):
                self._say("thinking", _known(content=text or None))
            case ToolStarted(id=tool_id, name=name, summary=summary):
                self._begin(tool_id, name, summary)
            case ToolFinished(id=tool_id, ok=ok):
                self._complete(tool_id, ok=ok)
            case Notice(text=text):
                self.status("notice", text)
            case Limit(rejected=True):
                self.status("limit", "The account's allowance is used up.")
            case Finished():
                self._finish(event)

    def error(
        self, code: str, message: str, *, recoverable: bool = False, details: dict[str, Any] | None = None
    ) -> None:
        """Say what went wrong; from here on nothing says success. Tools that were at work are completed first."""
        self._complete_all("The run ended before the tool did.")
        self.failed = True
        told = {"code": code, "message": message, **_known(details=details), "recoverable": recoverable}
        self._say("error", {"error": told})

    def done(self, exit_code: int, *, tokens: int | None = None) -> None:
        """Say the last word, once."""
        if self.over or not self.started:
            return
        self._complete_all("The run ended before the tool did.")
        payload: dict[str, Any] = {
            "exitCode": exit_code,
            "duration": round((time.monotonic() - self.began) * 1000),
            "toolsUsed": list(self._tools),
            **_known(tokensUsed=tokens),
            "success": exit_code == 0 and not self.failed,
        }
        self._say("done", payload)
        self.over = True

    def _text(self, text: str, *, line: bool = False) -> None:
        if not text:
            return
        # Texts follow each other; who puts the pieces together sees where one ended.
        text = f"{LINE if line and self._before else self._before}{text}"
        self._before = ""
        if not self._streaming:
            self._streaming = True
            self.status("streaming", "Streaming AI response")
        self._say("text_delta", {"content": text})

    def _begin(self, tool_id: str, name: str, summary: str) -> None:
        if tool_id in self._open:
            return
        self._open[tool_id] = (name, time.monotonic())
        self._tools[name] = None
        self._say("tool_started", {"tool": name, "toolId": tool_id, "parameters": {"summary": summary}})

    def _complete(self, tool_id: str, *, ok: bool, why: str | None = None) -> None:
        if tool_id not in self._open:
            return
        name, since = self._open.pop(tool_id)
        lasted = round((time.monotonic() - since) * 1000)
        told = {"tool": name, "toolId": tool_id, "success": ok, "duration": lasted, **_known(error=why)}
        self._say("tool_completed", told)

    def _complete_all(self, why: str) -> None:
        for tool_id in list(self._open):
            self._complete(tool_id, ok=False, why=why)

    def _finish(self, finished: Finished) -> None:
        ending = finished.ending
        if ending is Ending.DONE:
            return
        if ending is Ending.STOPPED:
            self._complete_all("It was interrupted.")
            self.failed = True
            self.status("interrupted", "The run was interrupted; its session can be gone on with.")
            return
        details: dict[str, Any] = {"ending": ending.value}
        if finished.resets_at is not None:
            details["resetsAt"] = round(finished.resets_at.timestamp() * 1000)
        message = finished.detail.strip() or f"The agent ended: {ending.value}."
        code = CODES.get(ending, "UNKNOWN")
        if finished.too_long:
            code = "CONTEXT_LIMIT"
        elif ending is Ending.CRASHED and finished.unread_lines and finished.exit is not None and finished.exit.ok:
            code = "MALFORMED_EVENT"  # it ended well, and what it printed is nothing that we can read
        self.error(code, message, recoverable=ending in RECOVERABLE, details=details)

    def _say(self, kind: str, payload: dict[str, Any]) -> None:
        if self.over or not self.started:
            return
        line = {
            "protocol": PROTOCOL,
            "type": kind,
            "sessionId": self.session,
            "timestamp": round(self.now() * 1000),
            "payload": payload,
        }
        self.write(harmless_json(msgspec.json.encode(line).decode()) + "\n")


def never_begun(exit_code: int, cwd: Path, wrong: Exception | None = None) -> None:
    """The whole stream of a command that was wrong, or was interrupted, before there was anything to stream."""
    stream = Stream(new_id())
    stream.start(provider=None, model=None, cwd=str(cwd))
    if wrong is None:
        stream.status("interrupted", "The run was interrupted.")
    else:
        message = wrong.format_message() if isinstance(wrong, click.ClickException) else str(wrong)
        stream.error("UNKNOWN", message, details={"ending": "usage"} if exit_code == USAGE else None)
    stream.done(exit_code)


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
