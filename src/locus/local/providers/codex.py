"""Codex, driven by `codex exec --json`. Facts: docs/decisions/0002-driving-agent-clis.md."""

from __future__ import annotations

import json
import shutil
import signal
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from locus.local.errors import LocalError
from locus.local.process import base_environment
from locus.local.providers.base import Ask, Reader
from locus.local.providers.codex_rollout import Rollouts
from locus.local.providers.codex_stream import CodexReader
from locus.local.sandbox import Loan, Needs, reaching

NAME = "codex"
MODELS_HINT = "gpt-5.5 and other models of your account; see codex debug models"
FIRST_SIGNAL = signal.SIGINT  # at SIGTERM the commands that its shells run survive it
VERSION = ("--version",)
SIGNED_IN = ("login", "status")  # knows nothing of keys in variables or of providers of the user's own
COUNTS = True
ASKS = False  # `codex exec` has nobody to ask: what its own sandbox refuses is refused

OWN_VARIABLES = ("OPENAI_*", "CODEX_*")
# It gives these to what it starts; they reach us when we are started by it.
OF_A_SURROUNDING_SESSION = (
    *("CODEX_CI", "CODEX_SANDBOX*", "CODEX_SESSION_ID", "CODEX_THREAD_ID", "CODEX_TOOL_CALL_ID"),
    *("CODEX_VERSION", "CODEX_MANAGED_*"),
)

# What of the user's folder it reads in a sandbox, and cannot write: servers and rules that are named there would run
# outside of it the next time the user starts codex.
USERS_OWN = ("config.toml", "AGENTS.md", "AGENTS.override.md", "prompts", "skills", "rules")
SERVICE = ("https://api.openai.com", "https://chatgpt.com", "https://auth.openai.com")

SETTINGS: Mapping[str, str | bool] = {
    "sandbox_mode": "workspace-write",
    "analytics.enabled": False,
    "check_for_update_on_startup": False,
    "features.plugins": False,
    # Otherwise it waits for a network that is down for as long as that takes, and says nothing.
    "features.unbounded_connection_retries": False,
}


def locate(environment: Mapping[str, str]) -> Path:
    found = shutil.which("codex", path=environment.get("PATH", ""))
    if found is None:
        raise LocalError(
            "codex is not installed, or not on PATH.",
            remedy="npm install -g @openai/codex, then codex login.",
        )
    return _native(Path(found).absolute())


def _native(launcher: Path) -> Path:
    """Return the program that npm's launcher starts: one process less, and one that signals reach."""
    package = launcher.resolve().parent.parent
    if package.name == "codex":
        for siblings in (package.parent, package / "node_modules" / "@openai"):
            for native in sorted(siblings.glob("codex-*/vendor/*/bin/codex")):
                return native
    return launcher


def command(ask: Ask, binary: Path) -> list[str]:
    argv = [str(binary), "exec"]
    if ask.session is not None:
        argv.append("resume")
    # The worker decides what a repository is; the check would refuse a working tree whose git-dir is elsewhere.
    argv += ["--json", "--skip-git-repo-check"]
    settings: dict[str, str | bool] = dict(SETTINGS)
    if ask.sandboxed:
        # Its own sandbox cannot be made inside of ours, and ours keeps away more than its own would.
        settings["sandbox_mode"] = "danger-full-access"
    elif ask.read_only:
        settings["sandbox_mode"] = "read-only"
    if ask.model is not None:
        settings["model"] = ask.model
    if ask.effort is not None:
        settings["model_reasoning_effort"] = ask.effort
    for name, value in settings.items():
        argv += ["-c", f"{name}={json.dumps(value)}"]
    if ask.schema_file is not None:
        argv += ["--output-schema", str(ask.schema_file)]
    # By its number: `--last` silently starts a new conversation when it finds none.
    if ask.session is not None:
        argv.append(ask.session)
    return [*argv, "-"]


def opening(ask: Ask) -> bytes:
    return ask.prompt.encode(errors="replace")


def environment(ask: Ask, inherited: Mapping[str, str]) -> dict[str, str]:
    passed = base_environment(inherited, allow=(*OWN_VARIABLES, *ask.variables))
    return {
        name: value
        for name, value in passed.items()
        if not any(fnmatchcase(name, pattern) for pattern in OF_A_SURROUNDING_SESSION)
    }


def needs(environment: Mapping[str, str]) -> Needs:
    home = _home(environment)
    return Needs(
        home_variable="CODEX_HOME",
        loans=(
            Loan(home / "auth.json", "auth.json", writable=True),
            *(Loan(home / name, name) for name in USERS_OWN),
        ),
        kept=("sessions",),
        read=reaching(locate(environment)),
        service=_service(home / "config.toml", environment),
    )


def _service(settings: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses of the model: the ones of the provider that the user has set up, else the usual ones."""
    try:
        found = tomllib.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    providers, name = found.get("model_providers"), found.get("model_provider")
    chosen = providers.get(name) if isinstance(providers, dict) else None
    own = (
        (chosen.get("base_url") if isinstance(chosen, dict) else None)
        or found.get("openai_base_url")
        or environment.get("OPENAI_BASE_URL")
    )
    return (own,) if isinstance(own, str) else SERVICE


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("CODEX_HOME") or Path(environment.get("HOME", "/")) / ".codex")


def reader(ask: Ask, environment: Mapping[str, str]) -> Reader:
    return CodexReader(ask, Rollouts(_home(environment)))
