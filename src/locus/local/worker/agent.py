"""What a worker says of itself when it registers: what kind of machine it is, never which."""

import os
import platform
import secrets
from collections.abc import Mapping
from pathlib import Path

import psutil

from locus.local.worker.workplace import Workplace
from locus.version import VERSION
from locus.wire.agents import AgentRegistration, HostClass, OsFamily, ProviderName

OS_FAMILIES = {"Linux": OsFamily.LINUX, "Darwin": OsFamily.MACOS, "Windows": OsFamily.WINDOWS}


def registration(work: Workplace) -> AgentRegistration:
    """A new agent with a name of its own; no host name, no user name, no path."""
    return AgentRegistration(
        name=f"{work.options.name or work.provider.NAME}-{secrets.token_hex(2)}",
        host_class=host_class(work.environment),
        os_family=OS_FAMILIES.get(platform.system(), OsFamily.OTHER),
        provider=ProviderName(work.provider.NAME),
        locus_version=VERSION,
        provider_version=work.provider_version,
        model=work.options.model,
    )


def host_class(environment: Mapping[str, str], *, root: Path = Path("/")) -> HostClass:
    """What kind of machine this is, as far as it shows."""
    if environment.get("CI"):
        return HostClass.CI
    if (
        (root / ".dockerenv").exists()
        or (root / "run/.containerenv").exists()
        or environment.get("KUBERNETES_SERVICE_HOST")
    ):
        return HostClass.CONTAINER
    if _has_battery():
        return HostClass.LAPTOP
    return HostClass.SERVER if os.environ.get("SSH_CONNECTION") else HostClass.UNKNOWN


def _has_battery() -> bool:
    try:
        return psutil.sensors_battery() is not None
    except (AttributeError, OSError):  # not on every system, and not readable in every sandbox
        return False
