"""Claude Code, driven by `claude -p` with a stream of JSON lines. Facts: docs/decisions/0002-driving-agent-clis.md."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from locus.local.errors import LocalError
from locus.local.process import base_environment
from locus.local.providers import claude_asking
from locus.local.providers.base import Ask, Reader
from locus.local.providers.claude_stream import ClaudeReader
from locus.local.sandbox import Loan, Needs, reaching

NAME = "claude"
MODELS_HINT = "opus, sonnet, haiku, or a full model name"
FIRST_SIGNAL = signal.SIGTERM  # it kills its tools first and can resume the session afterwards
VERSION = ("--version",)
SIGNED_IN = ("auth", "status")  # asks nobody: it looks at its files and variables
COUNTS = True
ASKS = True

# What it needs to read code. Commands cannot be read-only without walls around them.
READING = "Read,Glob,Grep"
# What an agent needs to write code. It has no tools that outlive the run (schedules, monitors) or reach the network.
TOOLS = "Bash,Edit,Write,Read,Glob,Grep,NotebookEdit,Agent"

OWN_VARIABLES = (
    *("ANTHROPIC_*", "CLAUDE_CODE_*", "CLAUDE_CONFIG_DIR", "API_TIMEOUT_MS", "MAX_THINKING_TOKENS"),
    *("BASH_DEFAULT_TIMEOUT_MS", "BASH_MAX_TIMEOUT_MS"),
)
# It gives these to what it starts. They reach us when we are started by it, and would tie our agent to that session.
OF_A_SURROUNDING_SESSION = (
    *("CLAUDE_CODE_CHILD_*", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_EXECPATH", "CLAUDE_CODE_MESSAGING_*"),
    *("CLAUDE_CODE_SESSION_*", "CLAUDE_CODE_SSE_PORT"),
)
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    # Otherwise a run goes on after its result for as long as something runs in the background.
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
}
# What of the user's folder it reads in a sandbox. None of it may be written there: hooks, commands and servers would
# run outside of it the next time the user starts claude.
USERS_OWN = ("settings.json", "CLAUDE.md", "agents", "commands", "skills", "rules", "output-styles", "hooks", "plugins")
# What of its state file it gets, which also has the user's servers with their keys, and a history of other projects.
WHO_IT_IS = (
    *("oauthAccount", "userID", "anonymousId", "primaryApiKey", "customApiKeyResponses", "hasCompletedOnboarding"),
    *("lastOnboardingVersion", "installMethod", "autoUpdates"),
)
SERVICE = ("https://api.anthropic.com", "https://platform.claude.com", "https://console.anthropic.com")
# Ten tries, as it does by itself, keep even a wrong key busy for three minutes; waiting longer is the worker's part.
RETRIES = "4"


def locate(environment: Mapping[str, str]) -> Path:
    found = shutil.which("claude", path=environment.get("PATH", ""))
    if found is None:
        raise LocalError(
            "claude is not installed, or not on PATH.",
            remedy="npm install -g @anthropic-ai/claude-code, then run claude once to sign in.",
        )
    return Path(found).absolute()


def command(ask: Ask, binary: Path) -> list[str]:
    argv = [str(binary), "-p", "--output-format", "stream-json", "--verbose"]
    tools = _tools(ask)
    argv += ["--tools", tools]
    if ask.asking is not None:
        argv += claude_asking.options(ask.asking)
    else:
        # dontAsk denies what is not allowed instead of asking nobody; unlike bypassPermissions it works as root.
        argv += ["--permission-mode", "dontAsk", "--allowedTools", tools]
    # Settings and servers of the working tree are code of whoever wrote to it: its hooks would run and its
    # environment could send the key to another address.
    argv += ["--setting-sources", "user", "--strict-mcp-config"]
    if ask.parts:
        argv.append("--include-partial-messages")
    if ask.schema is not None:
        argv += ["--json-schema", ask.schema]
    if ask.model is not None:
        argv += ["--model", ask.model]
    if ask.effort is not None:
        argv += ["--effort", ask.effort]
    if ask.max_turns is not None:
        argv += ["--max-turns", str(ask.max_turns)]
    if ask.max_usd is not None:
        argv += ["--max-budget-usd", f"{ask.max_usd:.2f}"]
    if ask.session is not None:
        argv += ["--resume", ask.session]
    return argv


def opening(ask: Ask) -> bytes:
    return ask.prompt.encode(errors="replace") if ask.asking is None else claude_asking.opening(ask.prompt)


def _tools(ask: Ask) -> str:
    if not ask.read_only:
        return TOOLS
    return f"{READING},Bash" if ask.sandboxed else READING


def environment(ask: Ask, inherited: Mapping[str, str]) -> dict[str, str]:
    passed = base_environment(inherited, allow=(*OWN_VARIABLES, *ask.variables))
    own = {
        name: value
        for name, value in passed.items()
        if not any(fnmatchcase(name, pattern) for pattern in OF_A_SURROUNDING_SESSION)
    }
    return {"CLAUDE_CODE_MAX_RETRIES": RETRIES, **own, **QUIET}


def needs(environment: Mapping[str, str]) -> Needs:
    home = Path(environment.get("HOME", "/"))
    moved = environment.get("CLAUDE_CONFIG_DIR")
    config = Path(moved) if moved else home / ".claude"
    settings = _object(config / "settings.json")
    known = _object((config if moved else home) / ".claude.json")
    login = {name: value for name, value in known.items() if name in WHO_IT_IS}
    # A service of the user's own is the only one it asks.
    variables = settings.get("env")
    own = {**(variables if isinstance(variables, dict) else {}), **environment}.get("ANTHROPIC_BASE_URL")
    return Needs(
        home_variable="CLAUDE_CONFIG_DIR",
        loans=(
            Loan(config / ".credentials.json", ".credentials.json", writable=True),
            *(Loan(config / name, name) for name in USERS_OWN),
        ),
        kept=("projects",),
        written={".claude.json": json.dumps(login).encode()},
        # Hooks and plugins are named by where they are.
        read=(config / "hooks", config / "plugins", *reaching(locate(environment))),
        service=(own,) if own else SERVICE,
    )


def _object(path: Path) -> dict[str, Any]:
    """What a JSON file of the user's holds; nothing when it cannot be read, which is for the CLI to say."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def reader(ask: Ask, environment: Mapping[str, str]) -> Reader:
    return ClaudeReader(ask)
