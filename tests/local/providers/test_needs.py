"""What agents get in the sandbox: their login, and of the user's own files nothing that would run outside of it."""

import json
from pathlib import Path

import pytest
from tests.support import agent_clis, wrappers
from tests.support.agent_rigs import REAL_RIGS, Rig
from tests.support.model_server import Says

from locus.local.providers import claude, codex
from locus.local.providers.base import Ask, Ending, Finished
from locus.local.providers.command import Command
from locus.local.providers.run import run
from locus.local.sandbox import Ground, Needs, Policy, opened


@pytest.fixture(params=REAL_RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    agent_clis.require(request.param)
    wrappers.require()
    return REAL_RIGS[request.param](tmp_path)


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def with_claude(tmp_path: Path) -> dict[str, str]:
    program = put(tmp_path / "bin" / "claude", "#!/bin/sh\n")
    program.chmod(0o755)
    (program.parent / "codex").symlink_to(program)
    return {"PATH": str(program.parent), "HOME": str(tmp_path / "home")}


def writable(needs: Needs) -> list[str]:
    return [loan.name for loan in needs.loans if loan.writable]


def test_claude_may_write_its_login_and_nothing_else_of_the_users(tmp_path: Path) -> None:
    needs = claude.needs(with_claude(tmp_path))

    assert writable(needs) == [".credentials.json"]
    assert {loan.source.parent for loan in needs.loans} == {tmp_path / "home" / ".claude"}
    assert "settings.json" in [loan.name for loan in needs.loans]


def test_claude_gets_who_it_is_and_neither_other_projects_nor_servers_with_their_keys(tmp_path: Path) -> None:
    environment = with_claude(tmp_path)
    state = {"oauthAccount": {"uuid": "x"}, "mcpServers": {"s": {"env": {"KEY": "secret"}}}, "projects": {"/p": {}}}
    put(tmp_path / "home" / ".claude.json", json.dumps(state))

    written = claude.needs(environment).written

    assert json.loads(written[".claude.json"]) == {"oauthAccount": {"uuid": "x"}}


@pytest.mark.parametrize("broken", ["", "[]", "{", '"x"', '{"env": 3}', "\udcff"])
def test_broken_settings_are_for_the_agent_to_complain_of(tmp_path: Path, broken: str) -> None:
    environment = with_claude(tmp_path)
    for name in (".claude/settings.json", ".claude.json", ".codex/config.toml"):
        path = put(tmp_path / "home" / name, "")
        path.write_bytes(broken.encode(errors="surrogateescape"))

    assert claude.needs(environment).service == claude.SERVICE
    assert codex.needs(environment).service == codex.SERVICE


def test_a_service_of_the_users_own_is_the_only_one(tmp_path: Path) -> None:
    environment = with_claude(tmp_path)
    put(tmp_path / "home" / ".claude" / "settings.json", '{"env": {"ANTHROPIC_BASE_URL": "https://gate.example"}}')
    put(
        tmp_path / "home" / ".codex" / "config.toml",
        'model_provider = "mine"\n[model_providers.mine]\nbase_url = "https://models.example/v1"\n',
    )

    assert claude.needs(environment).service == ("https://gate.example",)
    said = {**environment, "ANTHROPIC_BASE_URL": "https://other.example"}
    assert claude.needs(said).service == ("https://other.example",)
    assert codex.needs(environment).service == ("https://models.example/v1",)


def test_codex_may_write_its_login_and_nothing_else_of_the_users(tmp_path: Path) -> None:
    environment = with_claude(tmp_path)

    assert writable(codex.needs(environment)) == ["auth.json"]
    moved = codex.needs({**environment, "CODEX_HOME": str(tmp_path / "elsewhere")})
    assert {loan.source.parent for loan in moved.loans} == {tmp_path / "elsewhere"}


def test_a_program_shows_with_the_files_that_its_words_name(tmp_path: Path) -> None:
    script = put(tmp_path / "agent.py", "")
    environment = with_claude(tmp_path)

    needs = Command(("claude", "-B", str(script), "--fast", "/nonexistent")).needs(environment)

    assert needs.read == (script, tmp_path / "bin" / "claude")
    assert needs.home_variable is None


@pytest.mark.real_agent
async def test_a_login_that_renews_itself_is_kept_and_a_planted_hook_is_not(rig: Rig) -> None:
    home = rig.root / "home"
    own, login, hooks = {
        "claude": (".claude", ".credentials.json", "settings.json"),
        "codex": (".codex", "auth.json", "rules/planted.rules"),
    }[rig.name]
    put(home / own / login, "old")
    variable = "CLAUDE_CONFIG_DIR" if rig.name == "claude" else "CODEX_HOME"
    command = (
        f"printf new > ${variable}/{login}; mkdir -p ${variable}/rules; printf planted > ${variable}/{hooks};"
        f" printf planted > ~/{own}/{hooks}; touch tried"
    )
    with rig.plays(rig.runs(command), Says("Done.")) as played:
        needs = played.provider.needs(played.environment)
        # An old login that is none: the key in the environment is what counts.
        ground = Ground(tree=rig.work, private=rig.root / "private")
        async with opened(Policy(), ground, needs, played.environment, tell=print) as sandbox:
            ask = Ask(prompt="Do it.", cwd=rig.work, run_id="needs")
            said = run(played.provider, ask, environment=played.environment, silence=30, wall=60, sandbox=sandbox)
            events = [event async for event in said]

    assert isinstance(events[-1], Finished) and events[-1].ending is Ending.DONE, events[-1]
    assert (rig.work / "tried").exists()
    assert (home / own / login).read_text() == "new"
    assert not (home / own / hooks).exists()
    assert not list((rig.root / "private").rglob("*planted*"))
