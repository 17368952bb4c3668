"""What codex prints, and what it means. Known from 0.169.0; every field may be missing."""

# No `from __future__ import annotations`: msgspec reads them.

import re
import shlex

import msgspec

from locus.local.process import Exit
from locus.local.providers.base import (
    Ask,
    Ending,
    Event,
    Finished,
    Notice,
    SessionStarted,
    Spent,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
    Turn,
    Usage,
    one_line,
)
from locus.local.providers.codex_rollout import Failure, Follower, Record, Rollouts, Tokens

DETAIL_LIMIT = 2000  # characters


class _Change(msgspec.Struct):
    path: str = ""


class _Item(msgspec.Struct):
    id: str = ""
    type: str = ""
    text: str = ""
    message: str = ""
    command: str = ""
    exit_code: int | None = None
    status: str = ""
    changes: list[_Change] = msgspec.field(default_factory=list)
    server: str = ""
    tool: str = ""
    query: str = ""


class _Error(msgspec.Struct):
    message: str = ""


class _Line(msgspec.Struct):
    type: str = ""
    thread_id: str | None = None
    item: _Item | None = None
    usage: Tokens | None = None
    error: _Error | None = None
    message: str = ""


# How codex itself names what went wrong, in its record of the conversation.
BY_KIND = {
    "usage_limit_exceeded": Ending.USAGE_LIMIT,
    "unauthorized": Ending.NOT_SIGNED_IN,
    "model_not_found": Ending.MISCONFIGURED,
    "server_overloaded": Ending.PROVIDER_DOWN,
    "internal_server_error": Ending.PROVIDER_DOWN,
    "http_connection_failed": Ending.PROVIDER_DOWN,
    "response_stream_connection_failed": Ending.PROVIDER_DOWN,
    "response_stream_disconnected": Ending.PROVIDER_DOWN,
    "response_too_many_failed_attempts": Ending.PROVIDER_DOWN,
    "cyber_policy": Ending.REFUSED,
}
BY_STATUS = {401: Ending.NOT_SIGNED_IN, 403: Ending.NOT_SIGNED_IN, 402: Ending.NO_CREDIT}

# The last resort, when there is no record: the stream itself has nothing but sentences for people. Whether an allowance
# is used up, and until when, is never read from them: nobody waits for hours because of a sentence.
TOO_LONG = ("ran out of room in the model's context window", "context_length_exceeded")
BY_WORDS = (
    ("hit your usage limit", Ending.PROVIDER_DOWN),
    ("Quota exceeded", Ending.NO_CREDIT),
    ("Missing environment variable", Ending.NOT_SIGNED_IN),
    ("status 401", Ending.NOT_SIGNED_IN),
    ("status 403", Ending.NOT_SIGNED_IN),
    ("does not exist or you do not have access", Ending.MISCONFIGURED),
    ("exceeded retry limit", Ending.PROVIDER_DOWN),
    ("high demand", Ending.PROVIDER_DOWN),
    ("at capacity", Ending.PROVIDER_DOWN),
    ("stream disconnected", Ending.PROVIDER_DOWN),
    ("Connection failed", Ending.PROVIDER_DOWN),
)
STATUS_IN_WORDS = re.compile(r"unexpected status 5\d\d")


