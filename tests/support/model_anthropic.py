"""The Messages API as far as claude uses it, answering by script."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.model_server import Breaks, Fails, Hangs, ModelHandler, ModelServer, Says

# What every answer is said to have cost, in tokens.
USAGE = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 500,
    "cache_read_input_tokens": 2000,
    "output_tokens": 30,
}

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class _Handler(ModelHandler):
    def is_main(self, path: str, body: Mapping[str, Any]) -> bool:
        return path == "/v1/messages" and bool(body.get("tools"))

    def error_body(self, step: Fails) -> Mapping[str, Any]:
        kind = ERROR_TYPES.get(step.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": f"scripted {step.status}"}}

    def answer(self, body: Mapping[str, Any], step: Says | Hangs | Breaks) -> None:
        # After a broken stream the agent asks once more without streaming: that is broken, too.
        if not body.get("stream") and not isinstance(step, Says):
            self.break_off()
            return
        said = step if isinstance(step, Says) else Says(step.text if isinstance(step, Breaks) else step.after)
        message = {
            "id": f"msg_{uuid.uuid4().hex[:16]}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model"),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**USAGE, "output_tokens": 1},
        }
        stop_reason = said.stop_reason or ("tool_use" if said.tools else "end_turn")
        blocks = list(_blocks(said))
        if not body.get("stream"):
            self.send_json(200, {**message, "content": blocks, "stop_reason": stop_reason, "usage": USAGE})
            return
        self.start_stream(said.headers)
        self.send_event("message_start", {"message": message})
        for index, block in enumerate(blocks):
            self._start_block(index, block)
            if isinstance(step, Hangs):
                self.fall_silent()
                return
            if isinstance(step, Breaks):
                self.break_off()
                return
            self.send_event("content_block_stop", {"index": index})
        self.send_event("message_delta", {"delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": USAGE})
        self.send_event("message_stop", {})
        self.end_stream()

    def _start_block(self, index: int, block: Mapping[str, Any]) -> None:
        if block["type"] == "text":
            empty: Mapping[str, Any] = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        elif block["type"] == "thinking":
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            delta = {"type": "thinking_delta", "thinking": block["thinking"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        self.send_event("content_block_start", {"index": index, "content_block": empty})
        self.send_event("content_block_delta", {"index": index, "delta": delta})


def _blocks(said: Says) -> Iterator[Mapping[str, Any]]:
    if said.thinking:
        yield {"type": "thinking", "thinking": said.thinking, "signature": "scripted"}
    if said.text:
        yield {"type": "text", "text": said.text}
    for call in said.tools:
        yield {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:16]}", "name": call.name, "input": call.input}


class AnthropicModel(ModelServer):
    handler = _Handler
