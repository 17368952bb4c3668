"""What the real CLIs printed, and what it means: one row per recording."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from locus.local.process import Exit
from locus.local.providers import claude, codex
from locus.local.providers.base import (
    Ask,
    Ending,
    Event,
    Finished,
    Limit,
    Notice,
    SessionStarted,
    Text,
    ToolFinished,
    ToolStarted,
    Turn,
    Usage,
)

RECORDINGS = Path(__file__).parents[2] / "recordings"
ENDS = json.loads((RECORDINGS / "ends.json").read_text())
T = TypeVar("T")

ASK = Ask(prompt="x", cwd=Path("/home/dev/project"), run_id="r")

# The session that a recorded run was asked to go on with.
RESUMED = {
    "claude-2.1.330/resume": "fd51648b-16ca-43d7-994d-ddebe2c6c77d",
    "claude-2.1.330/resume-unknown": "b740e105-cf7d-4e3d-bc12-94c2e16b0001",
    "codex-0.169.0/resume": "01a2022b-cc89-74a1-8705-ca3e08cbdc6b",
    "codex-0.169.0/resume-unknown": "01a20000-0000-7000-8000-000000000000",
}

# recording: how it ended, turns, and usage (input, of it cached, output, US dollars)
NOTHING = (0, 0, 0, 0.0)
UNKNOWN = (0, 0, 0, None)
EXPECTED: dict[str, tuple[Ending, int, tuple[int, int, int, float | None]]] = {
    "claude-2.1.330/text": (Ending.DONE, 1, (3120, 2000, 40, 0.00531)),
    "claude-2.1.330/write-bash-edit": (Ending.DONE, 4, (12480, 8000, 160, 0.02124)),
    "claude-2.1.330/bash-fails": (Ending.DONE, 2, (6240, 4000, 80, 0.01062)),
    "claude-2.1.330/bg-bash": (Ending.DONE, 3, (9360, 6000, 120, 0.01593)),
    "claude-2.1.330/subagent-foreground": (Ending.DONE, 2, (12480, 8000, 160, 0.02124)),
    "claude-2.1.330/err-400-credit": (Ending.NO_CREDIT, 0, NOTHING),
    "claude-2.1.330/err-400-prompt-too-long": (Ending.FAILED, 0, NOTHING),
    "claude-2.1.330/err-401": (Ending.NOT_SIGNED_IN, 0, NOTHING),
    "claude-2.1.330/err-404-model": (Ending.MISCONFIGURED, 0, NOTHING),
    "claude-2.1.330/err-429-forever": (Ending.PROVIDER_DOWN, 0, NOTHING),
    "claude-2.1.330/err-529-forever": (Ending.PROVIDER_DOWN, 0, NOTHING),
    "claude-2.1.330/err-500-then-ok": (Ending.DONE, 1, (3120, 2000, 40, 0.00531)),
    "claude-2.1.330/connrefused": (Ending.PROVIDER_DOWN, 0, NOTHING),
    "claude-2.1.330/truncated-forever": (Ending.PROVIDER_DOWN, 0, NOTHING),
    "claude-2.1.330/max-turns": (Ending.BUDGET, 2, (6240, 4000, 80, 0.01062)),
    "claude-2.1.330/max-budget": (Ending.BUDGET, 1, (3120, 2000, 40, 0.00531)),
    "claude-2.1.330/stop-refusal": (Ending.REFUSED, 2, (6240, 4000, 80, 0.01062)),
    "claude-2.1.330/no-key": (Ending.NOT_SIGNED_IN, 0, NOTHING),
    "claude-2.1.330/resume": (Ending.DONE, 1, (3120, 2000, 40, 0.00531)),
    "claude-2.1.330/resume-unknown": (Ending.SESSION_LOST, 0, NOTHING),
    "claude-2.1.330/badflag": (Ending.MISCONFIGURED, 0, UNKNOWN),
    "claude-2.1.330/sigint-tool": (Ending.STOPPED, 1, (3120, 2000, 40, 0.00531)),
    "claude-2.1.330/sigint-hang": (Ending.CRASHED, 0, UNKNOWN),
    # Killed before a result: what was known by then, output not yet counted.
    "claude-2.1.330/sigterm-tool": (Ending.CRASHED, 1, (3120, 2000, 1, None)),
    "claude-2.1.330/sigkill-tool": (Ending.CRASHED, 1, (3120, 2000, 1, None)),
    "claude-2.1.330/usage-limit-5h": (Ending.USAGE_LIMIT, 0, NOTHING),
    "claude-2.1.330/usage-limit-5h-apikey": (Ending.PROVIDER_DOWN, 0, NOTHING),
    "claude-2.1.330/usage-warning": (Ending.DONE, 1, (3120, 2000, 40, 0.00531)),
    "claude-2.1.197/usage-limit-5h": (Ending.USAGE_LIMIT, 0, NOTHING),
    "claude-2.1.197/bg-bash": (Ending.DONE, 2, (6240, 4000, 80, 0.01062)),
    # Without its record, each group of tools that it used is an answer of the model, and the last word is one.
    "codex-0.169.0/write-exec-workspace": (Ending.DONE, 4, (4800, 4000, 200, None)),
    "codex-0.169.0/cmd-fails": (Ending.DONE, 2, (2400, 2000, 100, None)),
    # The recorded run is the second of its conversation, and codex counts both.
    "codex-0.169.0/resume": (Ending.DONE, 1, (1200, 1000, 50, None)),
    "codex-0.169.0/resume-unknown": (Ending.SESSION_LOST, 0, UNKNOWN),
    "codex-0.169.0/err-400": (Ending.FAILED, 1, UNKNOWN),
    "codex-0.169.0/err-401": (Ending.NOT_SIGNED_IN, 1, UNKNOWN),
    "codex-0.169.0/err-500-forever": (Ending.PROVIDER_DOWN, 1, UNKNOWN),
    "codex-0.169.0/err-503-overloaded": (Ending.PROVIDER_DOWN, 1, UNKNOWN),
    "codex-0.169.0/err-context-too-long": (Ending.FAILED, 1, UNKNOWN),
    "codex-0.169.0/err-404-model": (Ending.MISCONFIGURED, 1, UNKNOWN),
    # Its sentence alone makes nobody wait for hours; with its record (below) it is a usage limit.
    "codex-0.169.0/usage-limit": (Ending.PROVIDER_DOWN, 1, UNKNOWN),
    "codex-0.169.0/stream-failed-ratelimit": (Ending.DONE, 1, (1200, 1000, 50, None)),
    "codex-0.169.0/incomplete": (Ending.FAILED, 1, UNKNOWN),
    "codex-0.169.0/connrefused-bounded": (Ending.PROVIDER_DOWN, 1, UNKNOWN),
    "codex-0.169.0/sigint-tool": (Ending.CRASHED, 1, UNKNOWN),
    "codex-0.169.0/sigkill-tool": (Ending.CRASHED, 1, UNKNOWN),
    "codex-0.169.0/long-cmd-left": (Ending.DONE, 1, (2400, 2000, 100, None)),
    "codex-0.169.0/no-key": (Ending.NOT_SIGNED_IN, 1, UNKNOWN),
}


def read(name: str, *, end: Exit | None = None, home: Path = Path("/nonexistent")) -> tuple[list[Event], Finished]:
    provider = claude if name.startswith("claude") else codex
    ask = replace(ASK, session=RESUMED.get(name), usage_before=Usage(1200, 1000, 50) if name in RESUMED else None)
    reader = provider.reader(ask, {"HOME": str(home)})
    lines = (RECORDINGS / f"{name}.jsonl").read_bytes().splitlines()
    events = [event for line in lines for event in reader.read(line)]
    return events, reader.finish(end or Exit.of(ENDS[name]["exit"]), ENDS[name]["stderr"])


def of(events: list[Event], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def test_every_recording_has_its_row() -> None:
    files = {str(path.relative_to(RECORDINGS).with_suffix("")) for path in RECORDINGS.glob("*/*.jsonl")}
    assert files == set(EXPECTED) == set(ENDS)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_run_ends_as_it_did(name: str) -> None:
    ending, turns, (input_tokens, cached, output, usd) = EXPECTED[name]
    events, finished = read(name)

    assert finished.ending is ending, finished.detail
    assert finished.turns == turns == len(of(events, Turn))
    assert replace(finished.usage, written_tokens=0) == Usage(input_tokens, cached, output, usd and pytest.approx(usd))
    assert finished.unread_lines == 0
    assert of(events, Finished) == []
    if ending is not Ending.DONE:
        assert finished.detail


@pytest.mark.parametrize("name", [name for name, (ending, *_) in EXPECTED.items() if ending is Ending.DONE])
def test_a_cheerful_answer_does_not_hide_a_failed_exit(name: str) -> None:
    assert read(name, end=Exit(1, None))[1].ending is Ending.FAILED
    assert read(name, end=Exit(None, 9))[1].ending is not Ending.DONE


@pytest.mark.parametrize("name", [name for name, (ending, *_) in EXPECTED.items() if ending is not Ending.DONE])
def test_an_exit_code_of_zero_does_not_make_a_failure_a_success(name: str) -> None:
    assert read(name, end=Exit(0, None))[1].ending is not Ending.DONE


@pytest.mark.parametrize("name", [name for name in EXPECTED if "write-" in name])
def test_tools_begin_and_end_in_pairs(name: str) -> None:
    events, _ = read(name)
    started, finished = of(events, ToolStarted), of(events, ToolFinished)

    assert [tool.id for tool in started] == [tool.id for tool in finished]
    assert all(tool.ok for tool in finished)
    assert started[0].summary == "hello.txt", "paths are told from the working directory on"
    assert "made.txt" in started[1].summary and "/bin/bash" not in started[1].summary


@pytest.mark.parametrize("name", ["claude-2.1.330/bash-fails", "codex-0.169.0/cmd-fails"])
def test_a_failed_tool_is_told_as_failed(name: str) -> None:
    assert [tool.ok for tool in of(read(name)[0], ToolFinished)] == [False]


def test_what_a_sub_agent_says_is_not_taken_for_the_agents_words() -> None:
    events, finished = read("claude-2.1.330/subagent-foreground")

    assert [event.text for event in of(events, Text)] == ["Main done."]
    assert [tool.name for tool in of(events, ToolStarted)] == ["Agent"]
    assert finished.usage.input_tokens == 12480, "but it is paid for"


def test_of_several_results_the_last_one_counts() -> None:
    lines = (RECORDINGS / "claude-2.1.330/bg-bash.jsonl").read_bytes().splitlines()
    results = [line for line in lines if json.loads(line)["type"] == "result"]
    failed = json.dumps(json.loads(results[1]) | {"is_error": True, "api_error_status": 529}).encode()
    reader = claude.reader(ASK, {})
    for line in (lines[0], results[0], failed):
        reader.read(line)

    assert reader.finish(Exit(0, None), "").ending is Ending.PROVIDER_DOWN


def test_a_session_is_told_once_although_it_is_printed_before_every_turn() -> None:
    events, finished = read("claude-2.1.330/bg-bash")

    assert [event.id for event in of(events, SessionStarted)] == [finished.session]


@pytest.mark.parametrize(
    ("name", "resets_at"),
    [
        ("claude-2.1.330/usage-limit-5h", datetime(2026, 11, 22, 9, 23, 36, tzinfo=UTC)),
        ("claude-2.1.197/usage-limit-5h", datetime(2026, 11, 22, 9, 30, 7, tzinfo=UTC)),
    ],
)
def test_a_limit_of_claude_says_when_it_ends(name: str, resets_at: datetime) -> None:
    events, finished = read(name)

    assert finished.resets_at == resets_at
    assert of(events, Limit)[-1].rejected


def test_a_warning_before_the_limit_is_told_and_does_not_end_the_run() -> None:
    events, finished = read("claude-2.1.330/usage-warning")

    (limit,) = of(events, Limit)
    assert (limit.kind, limit.utilization, limit.rejected) == ("five_hour", 0.93, False)
    assert finished.limit == limit
    assert finished.resets_at is None


@pytest.mark.parametrize("name", ["claude-2.1.330/err-529-forever", "codex-0.169.0/err-500-forever"])
def test_every_new_try_is_told(name: str) -> None:
    assert len(of(read(name)[0], Notice)) == 3


def test_what_does_not_fit_into_the_model_is_told_as_that() -> None:
    fits = {name: read(name)[1].too_long for name in ENDS}

    assert {name for name, too_long in fits.items() if too_long} == {
        "claude-2.1.330/err-400-prompt-too-long",
        "codex-0.169.0/err-context-too-long",
    }


def test_a_lost_session_is_not_offered_for_going_on() -> None:
    assert read("claude-2.1.330/resume-unknown")[1].session is None
    assert read("codex-0.169.0/resume-unknown")[1].session is None


def at_home(tmp_path: Path, rollout: str, thread: str) -> Path:
    folder = tmp_path / ".codex" / "sessions" / "2026" / "11" / "22"
    folder.mkdir(parents=True)
    recorded = (RECORDINGS / "codex-0.169.0" / "rollouts" / f"{rollout}.jsonl").read_text()
    (folder / f"rollout-2026-11-22T09-00-00-{thread}.jsonl").write_text(recorded)
    return tmp_path


def test_the_record_of_codex_says_when_a_limit_ends_and_how_full_it_is(tmp_path: Path) -> None:
    home = at_home(tmp_path, "usage-limit", "01a2022a-fded-7e90-a5d0-868eee66eb75")
    _, finished = read("codex-0.169.0/usage-limit", home=home)

    assert finished.ending is Ending.USAGE_LIMIT
    assert finished.resets_at == datetime.fromtimestamp(1795370000, UTC)
    assert finished.limit is not None
    assert (finished.limit.kind, finished.limit.utilization) == ("300_minutes", 1.0)
    assert finished.usage == Usage(1000, 800, 40), "what it used before the limit"


def test_the_record_of_codex_decides_before_its_words(tmp_path: Path) -> None:
    home = at_home(tmp_path, "unauthorized", "01a2022a-fded-7e90-a5d0-868eee66eb75")

    assert read("codex-0.169.0/usage-limit", home=home)[1].ending is Ending.NOT_SIGNED_IN


def test_a_record_that_has_changed_its_form_is_done_without(tmp_path: Path) -> None:
    home = at_home(tmp_path, "usage-limit", "01a2022a-fded-7e90-a5d0-868eee66eb75")
    (file,) = (home / ".codex").rglob("*.jsonl")
    file.write_bytes(b'[1]\n{"type":"event_msg","payload":{"type":"token_count","info":7}}\n\xff\x00\n{"type"\n')

    assert read("codex-0.169.0/usage-limit", home=home)[1].ending is Ending.PROVIDER_DOWN


def test_a_conversation_that_was_not_asked_for_is_a_lost_session() -> None:
    reader = codex.reader(replace(ASK, session="01a20000-0000-7000-8000-000000000000"), {"HOME": "/nonexistent"})
    for line in (RECORDINGS / "codex-0.169.0/cmd-fails.jsonl").read_bytes().splitlines():
        reader.read(line)

    assert reader.finish(Exit(0, None), "").ending is Ending.SESSION_LOST
