"""bubblewrap: the program that makes the namespaces, and whether it can on this machine."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.process import base_environment, run

TRIAL_LIMIT = 10.0  # seconds for what takes milliseconds when it works
WITHOUT = "Or let agents work with your rights, where there is nothing they must not touch: locus run --no-sandbox"
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
MOST_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))

# Everything that a namespace can keep apart, but the network. A group of its own, so that signals for the command
# inside do not end the program around it.
WALLS = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "localhost"),
)


class NoSandbox(LocalError):
    """There is no sandbox on this machine; the remedy says how to get one, or how to do without."""


class Bubblewrap(Struct, frozen=True):
    """A bubblewrap that is there. `setuid` ones lose their rights when restrictions are inherited."""

    binary: Path
    setuid: bool


def find(environ: Mapping[str, str]) -> Bubblewrap:
    """Look for bubblewrap. Raises NoSandbox."""
    if sys.platform != "linux":
        raise NoSandbox(
            f"Locus has no sandbox on {platform.system() or sys.platform}: an agent would work with your rights.",
            remedy=WITHOUT,
        )
    found = shutil.which("bwrap", path=environ.get("PATH", ""))
    if found is None:
        raise NoSandbox(
            "bubblewrap is not installed, and agents are kept in its sandbox.",
            remedy=f"sudo apt install bubblewrap   (dnf, pacman, zypper and apk have it by the same name)\n{WITHOUT}",
        )
    binary = Path(found).absolute()
    return Bubblewrap(binary, setuid=bool(binary.stat().st_mode & 0o4000))


async def probe(environ: Mapping[str, str]) -> Bubblewrap:
    """Find bubblewrap and have it make a sandbox, because whether it may is known only then. Raises NoSandbox."""
    bubblewrap = find(environ)
    trial = [*WALLS, "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "true"]
    done = await run(
        [str(bubblewrap.binary), *trial], cwd=Path("/"), env=base_environment(environ), timeout=TRIAL_LIMIT
    )
    if done.ok:
        return bubblewrap
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    said = lines[-1].removeprefix("bwrap: ") if lines else f"it ended with {done.exit}"
    raise NoSandbox(f"bubblewrap cannot make a sandbox here: {said}.", remedy=f"{_cure()}\n{WITHOUT}")


def _cure() -> str:
    if _number(APPARMOR) == 1:
        return (
            "AppArmor forbids it on this system. Allow it for bubblewrap alone:\n"
            "sudo apt install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict "
            "/etc/apparmor.d/ && sudo systemctl reload apparmor"
        )
    if _number(MOST_NAMESPACES) == 0:
        return "The kernel is set to allow no user namespaces: sudo sysctl user.max_user_namespaces=10000"
    if _number(Path("/proc/sys/kernel/unprivileged_userns_clone")) == 0:
        return "The kernel is set to keep user namespaces for root: sudo sysctl kernel.unprivileged_userns_clone=1"
    if any(path.exists() for path in CONTAINERS):
        return (
            "Containers usually may not. Give this one the right to (docker run --security-opt seccomp=unconfined "
            "--security-opt systempaths=unconfined --cap-add SYS_ADMIN ...), or let the container be the wall."
        )
    return "See whether `bwrap --unshare-user --ro-bind / / true` works for you, and why not."


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
