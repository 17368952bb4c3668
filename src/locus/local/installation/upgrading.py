"""What each installer is asked: which version is the newest, and to bring it.

Nobody but the installer is asked, so its own index, proxy and certificates count. It is never started in the folder
that the person stands in: installers and Python read settings and modules from there, and a repository must not choose
what is installed.
"""

import json
import os
import re
import shutil

from msgspec import Struct

from locus.local import process
from locus.local.errors import LocalError
from locus.local.installation.found import NAME, Found, Installer
from locus.version import VERSION

ASKING = 120.0  # seconds for an answer of the index
INSTALLING = 1200.0  # seconds for downloads and everything else
QUIETLY = ("--disable-pip-version-check", "--no-input")
_PLANNED = re.compile(rf"^\s*\+ {NAME}==(\S+)", re.MULTILINE)
_OUTDATED = re.compile(rf"^{NAME} v\S+ \[latest: (\S+?)\]", re.MULTILINE)


class Commands(Struct, frozen=True):
    """The argument lists of one installer."""

    check: tuple[str, ...]
    upgrade: tuple[str, ...]


def commands(found: Found) -> Commands:
    """What is run for this installation. Raises LocalError, saying what to do, where no installer can be asked."""
    place = found.place
    match found.installer:
        case Installer.UV_TOOL:
            uv = _program("uv")
            return Commands((uv, "tool", "list", "--outdated"), (uv, "tool", "upgrade", NAME))
        case Installer.PIPX:
            pipx, name = _program("pipx"), place.prefix.name
            return Commands((pipx, "runpip", name, *_report(NAME)), (pipx, "upgrade", name))
        case Installer.UV:
            install = (_program("uv"), "pip", "install", "--python", place.python, "--upgrade")
            return Commands((*install, "--dry-run", "--no-deps", NAME), (*install, found.wanted))
        case Installer.PIP:
            pip = (place.python, "-P", "-m", "pip")
            user = ("--user",) if found.by_user else ()
            return Commands((*pip, *_report(NAME)), (*pip, "install", "--upgrade", *QUIETLY, *user, found.wanted))
        case Installer.CHECKOUT:
            raise LocalError(
                f"This Locus runs from its source in {found.source}.",
                remedy=f"Run `git -C {found.source} pull`, and install what it needs as you did: make setup",
            )
        case Installer.URL:
            raise LocalError(
                f"This Locus was installed from {found.source}, which no index knows.",
                remedy="Install it from there again, or from your index with `uv tool install` or `pipx install`.",
            )
        case Installer.SYSTEM:
            raise LocalError(
                f"This Locus belongs to the Python in {place.prefix}, which others look after; Locus never uses sudo.",
                remedy=f"Have them upgrade it, or install your own: uv tool install {NAME}",
            )


async def newest(found: Found) -> str:
    """The newest version that the installer would bring; ours when there is no newer one. Raises LocalError."""
    done = await _run(commands(found).check, found, ASKING)
    said = done.stdout.decode("utf-8", "replace")
    match found.installer:
        case Installer.UV_TOOL:
            planned = _OUTDATED.search(said)
        case Installer.UV:
            planned = _PLANNED.search(said + done.stderr.decode("utf-8", "replace"))
        case _:
            return _reported(said)
    return planned[1] if planned else VERSION


async def upgrade(found: Found) -> None:
    """Have the installer bring the newest version. Raises LocalError with its last words."""
    await _run(commands(found).upgrade, found, INSTALLING)


async def _run(argv: tuple[str, ...], found: Found, limit: float) -> process.Completed:
    done = await process.run(argv, cwd=found.place.prefix, env=os.environ, timeout=limit)
    if not done.ok:
        words = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()[-8:]
        said = "\n".join(words) or f"It ended with {done.exit}."
        raise LocalError(
            f"`{' '.join(argv)}` failed:\n{said}", remedy="What was installed before is still there. Try it by hand."
        )
    return done


def _report(wanted: str) -> tuple[str, ...]:
    return ("install", "--upgrade", "--dry-run", "--quiet", "--report", "-", "--no-deps", *QUIETLY, wanted)


def _reported(said: str) -> str:
    try:
        planned = json.loads(said)["install"]
        return str(planned[0]["metadata"]["version"]) if planned else VERSION
    except (ValueError, KeyError, IndexError, TypeError) as e:
        raise LocalError("pip did not say which version it would install.", remedy="It must be 22.2 or later.") from e


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise LocalError(
            f"This Locus was installed with {name}, which is not on PATH.", remedy=f"Put {name} on PATH and try again."
        )
    return found
