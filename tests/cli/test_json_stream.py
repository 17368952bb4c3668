"""The protocol of `--json-stream`: what holds on every path, with real agents, real signals and nothing installed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support import agent_clis
from tests.support.beside import Beside, beside, runs, standing
from tests.support.model_server import Fails, Hangs, Says, Step
from tests.support.person import command
from tests.support.processes import with_argument

from locus.cli.beside.ndjson import Stream
from locus.local.providers.base import Ending, Finished, Text, TextPart, ToolFinished, ToolStarted, Usage
from locus.local.sessions.folder import folder_of
from locus.local.sessions.shelf import Shelf

CODES = {
    *("CLI_NOT_FOUND", "AUTH_EXPIRED", "NETWORK_TIMEOUT", "CONTEXT_LIMIT", "MALFORMED_EVENT", "PROCESS_CRASHED"),
    *("SESSION_NOT_FOUND", "UNKNOWN"),
}


@pytest.fixture(params=["claude", "codex"])
def agent(request: pytest.FixtureRequest) -> str:
    agent_clis.require(request.param)
    return str(request.param)


def kept(text: str, code: int) -> list[dict[str, Any]]:
    """The lines of a stream, which keeps every promise of the protocol."""
    lines = [json.loads(line) for line in text.splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds.count("start") == kinds.count("done") == 1, kinds
    assert (kinds[0], kinds[-1]) == ("start", "done")
    assert {line["protocol"] for line in lines} == {1}
    assert len({line["sessionId"] for line in lines}) == 1
    assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)
    began = [line["payload"]["toolId"] for line in lines if line["type"] == "tool_started"]
    ended = [line["payload"]["toolId"] for line in lines if line["type"] == "tool_completed"]
    assert sorted(began) == sorted(ended)
    assert all(kinds.index("tool_started") < kinds.index("tool_completed") for _ in began[:1])
    done = lines[-1]["payload"]
    assert done["exitCode"] == code
    assert done["success"] == (code == 0)
    errors = [line["payload"]["error"] for line in lines if line["type"] == "error"]
    assert not (errors and done["success"])
    assert {error["code"] for error in errors} <= CODES
    return lines


def error_of(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    (error,) = [line["payload"]["error"] for line in lines if line["type"] == "error"]
    return dict(error)


def streamed(here: Beside, *arguments: str) -> list[dict[str, Any]]:
    said = here.locus("exec", "Go", "--yes", "--json-stream", *arguments)
    return kept(said.out, said.code)


@pytest.mark.real_agent
def test_a_run_that_succeeds_tells_its_tools_and_its_text(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, runs(agent, "exit 3"), Says("It failed, as asked.")) as here:
        lines = streamed(here)

    by_kind = {line["type"]: line["payload"] for line in lines}
    assert lines[-1]["payload"]["exitCode"] == 0
    assert by_kind["start"]["provider"] == agent
    assert by_kind["tool_started"]["parameters"]["summary"] == "exit 3"
    assert by_kind["tool_completed"]["success"] is False
    assert by_kind["tool_completed"]["duration"] >= 0
    text = "".join(line["payload"]["content"] for line in lines if line["type"] == "text_delta")
    assert text == "It failed, as asked."
    assert lines[-1]["payload"]["tokensUsed"] > 0
    assert lines[-1]["payload"]["toolsUsed"]
    session = Shelf(folder_of(here.checkout, tmp_path / "state")).all()[0]
    assert {line["sessionId"] for line in lines} == {session.id}


@pytest.mark.real_agent
@pytest.mark.parametrize(("step", "code"), [(Fails(401), "AUTH_EXPIRED"), (Fails(500), "NETWORK_TIMEOUT")])
def test_an_error_of_the_service_is_never_followed_by_success(
    tmp_path: Path, agent: str, step: Step, code: str
) -> None:
    with beside(tmp_path, agent, step) as here:
        lines = streamed(here)

    error = error_of(lines)
    assert (error["code"], error["recoverable"], lines[-1]["payload"]["exitCode"]) == (code, True, 1)
    assert error["message"]


@pytest.mark.real_agent
@pytest.mark.parametrize(
    ("agent", "error"),
    [
        ("claude", {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}),
        ("codex", {"type": "invalid_request_error", "message": "Too much.", "code": "context_length_exceeded"}),
    ],
    indirect=["agent"],
)
def test_a_conversation_that_does_not_fit_has_a_code_of_its_own(
    tmp_path: Path, agent: str, error: dict[str, str]
) -> None:
    with beside(tmp_path, agent, Fails(400, error)) as here:
        told = error_of(streamed(here))

    assert (told["code"], told["recoverable"]) == ("CONTEXT_LIMIT", False)


@pytest.mark.real_agent
@pytest.mark.parametrize(("number", "in_a_tool"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_a_signal_completes_the_tools_and_says_the_last_word(
    tmp_path: Path, agent: str, number: signal.Signals, in_a_tool: bool
) -> None:
    naps = f"{600_000 + os.getpid() % 1000}.{int(number)}{int(in_a_tool)}"
    step = runs(agent, f"tail -s {naps} -f /dev/null") if in_a_tool else Hangs("Let me think about it")
    with beside(tmp_path, agent, step) as here:
        (here.person.bin / "tail").symlink_to("/usr/bin/tail")
        wanted = "tool_started" if in_a_tool else ("streaming" if agent == "claude" else '"running"')
        code, out = interrupted(here, number, lambda text: wanted in text)

    lines = kept(out, code)
    assert code == 128 + number
    assert [line["payload"]["status"] for line in lines if line["type"] == "status"][-1] == "interrupted"
    assert [line for line in lines if line["type"] == "error"] == []
    assert with_argument(naps) == []
    # Of a codex whose model is silent nothing shows, so the signal may come before there is a session.
    for session in Shelf(folder_of(here.checkout, tmp_path / "state")).all():
        assert [turn.ending for turn in session.turns] == [Ending.STOPPED]


@pytest.mark.real_agent
def test_an_agent_that_is_not_installed_is_an_error_of_its_own(tmp_path: Path) -> None:
    person = standing(tmp_path, "claude", sandbox=False)

    said = person.locus("exec", "Go", "--yes", "--json-stream", cwd=person.home / "shop")

    lines = kept(said.out, said.code)
    assert (said.code, error_of(lines)["code"]) == (1, "CLI_NOT_FOUND")


@pytest.mark.parametrize(
    ("script", "code"), [("echo Hello", "MALFORMED_EVENT"), ("exit 0", "PROCESS_CRASHED")], ids=["prose", "silence"]
)
def test_an_agent_that_says_nothing_that_can_be_read_is_no_success(tmp_path: Path, script: str, code: str) -> None:
    person = standing(tmp_path, "claude", sandbox=False)
    person.program("claude", f"cat > /dev/null; {script}")

    said = person.locus("exec", "Go", "--yes", "--json-stream", cwd=person.home / "shop")

    assert (said.code, error_of(kept(said.out, said.code))["code"]) == (1, code)


@pytest.mark.parametrize(
    ("arguments", "where", "code", "word"),
    [
        (["exec", "Go", "-s", "nosuchid"], "shop", 1, "SESSION_NOT_FOUND"),
        (["exec", "Go", "--nonsense"], "shop", 2, "UNKNOWN"),
        (["exec", "Go", "--provider", "nobody"], "shop", 2, "UNKNOWN"),
        (["exec", "Go", "--max-turns", "none"], "shop", 2, "UNKNOWN"),
        (["exec", "Go"], ".", 1, "UNKNOWN"),
        (["exec"], "shop", 2, "UNKNOWN"),
        (["exec", ""], "shop", 2, "UNKNOWN"),
        (["exec", "-i"], "shop", 2, "UNKNOWN"),
        (["exec", "Go", "--json"], "shop", 2, "UNKNOWN"),
        (["exec", "Go", "--no-stream"], "shop", 2, "UNKNOWN"),
        (["-C", "nowhere", "exec", "Go"], "shop", 2, "UNKNOWN"),
    ],
    ids=[
        *("no session", "no such flag", "no such provider", "no number", "no repository"),
        *("no prompt", "an empty prompt", "a conversation", "one document", "no stream", "no such folder"),
    ],
)
def test_what_is_wrong_before_anything_starts_keeps_the_protocol(
    tmp_path: Path, arguments: list[str], where: str, code: int, word: str
) -> None:
    person = standing(tmp_path, "claude", sandbox=False)

    said = person.locus(*arguments, "--yes", "--json-stream", cwd=person.home / where)

    lines = kept(said.out, said.code)
    assert (said.code, error_of(lines)["code"]) == (code, word)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_there_is_anything_to_tell_keeps_the_protocol(tmp_path: Path, number: signal.Signals) -> None:
    person = standing(tmp_path, "claude", sandbox=False)
    child = subprocess.Popen(
        command("exec", "Go", "--yes", "--json-stream"),
        cwd=person.home / "shop",
        env=person.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    while not blocks(child.pid, number):  # it has begun, and imports the rest of itself
        assert child.poll() is None
        time.sleep(0.001)
    child.send_signal(number)
    out, _ = child.communicate(timeout=60)

    kept(out, child.returncode)
    assert child.returncode == 128 + number


def test_a_broken_settings_file_keeps_the_protocol(tmp_path: Path) -> None:
    person = standing(tmp_path, "claude", sandbox=False)
    (person.home / ".config" / "locus").mkdir(parents=True)
    (person.home / ".config" / "locus" / "settings.toml").write_text("provider = [\n")

    said = person.locus("exec", "Go", "--yes", "--json-stream", cwd=person.home / "shop")

    assert error_of(kept(said.out, said.code))["code"] == "UNKNOWN"


@pytest.mark.real_agent
def test_what_the_model_thinks_has_lines_of_its_own(tmp_path: Path, agent: str) -> None:
    with beside(tmp_path, agent, Says("It is a shop.", thinking="What may it be?")) as here:
        lines = streamed(here)

    told = {
        kind: "".join(line["payload"].get("content", "") for line in lines if line["type"] == kind)
        for kind in ("thinking", "text_delta")
    }
    assert told == {"thinking": "What may it be?", "text_delta": "It is a shop."}


def test_tools_that_nobody_completed_are_completed_before_an_error() -> None:
    lines: list[str] = []
    stream = Stream("s", write=lines.append)
    stream.start(provider="claude", model=None, cwd="/")
    stream.tell(ToolStarted("1", "Bash", "ls"))
    stream.tell(ToolStarted("1", "Bash", "ls"))
    stream.tell(ToolFinished("2", ok=True))
    stream.tell(Finished(Ending.CRASHED, "", None, Usage(), 0, None, None))
    stream.done(1)
    stream.done(0)
    stream.status("late", "")

    assert [json.loads(line)["type"] for line in lines] == ["start", "tool_started", "tool_completed", "error", "done"]
    kept("".join(lines), 1)


def test_a_text_that_came_in_parts_is_not_told_twice() -> None:
    lines: list[str] = []
    stream = Stream("s", write=lines.append)
    stream.start(provider="claude", model=None, cwd="/")
    for event in (TextPart("One "), TextPart("two"), Text("One two"), Text("Three"), TextPart("Fo"), Text("Four")):
        stream.tell(event)
    stream.done(0)

    told = [json.loads(line) for line in lines]
    assert [line["payload"]["content"] for line in told if line["type"] == "text_delta"] == [
        *("One ", "two", "\n\nThree", "\n\nFo", "ur")
    ]


def blocks(pid: int, number: signal.Signals) -> bool:
    """Whether a process holds a signal back."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def interrupted(here: Beside, number: signal.Signals, ready: Callable[[str], bool]) -> tuple[int, str]:
    """Start a stream, send it a signal when `ready` says so of what it has printed, and return how it ended."""
    child = subprocess.Popen(
        command("exec", "Go", "--yes", "--json-stream"),
        cwd=here.checkout,
        env=here.person.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    said = ""
    while not ready(said):
        line = child.stdout.readline()
        assert line, f"it ended with {child.wait()}: {said}"
        said += line
    child.send_signal(number)
    rest, _ = child.communicate(timeout=60)
    return child.returncode, said + rest
