"""The server program as a child of `locus up`: its command line, its start until it says that it is ready."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from locus.local.credentials import VARIABLE
from locus.local.errors import LocalError
from locus.local.process import MARKER

START_LIMIT = 120.0  # seconds; a first start makes a database, on a slow disk
LOG_KEPT = 4 << 20  # bytes; a longer log is moved aside when the next server starts
TAIL_LINES = 15
SERVER_PACKAGES = ("asyncpg", "litestar", "uvicorn")


class FirstWorkspace(Struct, frozen=True):
    id: UUID
    name: str
    prefix: str


class Ready(Struct, frozen=True):
    """What the server program says, once, when it answers requests."""

    url: str
    version: str
    data: str
    database: str
    """`embedded` or `external`."""
    key: str | None = None
    """The secret of a new key, when one was asked for."""
    workspace: FirstWorkspace | None = None
    sign_in: str | None = None
    """A link that signs a browser in, once and within ten minutes."""


class ServerEnded(LocalError):
    """The server program ended before it was ready, or while it was needed."""


class Serving(Struct, frozen=True):
    """A server program that is ready."""

    process: subprocess.Popen[bytes]
    ready: Ready
    log: Path
    log_from: int
    """Where in the log this program's own lines begin, in bytes."""

    def ended(self) -> ServerEnded:
        """Say that it ended by itself, with the last lines of its log."""
        return _ended(self.process.wait(), tail(self.log, self.log_from), "The server ended by itself", self.log)


def server_command(*arguments: str) -> list[str]:
    """Return the command line of the server program; raises LocalError when its packages are not installed."""
    if any(find_spec(package) is None for package in SERVER_PACKAGES):
        raise LocalError(
            "The server is not installed here: only the command line and the worker are.",
            remedy="Install it: pip install 'locusai[server]'    Or use a server elsewhere: locus login --server URL",
        )
    return [sys.executable, "-m", "locus.server", *arguments]


def server_environment(environ: Mapping[str, str], data: Path) -> dict[str, str]:
    """Return the environment of the server program: ours without our key, and with its database below `data`."""
    passed = {name: value for name, value in environ.items() if name != VARIABLE}
    return {"LOCUS_SERVER_DATA": str(data / "server"), **passed}


def check_port(host: str, port: int) -> None:
    """Raise LocalError when something else listens on the port; 0 means any free one."""
    if port == 0:
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise LocalError(
                f"Port {port} may not be used by this account.", remedy="Choose another one: locus up --port 4700"
            ) from error
        except OSError as error:
            raise LocalError(
                f"Port {port} on {host} is taken by another program.",
                remedy="Choose another one (locus up --port 4701), or any free one (locus up --port 0).",
            ) from error


def start(argv: list[str], *, environ: Mapping[str, str], log: Path, limit: float = START_LIMIT) -> Serving:
    """Start the server program and wait until it is ready, at most `limit` seconds.

    It gets a session of its own, so the terminal's Ctrl+C reaches only us; it writes its log to `log`.
    Raises ServerEnded with the last lines of the log. When interrupted, the program is ended first.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if log.exists() and log.stat().st_size > LOG_KEPT:
        log.replace(log.with_suffix(".old.log"))
    log_from = log.stat().st_size if log.exists() else 0
    # Not through locus.local.process: this child outlives us with --detach, so it must write to a file, not to a pipe.
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
        process = subprocess.Popen(
            argv,
            cwd="/",
            env={**environ, MARKER: f"server-{os.getpid()}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            start_new_session=True,
        )
    try:
        ready = _await_ready(process, log, log_from, limit)
    except BaseException:
        end(process)
        raise
    return Serving(process, ready, log, log_from)


def sign_in_link(url: str, *, data: str | None, environ: Mapping[str, str]) -> str:
    """A link that signs a browser in at the server that runs at `url`, once; `data` is None for DATABASE_URL.

    Raises:
        LocalError: the database would not make one.
    """
    done = subprocess.run(
        server_command("sign-in", *(["--data", data] if data else [])),
        cwd="/",
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=START_LIMIT,
        check=False,
    )
    try:
        return f"{url}{json.loads(done.stdout)['path']}"
    except (ValueError, KeyError) as error:
        said = done.stderr.decode(errors="replace").strip()
        raise LocalError(f"The server made no link to sign in with. {said}") from error


def end(process: subprocess.Popen[bytes], *, grace: float = 30.0) -> int:
    """End our child in an orderly way, by force after `grace` seconds; returns its return code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _await_ready(process: subprocess.Popen[bytes], log: Path, log_from: int, limit: float) -> Ready:
    assert process.stdout is not None
    until = time.monotonic() + limit
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                raise ServerEnded(
                    f"The server was not ready within {limit:.0f} s.{tail(log, log_from)}", remedy=f"Its log: {log}"
                )
            if not (data := os.read(process.stdout.fileno(), 65_536)):
                raise _ended(process.wait(), tail(log, log_from), "The server did not start", log)
            line += data
    try:
        return msgspec.convert(json.loads(line.splitlines()[0]), Ready)
    except (ValueError, msgspec.ValidationError) as error:
        raise ServerEnded(f"The server said something else than that it is ready.{tail(log, log_from)}") from error


def _ended(code: int, said: str, what: str, log: Path) -> ServerEnded:
    how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    return ServerEnded(f"{what} ({how}).{said}", remedy=f"Its log: {log}")


def tail(log: Path, log_from: int) -> str:
    """Return the last lines of the log from a place in it on, each on a line of its own, or nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(log_from, log.stat().st_size - 65_536))
            lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        return ""
    return "".join(f"\n  {line}" for line in lines)
