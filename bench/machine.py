"""What a measurement ran on, in words that belong beside its figures."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Machine:
    """The machine, and how busy it was. `load` is the average number of running processes over a minute."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    postgresql: str
    git: str
    date: str
    load: float

    def __str__(self) -> str:
        return (
            f"{self.cores} × {self.cpu}, {self.memory_gb:.0f} GB, {self.kernel}, Python {self.python}, "
            f"PostgreSQL {self.postgresql}, git {self.git}; {self.date}, load before the run {self.load:.1f}"
        )


def look() -> Machine:
    """Describe this machine as it is now."""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / 1e9,
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        postgresql=_postgresql(),
        git=_version(["git", "--version"]),
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        load=os.getloadavg()[0],
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _postgresql() -> str:
    from locus.server.db import binaries

    folder = binaries.bundled() or next(binaries.installed(), None)
    return _version([str(folder / "postgres"), "--version"]) if folder else "none"


def _version(command: Sequence[str]) -> str:
    """The last word of what a program says of its version; "none" when there is no such program."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return said[-1]
