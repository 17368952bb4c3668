"""The keys of this user: one per control plane, in a file only they can read. Never shown, never on a command line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec

from locus.local import files
from locus.local.directories import directories
from locus.local.errors import LocalError, NotSignedIn

VARIABLE = "LOCUS_API_KEY"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A key for a control plane, and the workspace that it was stored for."""

    server: str
    secret: str = field(repr=False)
    workspace_id: UUID | None = None
    workspace_name: str | None = None
    workspace_prefix: str | None = None


class _Stored(msgspec.Struct, omit_defaults=True):
    """The file. Fields of a newer version are kept away from an older one by `version`."""

    version: int = 1
    servers: dict[str, Credential] = {}


def find(server: str, *, environ: Mapping[str, str] = os.environ) -> Credential:
    """The key for `server`: LOCUS_API_KEY, else the stored one. Raises NotSignedIn when there is none."""
    if secret := environ.get(VARIABLE, "").strip():
        return Credential(server=server, secret=secret)
    found = stored(server, environ=environ)
    if found is None:
        raise NotSignedIn(
            f"This machine has no key for {server}.",
            remedy="Run `locus up` for a control plane of your own, or `locus login` with a key of another.",
        )
    return found


def stored(server: str, *, environ: Mapping[str, str] = os.environ) -> Credential | None:
    """The stored key for `server`, whatever LOCUS_API_KEY says. Raises LocalError for an unsafe or broken file."""
    return _read(directories(environ).credentials).servers.get(server)


def secrets(*, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Every key that this user has here, for what must never show one. Raises LocalError like `stored`."""
    given = environ.get(VARIABLE, "").strip()
    kept = [credential.secret for credential in _read(directories(environ).credentials).servers.values()]
    return [*kept, *([given] if given else [])]


def store(credential: Credential, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Keep a key for the next command, in place of an older one, and return the file."""
    path = directories(environ).credentials
    with files.locked(path):
        content = _read(path)
        content.servers[credential.server] = credential
        _write(path, content)
    return path


def forget(server: str, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Remove the key for `server`; false when there was none."""
    path = directories(environ).credentials
    with files.locked(path):
        content = _read(path)
        if content.servers.pop(server, None) is None:
            return False
        _write(path, content)
    return True


def _read(path: Path) -> _Stored:
    text = files.read_private(path, secret=True)
    if text is None:
        return _Stored()
    try:
        content = msgspec.json.decode(text, type=_Stored)
    except (msgspec.DecodeError, UnicodeError) as e:
        # The decoder's words may quote the file, and the file holds keys.
        raise LocalError(f"{path} cannot be read as credentials.", remedy="Remove it and run `locus login`.") from e
    if content.version != 1:
        raise LocalError(f"{path} was written by a newer Locus.", remedy="Upgrade, or remove it and sign in again.")
    return content


def _write(path: Path, content: _Stored) -> None:
    files.write(path, msgspec.json.format(msgspec.json.encode(content)).decode() + "\n")
