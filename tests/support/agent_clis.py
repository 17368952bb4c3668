"""The real claude and codex: where they are, and an environment in which they can reach nothing but a script."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / ".tools" / "agents"
BIN = TOOLS / "node_modules" / ".bin"
"""`make agents` installs them here, from the lock file in tests/agents."""


def require(name: str) -> None:
    """Skip the test when an agent CLI is not installed; fail it where every real part is required."""
    if (BIN / name).exists():
        return
    missing = f"{name} is not in {BIN}: run `make agents`"
    if os.environ.get("LOCUS_REQUIRE_REAL") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def base(root: Path) -> dict[str, str]:
    """Return an environment with a home of its own below `root`, and the installed CLIs first on PATH."""
    home, temporary = root / "home", root / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    temporary.mkdir(exist_ok=True)
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }


def claude(root: Path, url: str, *, retries: int = 1) -> dict[str, str]:
    """Return the environment of a claude whose model is at `url`."""
    require("claude")
    return base(root) | {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-not-a-key",
        "CLAUDE_CODE_MAX_RETRIES": str(retries),
    }


def subscribed_claude(root: Path, url: str) -> dict[str, str]:
    """As `claude`, with the kind of login that has usage limits."""
    environment = claude(root, url)
    del environment["ANTHROPIC_API_KEY"]
    return environment | {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-not-a-token"}


def codex(root: Path, url: str, *, retries: int = 1) -> dict[str, str]:
    """Return the environment of a codex whose model is at `url`, and write its settings."""
    require("codex")
    environment = base(root)
    settings = Path(environment["HOME"]) / ".codex" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    # A provider of its own: the built-in one tries a websocket for some seconds first.
    settings.write_text(
        f"""
        model = "gpt-5.5"
        model_provider = "scripted"
        [model_providers.scripted]
        name = "scripted"
        base_url = "{url}/v1"
        env_key = "OPENAI_API_KEY"
        wire_api = "responses"
        request_max_retries = {retries}
        stream_max_retries = {retries}
        """
    )
    return environment | {"OPENAI_API_KEY": "sk-not-a-key"}
