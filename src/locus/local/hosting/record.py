"""Which server this account started, so that later commands find it: one small file in the state directory."""

import signal
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from locus.local import files

FILE = "server.json"
START_SLACK = 5.0  # seconds; the start time of a process is derived from the boot time, which the clock may move
STOP_LIMIT = 30.0  # seconds; the server finishes its requests (10 s) and then stops its database
POLL = 0.05  # seconds between two looks at a process that is not our child


class Record(Struct, frozen=True):
    """A server program that was started and became ready."""

    pid: int
    started: float
    """When the process began, seconds since 1970: a later process with the same pid is another one."""
    url: str
    data: str
    log: str
    version: str
    workspace: str | None = None
    owner: int | None = None
    """The `locus up` that stops it at its own end; null when nobody does (--detach)."""
    owner_started: float | None = None


def read(state: Path) -> Record | None:
    """Return the record in the state directory, or None when there is none that can be read."""
    try:
        return msgspec.json.decode((state / FILE).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write(state: Path, record: Record) -> None:
    """Keep the record for later commands; the file appears whole or not at all."""
    files.write(state / FILE, msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n")


def forget(state: Path, record: Record) -> None:
    """Remove the record, unless it has become another server's."""
    if read(state) == record:
        (state / FILE).unlink(missing_ok=True)


def start_time(pid: int) -> float:
    """Return when a living process began, in seconds since 1970; raises psutil.NoSuchProcess."""
    return psutil.Process(pid).create_time()


def is_alive(record: Record) -> bool:
    """Whether the very process of the record still runs, as a server."""
    process = _same(record.pid, record.started)
    if process is None:
        return False
    try:
        return "locus.server" in process.cmdline()
    except psutil.Error:  # ended meanwhile, or another user's
        return False


def owner_is_alive(record: Record) -> bool:
    """Whether the `locus up` in the foreground that stops this server still runs."""
    return record.owner is not None and _same(record.owner, record.owner_started or 0.0) is not None


def stop(record: Record, *, limit: float = STOP_LIMIT) -> bool:
    """End the server of the record and wait for its end; False when it had to be killed after `limit` seconds."""
    process = _same(record.pid, record.started)
    if process is None or not is_alive(record):
        return True
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGTERM)
    if _gone(process, limit):
        return True
    with suppress(psutil.NoSuchProcess):
        process.kill()
    _gone(process, 5.0)
    return False


def _gone(process: psutil.Process, limit: float) -> bool:
    # Not psutil's wait: where pid 1 does not reap, a process that ended stays as a zombie for ever.
    until = time.monotonic() + limit
    while _runs(process):
        if time.monotonic() > until:
            return False
        time.sleep(POLL)
    return True


def _same(pid: int, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) <= START_SLACK
    except psutil.NoSuchProcess:
        return None
    return process if same and _runs(process) else None


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
