"""The lines that claude prints, as far as we read them.

Two forms are known, of 2.1.197 and 2.1.330. Every field may be missing: what is not there says nothing.
"""

# No `from __future__ import annotations`: msgspec reads them.

from typing import Any

import msgspec
from msgspec.structs import replace

from locus.local.providers.base import Usage

WORDS_LIMIT = 2000  # characters


class Kind(msgspec.Struct):
    type: str = ""
    subtype: str | None = None


class Init(msgspec.Struct):
    session_id: str
    model: str | None = None


class Tokens(msgspec.Struct):
    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0

    def usage(self) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens,
            cached_tokens=self.cache_read_input_tokens,
            output_tokens=self.output_tokens,
            written_tokens=self.cache_creation_input_tokens,
        )


class ModelTokens(msgspec.Struct, rename="camel"):
    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = msgspec.field(name="costUSD", default=0.0)

    def usage(self) -> Usage:
        tokens = Tokens(
            self.input_tokens,
            self.cache_creation_input_tokens,
            self.cache_read_input_tokens,
            self.output_tokens,
        )
        return replace(tokens.usage(), usd=self.cost_usd)


class Block(msgspec.Struct):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, Any] = msgspec.field(default_factory=dict)
    tool_use_id: str = ""
    is_error: bool | None = None


class Message(msgspec.Struct):
    id: str = ""
    content: list[Block] | str = ""
    usage: Tokens | None = None


class Said(msgspec.Struct):
    """A line of type assistant or user; one per content block."""

    message: Message
    parent_tool_use_id: str | None = None
    error: str | None = None


class Retry(msgspec.Struct):
    attempt: int = 0
    max_retries: int = 0
    retry_delay_ms: float = 0.0
    error_status: int | None = None


class Denied(msgspec.Struct):
    tool_name: str = "a tool"
    message: str = ""


class Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class LaterTokens(msgspec.Struct):
    """What an answer took, told at its end; what is not told is as it was at its beginning."""

    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None

    def after(self, first: Tokens) -> Tokens:
        later = {name: value for name in first.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(first, **later)


class Raw(msgspec.Struct):
    """An event of the model's service, as it sent it."""

    type: str = ""
    content_block: Block = msgspec.field(default_factory=lambda: Block(type=""))
    delta: Delta = msgspec.field(default_factory=Delta)
    message: Message = msgspec.field(default_factory=Message)
    usage: LaterTokens = msgspec.field(default_factory=LaterTokens)


class Partial(msgspec.Struct):
    event: Raw
    parent_tool_use_id: str | None = None


class Informational(msgspec.Struct):
    content: str = ""


class LimitInfo(msgspec.Struct, rename="camel"):
    status: str = ""
    resets_at: float | None = None
    rate_limit_type: str = ""
    utilization: float | None = None
    unified_windows: dict[str, "Window"] = msgspec.field(default_factory=dict)


class Window(msgspec.Struct):
    utilization: float | None = None


class LimitLine(msgspec.Struct):
    rate_limit_info: LimitInfo


class Result(msgspec.Struct):
    is_error: bool
    subtype: str = ""
    session_id: str | None = None
    result: str | None = None
    errors: list[str] = msgspec.field(default_factory=list)
    num_turns: int = 0
    stop_reason: str | None = None
    terminal_reason: str | None = None
    api_error_status: int | None = None
    api_error: str | None = None
    total_cost_usd: float | None = None
    usage: Tokens = msgspec.field(default_factory=Tokens)
    model_usage_since_last_result: dict[str, ModelTokens] | None = None
    structured_output: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)

    @property
    def words(self) -> str:
        return (self.result or "; ".join(self.errors))[:WORDS_LIMIT]
