"""What the user has decided about the sandbox: never the repository, never the server."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from locus.local.directories import directories
from locus.local.errors import LocalError
from locus.local.settings import Settings


class Network(StrEnum):
    OPEN = "open"  # as the user's own programs have it
    PROVIDER = "provider"  # the model's service and the hosts that the user named


class Policy(Struct, frozen=True, kw_only=True):
    """How far an agent, a set-up command and a check may reach. `read` and `write` are what the user adds."""

    network: Network = Network.OPEN
    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()  # `host` or `host:port`; only for a network that is not open


def of(settings: Settings, environ: Mapping[str, str]) -> Policy | None:
    """The policy that the settings ask for; None when they switch the sandbox off. Raises LocalError."""
    if settings.sandbox == "off":
        return None
    home = Path(environ.get("HOME", "/"))
    write = _paths(settings.sandbox_write or (), home)
    ours = directories(environ)
    for path in write:
        for sacred in (home, ours.config, ours.state, ours.data):
            if sacred == path or sacred.is_relative_to(path):
                raise LocalError(
                    f"`sandbox_write` holds {path}, which would let an agent change what Locus and your shell trust.",
                    remedy="Name the folders below it that an agent needs, one by one.",
                )
    return Policy(
        network=Network(settings.network),
        read=_paths(settings.sandbox_read or (), home),
        write=write,
        hosts=settings.network_hosts or (),
    )


def _paths(given: tuple[str, ...], home: Path) -> tuple[Path, ...]:
    return tuple(home / path.removeprefix("~").lstrip("/") if path.startswith("~") else Path(path) for path in given)
