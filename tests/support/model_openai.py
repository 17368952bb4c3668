"""The Responses API as far as codex uses it, answering by script."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.model_server import Breaks, Fails, Hangs, ModelHandler, ModelServer, Says, ToolCall

# What every answer is said to have cost, in tokens.
USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 800},
    "output_tokens": 40,
    "output_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 1040,
}

ERRORS = {
    400: ("invalid_request_error", "unsupported_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
}


class _Handler(ModelHandler):
    def is_main(self, path: str, body: Mapping[str, Any]) -> bool:
        return path.endswith("/responses") and bool(body.get("tools"))

    def error_body(self, step: Fails) -> Mapping[str, Any]:
        kind, code = ERRORS.get(step.status, ("server_error", None))
        return {"error": {"message": f"scripted {step.status}", "type": kind, "param": None, "code": code}}

    def answer(self, body: Mapping[str, Any], step: Says | Hangs | Breaks) -> None:
        said = step if isinstance(step, Says) else Says(step.text if isinstance(step, Breaks) else step.after)
        items = list(_items(said))
        response = {"id": f"resp_{uuid.uuid4().hex[:16]}", "object": "response", "model": body.get("model")}
        self.start_stream(said.headers)
        self.send_event("response.created", {"response": {**response, "status": "in_progress", "output": []}})
        for index, item in enumerate(items):
            if item["type"] == "message":
                self._begin_message(index, item)
            if isinstance(step, Hangs):
                self.fall_silent()
                return
            if isinstance(step, Breaks):
                self.break_off()
                return
            self.send_event("response.output_item.done", {"output_index": index, "item": item})
        completed = {**response, "status": "completed", "output": items, "usage": USAGE}
        self.send_event("response.completed", {"response": completed})
        self.end_stream()

    def _begin_message(self, index: int, item: Mapping[str, Any]) -> None:
        started = {**item, "status": "in_progress", "content": []}
        self.send_event("response.output_item.added", {"output_index": index, "item": started})
        where = {"item_id": item["id"], "output_index": index, "content_index": 0}
        self.send_event("response.output_text.delta", {**where, "delta": item["content"][0]["text"]})


def _items(said: Says) -> Iterator[dict[str, Any]]:
    if said.thinking:
        summary = [{"type": "summary_text", "text": said.thinking}]
        yield {"type": "reasoning", "id": f"rs_{uuid.uuid4().hex[:16]}", "summary": summary, "content": []}
    if said.text:
        content = [{"type": "output_text", "text": said.text, "annotations": []}]
        yield {"type": "message", "id": f"msg_{uuid.uuid4().hex[:16]}", "role": "assistant", "content": content}
    for call in said.tools:
        yield _call(call)


def _call(call: ToolCall) -> dict[str, Any]:
    item = {"id": f"fc_{uuid.uuid4().hex[:16]}", "call_id": f"call_{uuid.uuid4().hex[:16]}", "name": call.name}
    if isinstance(call.input, str):
        return {"type": "custom_tool_call", "input": call.input, **item}
    return {"type": "function_call", "arguments": json.dumps(call.input), **item}


class OpenAIModel(ModelServer):
    handler = _Handler
