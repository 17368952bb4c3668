"""What claude's lines mean: the events of a run, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from locus.local.process import Exit
from locus.local.providers import claude_asking
from locus.local.providers.asking import Listening
from locus.local.providers.base import (
    AnswerPart,
    Ask,
    Ending,
    Event,
    Finished,
    Heard,
    Limit,
    Notice,
    SessionStarted,
    Spent,
    Text,
    TextPart,
    Thinking,
    ToolFinished,
    ToolStarted,
    Turn,
    Usage,
    moment,
    one_line,
)
from locus.local.providers.claude_lines import (
    Block,
    Delta,
    Denied,
    Informational,
    Init,
    Kind,
    LimitLine,
    Message,
    Partial,
    Result,
    Retry,
    Said,
    Tokens,
    Window,
)

DETAIL_LIMIT = 2000  # characters
ANSWER = "StructuredOutput"  # the tool by which it hands in what answers a schema

# The kind of an API error, as the assistant line that reports it names it.
BY_ERROR = {
    "authentication_failed": Ending.NOT_SIGNED_IN,
    "oauth_org_not_allowed": Ending.NOT_SIGNED_IN,
    "billing_error": Ending.NO_CREDIT,
    "model_not_found": Ending.MISCONFIGURED,
    "rate_limit": Ending.PROVIDER_DOWN,
    "overloaded": Ending.PROVIDER_DOWN,
    "server_error": Ending.PROVIDER_DOWN,
    "invalid_request": Ending.FAILED,
}
BY_SUBTYPE = {"error_max_turns": Ending.BUDGET, "error_max_budget_usd": Ending.BUDGET}
BY_TERMINAL_REASON = {"aborted_tools": Ending.STOPPED, "aborted_streaming": Ending.STOPPED}


class ClaudeReader:
    """Reads one run. Nothing of a sub-agent is told, only counted."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._session: str | None = None
        self._model = ask.model
        self._turns = 0
        self._messages: dict[str, Tokens] = {}
        self._streaming = ""  # the answer that comes in parts
        self._answering = False  # whether the part of it that comes is the one that answers the schema
        self._error: str | None = None
        self._limit: Limit | None = None
        self._result: Result | None = None
        self._measured = Usage()
        self._unread = 0

    def read(self, line: bytes) -> Sequence[Heard]:
        try:
            kind = msgspec.json.decode(line, type=Kind)
            match kind.type, kind.subtype:
                case "system", "init":
                    return self._init(line)
                case "system", "api_retry":
                    return self._retry(line)
                case "system", "permission_denied":
                    return self._denied(line)
                case "system", "informational":
                    return self._informational(line)
                case "assistant", _:
                    return self._assistant(line)
                case "stream_event", _:
                    return self._partial(line)
                case "user", _:
                    return self._user(line)
                case "rate_limit_event", _:
                    return self._rate_limit(line)
                case "result", _:
                    return (
                        self._result_line(line) if self._ask.asking is None else [*self._result_line(line), Listening()]
                    )
                case "control_request", _ if self._ask.asking is not None:
                    return claude_asking.wanted(line)
                case _:  # new kinds come with every version
                    return []
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._unread += 1
            return []

    def _init(self, line: bytes) -> list[Event]:
        init = msgspec.json.decode(line, type=Init)
        if init.session_id == self._session:  # it is printed anew before every turn of one process
            return []
        self._session, self._model = init.session_id, init.model
        return [SessionStarted(init.session_id, init.model)]

    def _assistant(self, line: bytes) -> list[Event]:
        said = msgspec.json.decode(line, type=Said)
        message = said.message
        is_ours = said.parent_tool_use_id is None
        if is_ours and said.error is not None:
            self._error = said.error
            return [Notice(one_line(block.text)) for block in _blocks(message) if block.text]
        events = self._begins(message, is_ours=is_ours)
        if is_ours:
            events += [event for block in _blocks(message) for event in self._block(block)]
        goes_on = not is_ours or any(block.type == "tool_use" for block in _blocks(message))
        if goes_on and message.id != self._streaming:  # of one that streams, the end says what it took
            events.append(Spent(self._usage()))
        return events

    def _begins(self, message: Message, *, is_ours: bool) -> list[Event]:
        """The model begins an answer, unless this is more of one that has begun."""
        if message.id in self._messages:
            return []
        self._messages[message.id] = message.usage or Tokens()
        if not is_ours:
            return [self._usage()]
        self._turns += 1
        return [Turn(self._turns), self._usage()]

    def _partial(self, line: bytes) -> list[Event]:
        partial = msgspec.json.decode(line, type=Partial)
        event = partial.event
        if partial.parent_tool_use_id is not None:
            return []
        match event.type:
            case "message_start":
                self._streaming = event.message.id
                return self._begins(event.message, is_ours=True)
            case "message_delta" if self._streaming in self._messages:
                self._messages[self._streaming] = event.usage.after(self._messages[self._streaming])
                return [Spent(self._usage())] if event.delta.stop_reason == "tool_use" else []
            case "content_block_start":
                block = event.content_block
                self._answering = (block.type, block.name) == ("tool_use", ANSWER)
                return [Thinking()] if block.type == "thinking" else []
        match event.delta:
            case Delta(type="text_delta", text=text) if text:
                return [TextPart(text)]
            case Delta(type="thinking_delta", thinking=text) if text:
                return [Thinking(text)]
            case Delta(type="input_json_delta", partial_json=text) if text and self._answering:
                return [AnswerPart(text)]
        return []

    def _block(self, block: Block) -> list[Event]:
        if block.type == "text" and block.text:
            return [Text(block.text)]
        if block.type == "tool_use":
            return [ToolStarted(block.id, block.name, _summary(block.input, self._ask.cwd))]
        return []

    def _user(self, line: bytes) -> list[Event]:
        said = msgspec.json.decode(line, type=Said)
        if said.parent_tool_use_id is not None:
            return []
        return [
            ToolFinished(block.tool_use_id, not block.is_error)
            for block in _blocks(said.message)
            if block.type == "tool_result"
        ]

    def _retry(self, line: bytes) -> list[Event]:
        retry = msgspec.json.decode(line, type=Retry)
        what = "did not answer" if retry.error_status is None else f"answered {retry.error_status}"
        when = f"in {retry.retry_delay_ms / 1000:.0f} s ({retry.attempt} of {retry.max_retries})"
        return [Notice(f"The model's service {what}; trying again {when}.")]

    def _denied(self, line: bytes) -> list[Event]:
        denied = msgspec.json.decode(line, type=Denied)
        return [Notice(f"{denied.tool_name} was not allowed. {one_line(denied.message)}".strip())]

    def _informational(self, line: bytes) -> list[Event]:
        return [Notice(one_line(msgspec.json.decode(line, type=Informational).content))]

    def _rate_limit(self, line: bytes) -> list[Event]:
        info = msgspec.json.decode(line, type=LimitLine).rate_limit_info
        window = info.unified_windows.get(info.rate_limit_type, Window())
        self._limit = Limit(
            kind=info.rate_limit_type,
            resets_at=moment(info.resets_at),
            rejected=info.status == "rejected",
            utilization=window.utilization if info.utilization is None else info.utilization,
        )
        return [self._limit]

    def _result_line(self, line: bytes) -> list[Event]:
        # There may be several in one run: each closes a turn of the process, and the last one counts.
        result = msgspec.json.decode(line, type=Result)
        self._session = result.session_id or self._session
        if not result.is_error:
            self._error = None
        self._measured += self._usage_of(result)
        self._result = result
        self._messages = {message: Tokens() for message in self._messages}
        return [self._measured]

    def _usage(self) -> Usage:
        """What was measured up to the last result, and what is known of answers since."""
        usage = self._measured
        for tokens in self._messages.values():
            usage += tokens.usage()
        return usage

    def _usage_of(self, result: Result) -> Usage:
        if (models := result.model_usage_since_last_result) is not None:
            # With sub-agents, and of this run only: `modelUsage` and the cost go on from earlier runs of the session.
            total = Usage(usd=0.0)
            for model in models.values():
                total += model.usage()
            return total
        usd = result.total_cost_usd
        if usd is not None:  # a total of the process so far
            usd = max(usd - (self._measured.usd or 0.0), 0.0)
        return replace(result.usage.usage(), usd=usd)

    def finish(self, exit: Exit, stderr_tail: str) -> Finished:
        ending, detail = self._judge(exit, stderr_tail.strip()[-DETAIL_LIMIT:])
        return Finished(
            ending=ending,
            detail=detail,
            session=None if ending is Ending.SESSION_LOST else self._session,
            usage=self._usage(),
            turns=self._turns,
            resets_at=self._limit.resets_at if self._limit and ending is Ending.USAGE_LIMIT else None,
            exit=exit,
            limit=self._limit,
            unread_lines=self._unread,
            structured=_structured(self._result),
            model=self._model,
            too_long=_too_long(self._result),
        )

    def _judge(self, exit: Exit, stderr: str) -> tuple[Ending, str]:
        result = self._result
        if result is None and self._session is None and exit.code is not None and 0 < exit.code < 128:
            return Ending.MISCONFIGURED, stderr or f"It ended with {exit} before it began."
        if result is None:
            # An interrupt before the first answer ends it with exit code 0 and without a word.
            return Ending.CRASHED, f"It ended with {exit} and without a result.\n{stderr}".strip()
        if result.is_error:
            return self._judge_error(result), result.words
        if not exit.ok:
            return Ending.FAILED, f"It said it was done, but ended with {exit}.\n{stderr}".strip()
        return Ending.DONE, result.words

    def _judge_error(self, result: Result) -> Ending:
        if self._ask.session is not None and self._turns == 0 and result.num_turns == 0:
            return Ending.SESSION_LOST
        if result.stop_reason == "refusal":
            return Ending.REFUSED
        limited = self._limit is not None and self._limit.rejected and result.api_error_status == 429
        if limited or result.api_error == "usage_limit_reached":
            return Ending.USAGE_LIMIT
        return (
            BY_SUBTYPE.get(result.subtype)
            or BY_TERMINAL_REASON.get(result.terminal_reason or "")
            or BY_ERROR.get(self._error or "")
            or _by_status(result.api_error_status)
        )


def _structured(result: Result | None) -> str | None:
    """The answer to the schema; none when the model never gave it, which claude does not call an error."""
    raw = bytes(result.structured_output) if result is not None else b""
    return raw.decode(errors="replace") if raw and raw != b"null" else None


def _too_long(result: Result | None) -> bool:
    """Whether the prompt did not fit; 2.1.197 says it in words alone."""
    if result is None or not result.is_error:
        return False
    return result.terminal_reason == "prompt_too_long" or result.words.startswith("Prompt is too long")


def _by_status(status: int | None) -> Ending:
    if status is not None and (status == 429 or status >= 500):
        return Ending.PROVIDER_DOWN
    return Ending.FAILED


def _blocks(message: Message) -> list[Block]:
    return message.content if isinstance(message.content, list) else []


def _summary(given: Mapping[str, Any], cwd: Path) -> str:
    """Say in a line what a tool is about to do; the order is from the telling to the vague."""
    for name in ("command", "file_path", "notebook_path", "pattern", "description", "path"):
        if isinstance(value := given.get(name), str):
            return one_line(value.removeprefix(f"{cwd}/"))
    return ""
