"""What a service is, and its description for systemd and for launchd. Pure: text comes out, nothing is started."""

import plistlib
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from locus.local.errors import LocalError

STOPPING = 90  # seconds that a run has to park its work and give its task back
PAUSE = 5  # seconds before it is started again
BURST, PERIOD = 10, 600  # so many starts within so many seconds, then it stays down until somebody looks
PROCESSES = 8192
# Of the environment of who installs: where things are, and no key. A service asks for its key as commands do.
KEPT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "LOCUS_CONFIG_DIR", "LOCUS_STATE_DIR", "LOCUS_DATA_DIR"),
    *("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"),
)


class Part(StrEnum):
    """What can be a service."""

    BOT = "bot"
    WORKER = "worker"
    SERVER = "server"


class Service(Struct, frozen=True):
    """One service: its name, its command line, where it runs and with which variables."""

    name: str
    about: str
    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    log: Path  # for launchd, which keeps none itself
    again: bool = True  # whether it is started again when it ended with an error of its own


def service(
    part: Part, *, python: str, root: Path | None, home: Path, state: Path, environ: Mapping[str, str]
) -> Service:
    """The service of a part; a worker is that of the repository `root`. Raises LocalError."""
    locus = (python, "-m", "locus")
    name = f"locus-{part}"
    if part is Part.WORKER:
        if root is None:
            raise LocalError("A worker belongs to a repository.", remedy="Name it: locus -C DIR service install worker")
        name = f"locus-worker-{re.sub(r'[^a-z0-9-]+', '-', root.name.casefold()).strip('-') or 'project'}"
        argv: tuple[str, ...] = (*locus, "-C", str(root), "run", "--watch")
        about = f"Locus: agents work in {root}"
    elif part is Part.BOT:
        argv, about = (*locus, "telegram", "run"), "Locus: the Telegram bot"
    else:
        argv, about = (*locus, "up"), "Locus: the control plane of this machine"
    kept = {variable: environ[variable] for variable in KEPT if environ.get(variable)}
    for text in (*argv, *kept.values(), about):
        if not text.isprintable():
            raise LocalError(f"{text!r} cannot be part of a service.", remedy="Use a path without control characters.")
    # A worker that stops itself has seen too many failures, or a limit: starting it again would burn attempts.
    again = part is not Part.WORKER
    return Service(name, about, argv, root or home, kept, state / "services" / f"{name}.log", again)


def systemd_unit(one: Service) -> str:
    """The text of a systemd user unit."""
    lines = [
        "[Unit]",
        f"Description={one.about.replace('%', '%%')}",
        "Wants=network-online.target",
        "After=network-online.target",
        f"StartLimitIntervalSec={PERIOD}",
        f"StartLimitBurst={BURST}",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(_word(word) for word in one.argv)}",
        f"WorkingDirectory={str(one.directory).replace('%', '%%')}",
        *(f"Environment={_word(f'{name}={value}', command=False)}" for name, value in one.environment.items()),
        # Wrong usage, no key: another start would end the same way. A server that does not answer may do so later.
        *(("Restart=on-failure", "RestartPreventExitStatus=2 3") if one.again else ("Restart=on-abnormal",)),
        "RestartForceExitStatus=4",
        # Stopped by systemd itself, or from a terminal: no failure.
        "SuccessExitStatus=129 130 143",
        f"RestartSec={PAUSE}",
        # The main process ends its children itself; what is left after that is killed.
        "KillMode=mixed",
        f"TimeoutStopSec={STOPPING}",
        "OOMPolicy=continue",
        f"TasksMax={PROCESSES}",
        "LimitCORE=0",
        "UMask=0077",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    return "\n".join(lines)


def launchd_plist(one: Service) -> str:
    """The text of a launch agent."""
    return plistlib.dumps(
        {
            "Label": label(one.name),
            "ProgramArguments": list(one.argv),
            "WorkingDirectory": str(one.directory),
            "EnvironmentVariables": dict(one.environment),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False} if one.again else {"Crashed": True},
            "ThrottleInterval": PAUSE * 2,
            "ExitTimeOut": STOPPING,
            "ProcessType": "Background",
            "SoftResourceLimits": {"Core": 0},
            "Umask": 0o077,
            "StandardOutPath": str(one.log),
            "StandardErrorPath": str(one.log),
        },
        sort_keys=False,
    ).decode()


def label(name: str) -> str:
    """The name by which launchd knows a service."""
    return f"dev.locus.{name.removeprefix('locus-')}"


def _word(text: str, *, command: bool = True) -> str:
    """One word of a unit file: quoted, so that systemd takes nothing of it for its own."""
    said = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{said.replace("$", "$$") if command else said}"'