class CodexReader:
    """Reads one run of one conversation."""

    def __init__(self, ask: Ask, rollouts: Rollouts) -> None:
        self._ask = ask
        self._rollouts = rollouts
        # Codex counts whole conversations; this run's part is what came after now.
        recorded = rollouts.record(ask.session).used if ask.session is not None else None
        self._before = recorded or ask.usage_before or Usage()
        self._thread: str | None = None
        self._turns = 0
        self._follower = Follower(rollouts, ask.session)
        self._told = 0  # of the recorded answers, those that were told as spent
        self._groups = 0  # of tools that the model has used: without a record, each is an answer
        self._open: set[str] = set()
        self._total = Usage()
        self._completed = False
        self._failed = False
        self._words = ""
        self._unread = 0

    def read(self, line: bytes) -> list[Event]:
        try:
            read = msgspec.json.decode(line, type=_Line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._unread += 1
            return []
        match read.type:
            case "thread.started" if read.thread_id is not None:
                self._thread = read.thread_id
                return [SessionStarted(read.thread_id, self._ask.model)]
            case "turn.started":
                self._completed = self._failed = False
                return self._answering()
            case "turn.completed":
                self._completed = True
                self._total = (read.usage or Tokens()).usage()
                return [self._total.since(self._before)]
            case "turn.failed":
                self._failed = True
                self._words = read.error.message if read.error is not None else ""
            case "error":
                # A retry, mostly; the end of a turn is told by another line.
                self._words = read.message
                return [Notice(one_line(read.message))]
            case "item.started" if read.item is not None:
                return self._started(read.item)
            case "item.completed" if read.item is not None:
                return self._item(read.item)
        return []

    def _started(self, item: _Item) -> list[Event]:
        tool = self._tool(item)
        if tool is None:
            return []
        begun = [*self._recorded(self._groups + 1), *self._answering()] if not self._open else []
        self._open.add(item.id)
        return [*begun, tool]

    def _answering(self) -> list[Event]:
        """The model answers, for the first time or after it has used tools; where answers are recorded, these count."""
        if self._turns > self._groups or (self._turns and self._follower.answers):
            return []
        self._turns = self._groups + 1
        return [Turn(self._turns)]

    def _used_tools(self) -> list[Event]:
        """The tools of an answer are done, and the model will be asked for another one, or has given it already."""
        self._groups += 1
        events = self._recorded(self._groups)
        told = any(isinstance(event, Spent) for event in events)
        return events if told or self._follower.answers > self._groups else [*events, self._spent()]

    def _recorded(self, wanting: int) -> list[Event]:
        """What is recorded since the last look; an answer may be there before its tools are done, or a moment after.

        So many answers are known to want another one, by the tools that they use. One more may be recorded already; it
        is spent when its own tools begin, for it may as well be the last.
        """
        if self._thread is None:
            return []
        self._follower.look(self._thread)
        before, self._turns = self._turns, max(self._turns, self._follower.answers)
        turns = [Turn(number) for number in range(before + 1, self._turns + 1)]
        return [*turns, *([self._spent()] if self._told < self._follower.answers <= wanting else [])]

    def _spent(self) -> Spent:
        self._told = self._follower.answers
        return Spent(self._follower.usage, self._follower.model)

    def _item(self, item: _Item) -> list[Event]:
        match item.type:
            case "agent_message":
                return [*self._answering(), *([Text(item.text)] if item.text else [])]
            case "reasoning":
                return [Thinking(item.text)]
            case "error":
                return [Notice(one_line(item.message))]
        if self._tool(item) is None:
            return []
        begun = [] if item.id in self._open else self._started(item)
        self._open.discard(item.id)
        ok = item.status != "failed" and item.exit_code in (None, 0)
        return [*begun, ToolFinished(item.id, ok), *(self._used_tools() if not self._open else [])]

    def _tool(self, item: _Item) -> ToolStarted | None:
        match item.type:
            case "command_execution":
                return ToolStarted(item.id, "shell", one_line(_without_shell(item.command)))
            case "file_change":
                paths = (change.path.removeprefix(f"{self._ask.cwd}/") for change in item.changes)
                return ToolStarted(item.id, "edit", one_line(", ".join(paths)))
            case "mcp_tool_call":
                return ToolStarted(item.id, item.tool, one_line(f"{item.server} {item.tool}"))
            case "web_search":
                return ToolStarted(item.id, "web_search", one_line(item.query))
            case "collab_tool_call":
                return ToolStarted(item.id, item.tool, "")
        return None

    def finish(self, exit: Exit, stderr_tail: str) -> Finished:
        record = self._rollouts.record(self._thread) if self._thread is not None else Record()
        ending, detail = self._judge(exit, stderr_tail.strip()[-DETAIL_LIMIT:], record.failure)
        limit = record.limit
        limited = ending is Ending.USAGE_LIMIT and limit is not None and limit.rejected
        total = record.used or self._total
        if self._thread is not None:
            self._follower.look(self._thread)
        return Finished(
            ending=ending,
            detail=detail,
            session=None if ending is Ending.SESSION_LOST else self._thread,
            usage=total.since(self._before),
            turns=max(self._turns, self._follower.answers),
            resets_at=limit.resets_at if limited and limit is not None else None,
            exit=exit,
            limit=limit,
            unread_lines=self._unread,
            model=self._follower.model or self._ask.model,
            too_long=ending is Ending.FAILED and any(words in detail for words in TOO_LONG),
        )

    def _judge(self, exit: Exit, stderr: str, failure: Failure | None) -> tuple[Ending, str]:
        words = self._words[:DETAIL_LIMIT]
        if self._thread is None and exit.code is not None and exit.code > 0:
            lost = self._ask.session is not None and "no rollout found" in stderr
            return (Ending.SESSION_LOST if lost else Ending.MISCONFIGURED), stderr or f"It ended with {exit}."
        if self._thread is not None and self._ask.session not in (None, self._thread):
            return Ending.SESSION_LOST, "It went on with another conversation than it was asked to."
        if self._failed:
            return _why(failure, words), words
        if not self._completed:
            return Ending.CRASHED, f"It ended with {exit} in the middle of a turn.\n{stderr}".strip()
        if not exit.ok:
            return Ending.FAILED, f"It said it was done, but ended with {exit}.\n{stderr}".strip()
        return Ending.DONE, ""


def _why(failure: Failure | None, words: str) -> Ending:
    if failure is not None:
        by_status = BY_STATUS.get(failure.status) if failure.status is not None else None
        known = by_status or BY_KIND.get(failure.kind)
        if known is not None:
            return known
    for part, ending in BY_WORDS:
        if part in words:
            return ending
    return Ending.PROVIDER_DOWN if STATUS_IN_WORDS.search(words) else Ending.FAILED


def _without_shell(command: str) -> str:
    """Return the command inside `/bin/bash -lc '…'`."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    return words[2] if len(words) == 3 and words[1] in ("-c", "-lc") else command
