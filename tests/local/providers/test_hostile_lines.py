"""Output that no agent should print: nothing of it raises, nothing of it counts as success."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from locus.local.process import Exit
from locus.local.providers.base import Ask, Ending, Text, ToolStarted
from locus.local.providers.codex_rollout import Rollouts
from locus.local.providers.codex_stream import CodexReader
from locus.local.providers.table import PROVIDERS

ASK = Ask(prompt="x", cwd=Path("/home/dev/project"), run_id="r")
STRUCTURED = ["claude", "codex"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KNOWN_TYPES = st.sampled_from(
    [
        "system",
        "assistant",
        "user",
        "result",
        "rate_limit_event",
        "stream_event",
        "thread.started",
        "turn.started",
        "turn.completed",
        "turn.failed",
        "error",
        "item.started",
        "item.completed",
    ]
)
KNOWN_FIELDS = st.sampled_from(
    [
        "subtype",
        "message",
        "content",
        "session_id",
        "model",
        "usage",
        "error",
        "errors",
        "is_error",
        "result",
        "item",
        "thread_id",
        "rate_limit_info",
        "parent_tool_use_id",
        "num_turns",
        "api_error_status",
        "model_usage_since_last_result",
        "total_cost_usd",
    ]
)
LINES = st.binary(max_size=300) | st.builds(
    lambda kind, rest: json.dumps({**rest, "type": kind}).encode(),
    KNOWN_TYPES,
    st.dictionaries(KNOWN_FIELDS, JSON, max_size=8),
)


@pytest.mark.parametrize("name", PROVIDERS)
@settings(max_examples=300, deadline=None)
@given(lines=st.lists(LINES, max_size=8), code=st.integers(-15, 255), stderr=st.text(max_size=50))
def test_no_output_makes_a_reader_raise(name: str, lines: list[bytes], code: int, stderr: str) -> None:
    reader = PROVIDERS[name].reader(ASK, {"HOME": "/nonexistent"})
    for line in lines:
        reader.read(line)
    finished = reader.finish(Exit.of(code), stderr)

    assert finished.ending is not Ending.DONE or code == 0


@pytest.mark.parametrize("name", STRUCTURED)
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"Warning: something the program says in between",
        b"\xff\xfe\x00",
        b'{"type":"resu',
        b'{"type":"result","is_error":"no"}',
        b'{"type":"item.completed","item":7}',
        b"[" * 100_000,
        b'{"type":"assistant","message":' + b'{"a":' * 50_000,
    ],
    ids=["empty", "prose", "binary", "cut", "odd-result", "odd-item", "deep-list", "deep-object"],
)
def test_a_line_that_cannot_be_read_is_left_out(name: str, line: bytes) -> None:
    reader = PROVIDERS[name].reader(ASK, {"HOME": "/nonexistent"})

    assert reader.read(line) == []
    assert reader.finish(Exit(0, None), "").ending is not Ending.DONE


def test_lines_that_are_not_understood_are_counted() -> None:
    reader = PROVIDERS["claude"].reader(ASK, {})
    for line in (b"prose", b'{"type":"assistant","message":7}', b'{"type":"something_new","message":7}'):
        reader.read(line)

    assert reader.finish(Exit(0, None), "").unread_lines == 2, "an unknown kind is not a broken line"


@pytest.mark.parametrize("name", STRUCTURED)
def test_silence_and_exit_code_zero_is_a_crash_and_not_a_success(name: str) -> None:
    reader = PROVIDERS[name].reader(ASK, {"HOME": "/nonexistent"})

    assert reader.finish(Exit(0, None), "").ending is Ending.CRASHED


@pytest.mark.parametrize("name", STRUCTURED)
def test_a_program_that_does_not_begin_was_called_wrongly(name: str) -> None:
    reader = PROVIDERS[name].reader(ASK, {"HOME": "/nonexistent"})
    finished = reader.finish(Exit(1, None), "error: unknown option")

    assert (finished.ending, finished.detail) == (Ending.MISCONFIGURED, "error: unknown option")


def test_a_program_that_is_killed_before_it_begins_has_crashed() -> None:
    for end in (Exit(None, 15), Exit(143, None)):
        assert PROVIDERS["claude"].reader(ASK, {}).finish(end, "").ending is Ending.CRASHED


def test_a_long_command_is_told_in_one_line() -> None:
    command = "cat <<'EOF' > x\n" + "word\n" * 5000
    block = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": command}}
    line = json.dumps({"type": "assistant", "message": {"id": "m", "content": [block]}}).encode()
    (tool,) = [event for event in PROVIDERS["claude"].reader(ASK, {}).read(line) if isinstance(event, ToolStarted)]

    assert len(tool.summary) <= 160 and "\n" not in tool.summary


def test_a_retry_of_codex_is_no_end() -> None:
    reader = PROVIDERS["codex"].reader(ASK, {"HOME": "/nonexistent"})
    for line in (
        b'{"type":"thread.started","thread_id":"t"}',
        b'{"type":"turn.started"}',
        b'{"type":"error","message":"Reconnecting... 1/5 (status 401)"}',
        b'{"type":"turn.completed","usage":{}}',
    ):
        reader.read(line)

    assert reader.finish(Exit(0, None), "").ending is Ending.DONE


@pytest.mark.parametrize("words", ["try again at 4:34 PM.", "try again at Nov 25th, 2026 12:05 AM.", "Try later."])
def test_no_sentence_makes_anybody_wait_for_the_end_of_a_limit(words: str, tmp_path: Path) -> None:
    reader = CodexReader(ASK, Rollouts(tmp_path))
    message = json.dumps({"message": f"You’ve hit your usage limit. {words}"})
    reader.read(b'{"type":"thread.started","thread_id":"t"}')
    reader.read(b'{"type":"turn.failed","error":' + message.encode() + b"}")
    finished = reader.finish(Exit(1, None), "")

    assert (finished.ending, finished.resets_at) == (Ending.PROVIDER_DOWN, None)


def test_a_thread_id_is_no_pattern_and_no_path(tmp_path: Path) -> None:
    (tmp_path / "sessions" / "2026" / "11" / "22").mkdir(parents=True)
    for thread in ("*", "../../../../etc/passwd", "[", "\0", ""):
        assert Rollouts(tmp_path).record(thread).used is None


def test_text_of_a_command_is_shown_whatever_its_bytes_are() -> None:
    reader = PROVIDERS["command"].reader(ASK, {})

    assert reader.read(b"caf\xc3\xa9 \xff") == [Text("café \ufffd", line=True)]
    assert reader.read(b"   ") == []
    (event,) = reader.read(b"x" * 5_000_000)
    assert isinstance(event, Text) and len(event.text) <= 16 << 10


def test_a_line_of_a_megabyte_is_read_in_little_time() -> None:
    block = {"type": "text", "text": "x" * 1_000_000}
    line = json.dumps({"type": "assistant", "message": {"id": "m", "content": [block]}}).encode()
    reader = PROVIDERS["claude"].reader(ASK, {})
    begin = time.monotonic()
    for _ in range(20):
        reader.read(line)

    assert time.monotonic() - begin < 2.0


def test_a_time_that_is_nonsense_is_no_time() -> None:
    reader = PROVIDERS["claude"].reader(ASK, {})
    for epoch in (1e300, -1e300, 10**25):
        line = json.dumps({"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": epoch}})
        (limit,) = reader.read(line.encode())
        assert limit.resets_at is None  # type: ignore[union-attr]
    line = json.dumps({"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 0}})
    (limit,) = reader.read(line.encode())
    assert limit.resets_at == datetime.fromtimestamp(0, UTC)  # type: ignore[union-attr]
