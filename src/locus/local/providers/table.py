"""The providers by name. Everything that depends on which one it is stands in its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from locus.local.errors import LocalError, Usage
from locus.local.providers import claude, codex
from locus.local.providers.base import Provider
from locus.local.providers.command import Command

PROVIDERS: dict[str, Provider] = {provider.NAME: provider for provider in (claude, codex, Command())}


def choose(name: str, *, command: Sequence[str] = ()) -> Provider:
    """Return the provider of that name; `command` is the argv for the one that runs any program. Raises Usage."""
    provider = PROVIDERS.get(name)
    if provider is None:
        raise Usage(f"There is no provider named {name}.", remedy=f"There are: {', '.join(PROVIDERS)}.")
    if isinstance(provider, Command):
        return replace(provider, argv=tuple(command))
    return provider


def deputies(name: str, environment: Mapping[str, str]) -> list[str]:
    """Who can go on for a provider whose allowance is used up: the others that have one and are installed."""
    if name == Command.NAME:
        return []
    return [other for other in PROVIDERS if other not in (name, Command.NAME) and _is_installed(other, environment)]


def _is_installed(name: str, environment: Mapping[str, str]) -> bool:
    try:
        PROVIDERS[name].locate(environment)
    except LocalError:
        return False
    return True
