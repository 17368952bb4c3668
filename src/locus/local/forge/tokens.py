"""Finding the token for a forge. A token is only ever given to the host that it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from locus.local import process
from locus.local.process import base_environment

ASK_TIMEOUT = 15.0  # seconds

_GITHUB_COM = ("GITHUB_TOKEN", "GH_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
# `gh` finds its login in these, or in the keyring of the desktop.
_FOR_GH = ("GH_CONFIG_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS")


async def github_token(host: str, environment: Mapping[str, str], *, cwd: Path, trusted: bool = False) -> str | None:
    """Return the token for a GitHub host: from a variable, else what `gh auth token` says, else None.

    `trusted` says that the user named this host in the settings; then GITHUB_TOKEN is meant for it as well.
    """
    names: tuple[str, ...] = _ENTERPRISE
    if trusted or is_github_com(host) or _is_automation_host(host, environment):
        names = _GITHUB_COM + (() if is_github_com(host) else _ENTERPRISE)
    for name in names:
        if token := environment.get(name, "").strip():
            return token
    return await _from_gh(host, environment, cwd)


def is_github_com(host: str) -> bool:
    """Whether it is GitHub's own service, under its usual name or as a tenant of its cloud."""
    return host in ("github.com", "ssh.github.com") or host.endswith(".ghe.com")


def _is_automation_host(host: str, environment: Mapping[str, str]) -> bool:
    """GitHub's own runners name the server that their token belongs to."""
    return urlsplit(environment.get("GITHUB_SERVER_URL", "")).hostname == host


async def _from_gh(host: str, environment: Mapping[str, str], cwd: Path) -> str | None:
    env = base_environment(environment, allow=_FOR_GH) | {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
    try:
        done = await process.run(
            ["gh", "auth", "token", "--hostname", host], cwd=cwd, env=env, timeout=ASK_TIMEOUT, limit=64 << 10
        )
    except process.CannotStart:  # most machines do not have it
        return None
    token = done.stdout.decode(errors="replace").strip()
    return token if done.ok and token.isprintable() and " " not in token and token else None
