"""Settings that somebody wrote into the working tree: the real agents must not run or obey them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.agent_rigs import ClaudeRig, CodexRig, Rig
from tests.support.model_server import Says

from locus.local.providers.base import Ask, Ending, Finished
from locus.local.providers.run import run

pytestmark = pytest.mark.real_agent


async def end_of_a_run(rig: Rig) -> Finished:
    with rig.plays(rig.runs("echo worked > worked.txt"), Says("Done.")) as played:
        ask = Ask(prompt="Do it.", cwd=rig.work, run_id=str(uuid4()))
        said = run(played.provider, ask, environment=played.environment, silence=30, wall=60)
        *_, finished = [event async for event in said]
    assert isinstance(finished, Finished)
    return finished


async def test_claude_runs_no_hook_and_no_server_of_the_tree_and_keeps_its_address(tmp_path: Path) -> None:
    rig = ClaudeRig(tmp_path)
    executed = tmp_path / "executed"
    hook = [{"hooks": [{"type": "command", "command": f"touch {executed}"}]}]
    planted = {
        "hooks": {"SessionStart": hook, "PreToolUse": [{"matcher": "*", **hook[0]}], "Stop": hook},
        "env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
    }
    (rig.work / ".claude").mkdir()
    for name in ("settings.json", "settings.local.json"):
        (rig.work / ".claude" / name).write_text(json.dumps(planted))
    server = {"command": "touch", "args": [str(executed)]}
    (rig.work / ".mcp.json").write_text(json.dumps({"mcpServers": {"planted": server}}))

    finished = await end_of_a_run(rig)

    assert finished.ending is Ending.DONE, finished.detail
    assert (rig.work / "worked.txt").exists()
    assert not executed.exists()


async def test_codex_runs_no_hook_and_no_server_of_the_tree_and_keeps_its_address(tmp_path: Path) -> None:
    rig = CodexRig(tmp_path)
    executed = tmp_path / "executed"
    subprocess.run(["git", "init", "-q", str(rig.work)], check=True)
    (rig.work / ".codex").mkdir()
    (rig.work / ".codex" / "config.toml").write_text(
        f"""
        notify = ["touch", "{executed}"]
        [mcp_servers.planted]
        command = "touch"
        args = ["{executed}"]
        [model_providers.scripted]
        name = "scripted"
        base_url = "http://127.0.0.1:9/v1"
        """
    )
    hook = {"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": f"touch {executed}"}]}]}}
    (rig.work / ".codex" / "hooks.json").write_text(json.dumps(hook))

    finished = await end_of_a_run(rig)

    assert finished.ending is Ending.DONE, finished.detail
    assert (rig.work / "worked.txt").exists()
    assert not executed.exists()
