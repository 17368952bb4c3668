"""One PostgreSQL server process: how its directory is made, how it is launched, told apart from others and ended."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from locus.server.db import account as accounts, binaries
from locus.server.db.binaries import Programs
from locus.server.db.errors import DatabaseUnavailable, why_it_failed
from locus.server.db.home import PORT, SOCKET, Home

SUPERUSER = "locus"
LOG_LIMIT = 10 * 1024 * 1024  # bytes of log after which a start begins a new one and keeps one old

# Given on the command line at every start, so that no edited file and no older release can differ from them.
# Small, because a person's machine has other things to do; synchronous_commit and fsync stay as they are: on.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "huge_pages": "off",
    # /dev/shm is tiny in many containers, and logind empties it when the user logs out.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}

# How PostgreSQL refuses to start beside the remains of a killed server, until the last of its children has left.
REMAINS = ("pre-existing shared memory block", "could not remove old", "lock file")


@dataclass(frozen=True)
class Postmaster:
    """What postmaster.pid says: the process, and whether it takes connections. It may be long dead."""

    pid: int
    ready: bool


def recorded(home: Home) -> Postmaster | None:
    """The postmaster that the cluster's pid file names, if there is a whole one."""
    try:
        lines = (home.cluster / "postmaster.pid").read_text(errors="replace").splitlines()
        return Postmaster(int(lines[0]), lines[7].strip() == "ready" if len(lines) > 7 else False)
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None


def lives(pid: int) -> bool:
    """Whether the process runs. A zombie does not, although its id is still taken."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def serves(pid: int, home: Home) -> bool:
    """Whether the process is the postmaster of this cluster, and not something that was given an old id anew."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(home.cluster) in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def made_by(home: Home) -> int | None:
    """The major version that made the cluster, or None when there is none yet."""
    try:
        return int((home.cluster / "PG_VERSION").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise DatabaseUnavailable(
            f"{home.cluster} is not a PostgreSQL cluster that this program knows.",
            remedy="Move it away to begin with an empty database, or choose another data directory.",
        ) from None


def prepare(home: Home, folder: Path | None) -> Programs:
    """Choose the programs, and make the cluster if there is none. A killed attempt leaves only a temporary directory.

    Raises:
        DatabaseUnavailable: no programs fit, or initdb failed.
        OSError: the disk is full or refuses.
    """
    programs = binaries.choose(home.root, home.account, major=made_by(home), folder=folder)
    if home.cluster.exists():
        return programs
    for remains in home.root.glob("cluster.new-*"):
        shutil.rmtree(remains, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=home.root))
    accounts.give(new, home.account)
    command: list[str | Path] = [
        programs.initdb,
        *["-D", str(new), "-U", SUPERUSER, "--encoding=UTF8", *_locale(programs)],
        # Only the socket can be reached, and its directory is private.
        *["--auth-local=trust", "--auth-host=reject"],
        "--no-sync",  # one sync at the end is much faster than one for each of a thousand files
    ]
    try:
        answer = accounts.run(command, home.account)
    except subprocess.TimeoutExpired as error:
        shutil.rmtree(new, ignore_errors=True)
        raise why_it_failed("initdb did not finish.", str(error.stderr or ""), where=str(home.root)) from error
    if answer.returncode:
        shutil.rmtree(new, ignore_errors=True)
        output = answer.stdout + answer.stderr
        raise why_it_failed("PostgreSQL could not make its data directory.", output, where=str(home.root))
    os.sync()  # the name below must not outlive the files
    new.rename(home.cluster)
    return programs


def launch(home: Home, programs: Programs, settings: Mapping[str, str]) -> int:
    """Start a postmaster, in a session of its own and nobody's child, and return its process id at once.

    `settings` are added to ours. Nobody may be serving this cluster.

    Raises:
        OSError: the log or the socket's directory cannot be written.
        DatabaseUnavailable: somebody else has made the socket's directory.
    """
    sockets = home.make_sockets()
    for left in (SOCKET, f"{SOCKET}.lock"):
        (sockets / left).unlink(missing_ok=True)
    every = SETTINGS | _of_this_platform(programs) | dict(settings)
    command: list[str | Path] = [programs.postgres, "-D", home.cluster, "-k", sockets, "-p", str(PORT)]
    for name, value in every.items():
        command += ["-c", f"{name}={value}"]
    # PostgreSQL will not start when the id in an old postmaster.pid belongs to any process of its account: after a
    # reboot or in a container that is easily a stranger, and where nobody reaps, a zombie. It makes an exception for
    # its grandparent; the check that no child of the old server still uses the memory is not touched by this.
    old = recorded(home)
    pardon = [f"PG_GRANDPARENT_PID={old.pid}"] if old else []
    with home.log.open("ab") as log:
        # The shell ends at once, and the first process of the machine inherits the server.
        shell = ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", "/usr/bin/env", *pardon, *command]
        answer = accounts.run(shell, home.account, stderr=log.fileno())
    return int(answer.stdout)


def end(pid: int, how: signal.Signals) -> None:
    """Ask a postmaster to end: SIGINT disconnects all and ends in order, SIGQUIT ends at once and is repaired later."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        pass  # it was faster


def begin_log(home: Home) -> int:
    """Put a log that has grown too large aside, and return at which byte the next start will begin to write."""
    try:
        size = home.log.stat().st_size
    except FileNotFoundError:
        return 0
    if size <= LOG_LIMIT:
        return size
    home.log.replace(home.log.with_suffix(".log.1"))
    return 0


def log_since(home: Home, offset: int) -> str:
    """What the server has logged from a byte offset on."""
    try:
        with home.log.open("rb") as log:
            log.seek(offset)
            return log.read(64 * 1024).decode(errors="replace")
    except FileNotFoundError:
        return ""


def _locale(programs: Programs) -> list[str]:
    """Order text by code point everywhere, whatever the machine's locale: its updates would break the indexes."""
    if programs.major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


def _of_this_platform(programs: Programs) -> dict[str, str]:
    chosen = {}
    if sys.platform == "linux":
        # After a crash every file of the cluster is synced; one call for the file system is 10 times faster.
        chosen["recovery_init_sync_method"] = "syncfs"
    if programs.major >= 18:
        chosen["io_method"] = "sync"  # three processes fewer
    return chosen
