"""How each provider is called: its program, its arguments, its environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from locus.local.errors import LocalError, Usage
from locus.local.process import Exit
from locus.local.providers import claude, codex
from locus.local.providers.base import Ask, Provider, Text
from locus.local.providers.command import Command
from locus.local.providers.table import PROVIDERS, choose

ASK = Ask(prompt="Do it.", cwd=Path("/home/dev/project"), run_id="r")
FULL = replace(ASK, model="some-model", effort="high", session="the-session", max_turns=30, max_usd=2.5)
BINARY = Path("/usr/bin/agent")


def option(argv: list[str], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_claude_is_asked_for_a_stream_and_never_asks_back() -> None:
    argv = claude.command(ASK, BINARY)

    assert argv[:5] == [str(BINARY), "-p", "--output-format", "stream-json", "--verbose"]
    assert option(argv, "--permission-mode") == "dontAsk"
    assert "--dangerously-skip-permissions" not in argv, "it is refused as root"
    assert option(argv, "--allowedTools") == option(argv, "--tools"), "what it has it may use"


def test_claude_ignores_settings_of_the_working_tree() -> None:
    argv = claude.command(ASK, BINARY)

    assert option(argv, "--setting-sources") == "user"
    assert "--strict-mcp-config" in argv


def test_claude_is_told_model_effort_session_and_limits() -> None:
    argv = claude.command(FULL, BINARY)

    assert [option(argv, f"--{name}") for name in ("model", "effort", "resume")] == [
        "some-model",
        "high",
        "the-session",
    ]
    assert (option(argv, "--max-turns"), option(argv, "--max-budget-usd")) == ("30", "2.50")
    assert "--model" not in claude.command(ASK, BINARY), "otherwise it chooses"


def test_codex_is_told_model_effort_and_session() -> None:
    argv = codex.command(FULL, BINARY)

    assert argv[:3] == [str(BINARY), "exec", "resume"]
    assert {'model="some-model"', 'model_reasoning_effort="high"'} <= set(argv)
    assert argv[-2:] == ["the-session", "-"]
    assert "--last" not in argv
    assert codex.command(ASK, BINARY)[:3] == [str(BINARY), "exec", "--json"]


def test_codex_works_in_its_own_sandbox_and_gives_up_a_dead_network() -> None:
    for ask in (ASK, FULL):
        argv = codex.command(ask, BINARY)
        assert {'sandbox_mode="workspace-write"', "features.unbounded_connection_retries=false"} <= set(argv)


def test_a_name_with_quotes_stays_one_value_for_codex() -> None:
    argv = codex.command(replace(ASK, model='a" sandbox_mode="danger-full-access'), BINARY)

    assert 'model="a\\" sandbox_mode=\\"danger-full-access"' in argv


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_the_prompt_is_never_an_argument(provider: Provider) -> None:
    secret = replace(FULL, prompt="what others must not read in ps")

    assert not any("ps" in word for word in choose(provider.NAME, command=["agent"]).command(secret, BINARY))


LOGINS = {
    "claude": ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR"],
    "codex": ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME"],
    "command": [],
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_provider_sees_its_own_login_and_nobody_elses(name: str) -> None:
    every = {variable: "x" for variables in LOGINS.values() for variable in variables}
    seen = PROVIDERS[name].environment(ASK, every | {"PATH": "/bin", "MY_TOKEN": "x", "LOCUS_API_KEY": "x"})

    assert {variable for variable in seen if variable in every} == set(LOGINS[name])
    assert "PATH" in seen
    assert not {"MY_TOKEN", "LOCUS_API_KEY"} & set(seen)


@pytest.mark.parametrize("name", PROVIDERS)
def test_further_variables_pass_by_name(name: str) -> None:
    seen = PROVIDERS[name].environment(replace(ASK, variables=("MY_*",)), {"MY_SETTING": "x", "OTHER": "x"})

    assert "MY_SETTING" in seen and "OTHER" not in seen


@pytest.mark.parametrize("provider", [claude, codex])
def test_a_surrounding_session_of_the_same_agent_does_not_leak_in(provider: Provider) -> None:
    surrounding = {
        "CLAUDE_CODE_SESSION_ID": "x",
        "CLAUDE_CODE_MESSAGING_TOKEN": "x",
        "CLAUDE_CODE_ENTRYPOINT": "x",
        "CLAUDECODE": "1",
        "CODEX_THREAD_ID": "x",
        "CODEX_SANDBOX_NETWORK_DISABLED": "1",
    }

    assert not surrounding.keys() & provider.environment(ASK, surrounding).keys()


def test_the_users_own_number_of_tries_is_kept_and_background_work_is_not() -> None:
    users = {"CLAUDE_CODE_MAX_RETRIES": "9", "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "0"}
    seen = claude.environment(ASK, users)

    assert seen["CLAUDE_CODE_MAX_RETRIES"] == "9"
    assert seen["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] == "1"
    assert claude.environment(ASK, {})["CLAUDE_CODE_MAX_RETRIES"] == "4"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_program_that_is_not_there_comes_with_a_remedy(name: str, tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        choose(name, command=["absent"]).locate({"PATH": str(tmp_path)})

    assert caught.value.remedy


def test_codex_from_npm_is_started_without_its_launcher(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "node_modules" / "@openai" / "codex"
    native = package / "node_modules" / "@openai" / "codex-linux-x64" / "vendor" / "a-triple" / "bin" / "codex"
    for file in (package / "bin" / "codex.js", native):
        file.parent.mkdir(parents=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "codex").symlink_to(package / "bin" / "codex.js")

    assert codex.locate({"PATH": str(tmp_path / "bin")}) == native
    native.unlink()
    assert codex.locate({"PATH": str(tmp_path / "bin")}) == tmp_path / "bin" / "codex"


def test_a_command_is_found_on_path_and_keeps_its_arguments() -> None:
    provider = choose("command", command=["sh", "-c", "true"])
    binary = provider.locate({"PATH": "/usr/bin:/bin"})

    assert binary.name == "sh" and binary.is_absolute()
    assert provider.command(ASK, binary) == [str(binary), "-c", "true"]


def test_a_command_that_nobody_named_says_so() -> None:
    with pytest.raises(LocalError, match="does not know which program"):
        choose("command").locate({"PATH": "/bin"})


def test_a_full_path_needs_no_path_variable() -> None:
    assert Command((sys.executable,)).locate({}) == Path(sys.executable)


def test_an_unknown_provider_is_refused_with_the_known_names() -> None:
    with pytest.raises(Usage) as caught:
        choose("gpt")

    assert all(name in str(caught.value) for name in PROVIDERS)


def test_a_command_is_told_the_form_of_an_answer_and_may_give_it_in_many_lines() -> None:
    provider = Command(("agent",))
    ask = replace(ASK, schema='{"type": "object"}')
    reader = provider.reader(ask, {})
    printed = ["Here it is:", "```json", "{", f'  "name": "{"x" * 20_000}"', "}", "```"]

    told = [event for line in printed for event in reader.read(line.encode())]
    finished = reader.finish(Exit(code=0, signal=None), "")

    assert provider.opening(ask).decode().endswith('JSON schema:\n{"type": "object"}\n')
    assert provider.opening(ASK).decode() == "Do it."
    assert told == [Text("Here it is:", line=True), Text("```json", line=True)]
    assert finished.structured == "\n".join(printed[1:])


@pytest.mark.parametrize(
    ("printed", "answer"),
    [
        (["{1 of 2}", "{2 of 2}", '{"a": 1}'], '{"a": 1}'),
        (["Well.", "  {", '"a": 1', "}", "Done."], '{\n"a": 1\n}\nDone.'),
        (["In words,", "of two lines."], "In words,\nof two lines."),
        ([], None),
    ],
)
def test_the_answer_of_a_command_is_its_last_object_or_what_begins_like_one(
    printed: list[str], answer: str | None
) -> None:
    reader = Command(("agent",)).reader(replace(ASK, schema="{}"), {})
    plain = Command(("agent",)).reader(ASK, {})
    for line in printed:
        reader.read(line.encode())
        plain.read(line.encode())

    said = reader.finish(Exit(code=0, signal=None), "").structured

    assert (said.strip() if said else said) == answer
    assert plain.finish(Exit(code=0, signal=None), "").structured is None
