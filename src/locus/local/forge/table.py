"""Which forge a remote belongs to. Nobody else asks for the name of a forge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from locus.local.errors import Usage
from locus.local.forge.base import Forge
from locus.local.forge.github import GitHub, api_of, owner_and_repository
from locus.local.forge.none import NoForge
from locus.local.forge.tokens import github_token, is_github_com
from locus.local.git.remote import Address, Remote

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Choice(Struct, frozen=True):
    """What the user's settings say about the forge; nothing, for most."""

    kind: str | None = None
    """A key of FORGES, for a host whose name does not show it."""
    api: str | None = None
    """The address of the interface, for GitHub Enterprise behind another name."""


class Setting(Struct, frozen=True):
    """Where a forge is made."""

    address: Address
    choice: Choice
    environment: Mapping[str, str]
    directory: Path


async def _github(setting: Setting) -> Forge | None:
    named = owner_and_repository(setting.address.path)
    host = setting.address.host
    if named is None or host is None:
        return None
    port = setting.address.port if setting.address.scheme == "https" else None
    api = setting.choice.api or api_of(host, port=port)
    trusted = setting.choice.api is not None or setting.choice.kind is not None
    token = await github_token(host, setting.environment, cwd=setting.directory, trusted=trusted)
    return GitHub(checked_api(api), *named, token=token)


async def _none(setting: Setting) -> Forge | None:
    return NoForge(setting.directory)


FORGES: dict[str, Callable[[Setting], Awaitable[Forge | None]]] = {"github": _github, "none": _none}


async def forge_for(
    remote: Remote, environment: Mapping[str, str], directory: Path, *, choice: Choice | None = None
) -> Forge:
    """Return the forge of a remote; where there is none, one that writes descriptions into `directory`.

    Raises Usage when the settings name a forge or an address that cannot be.
    """
    choice = choice or Choice()
    address = Address.of(remote.effective_url)
    kind = choice.kind or _kind_of(address.host)
    if kind not in FORGES:
        raise Usage(f"There is no forge {kind!r}.", remedy=f"Choose one of: {', '.join(FORGES)}.")
    _make(directory)
    setting = Setting(address, choice, environment, directory)
    made = await FORGES[kind](setting)
    return made or NoForge(directory)


def _kind_of(host: str | None) -> str:
    if host is None:
        return "none"
    # Most Enterprise servers are called github.<company>; any other has to be named in the settings.
    named_so = host.startswith("github.") and not host.startswith("github.com.")
    return "github" if is_github_com(host) or named_so else "none"


def checked_api(api: str) -> str:
    """The address of a forge's interface, if it can be one. Raises Usage."""
    parts = urlsplit(api)
    if parts.scheme == "https" and parts.hostname:
        return api
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return api
    raise Usage(f"{api!r} is no address for a forge.", remedy="It begins with https:// and has a host.")


def _make(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
