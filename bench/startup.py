"""How fast `locus` starts, as multiples of the Python that runs it.

The installation that is measured is a virtual environment with nothing but Locus: development tools put `.pth` files
into theirs, which every Python in it reads. The three commands run in turn, so that whatever else the machine does
falls on all of them alike.
"""

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import locus
from bench.measure import Measure, at_most, median

ROUNDS = 60
WARM_UP = 3
# As installers write it.
LAUNCHER = """\
#!{python}
import sys
from locus.__main__ import main
if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass(frozen=True)
class Took:
    """What one start took, in seconds: by the clock, and of processor."""

    wall: float
    cpu: float


async def measure(*, rounds: int = ROUNDS) -> list[Measure]:
    """Compare `locus --version` and `locus --help` with `python -c pass`, the medians of `rounds` starts each."""
    with TemporaryDirectory(prefix="locus-bench-") as place:
        python, program = _install(Path(place))
        commands = ([str(python), "-c", "pass"], [str(program), "--version"], [str(program), "--help"])
        taken: tuple[list[Took], ...] = tuple([] for _ in commands)
        for at in range(-WARM_UP, rounds):
            for command, took in zip(commands, taken, strict=True):
                one = _time(command)
                if at >= 0:
                    took.append(one)
    bare, version, help_page = taken
    return [
        _compared("locus --version", version, bare, bound=2.0),
        _compared("locus --help", help_page, bare, bound=3.0),
    ]


def _compared(name: str, took: Sequence[Took], bare: Sequence[Took], *, bound: float) -> Measure:
    wall, bare_wall = median([one.wall for one in took]), median([one.wall for one in bare])
    cpu, bare_cpu = median([one.cpu for one in took]), median([one.cpu for one in bare])
    return Measure(
        name,
        wall / bare_wall,
        "×",
        at_most(bound),
        baseline=f"`python -c pass`: {bare_wall * 1000:.1f} ms",
        note=f"{wall * 1000:.1f} ms; of processor time {cpu / bare_cpu:.2f} ×",
    )


def _install(place: Path) -> tuple[Path, Path]:
    """A virtual environment with Locus as an installer leaves it; returns its Python and its `locus`."""
    venv.create(place, symlinks=True, with_pip=False)
    python = place / "bin" / "python"
    packages = place / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(locus.__file__).parent, packages / "locus", ignore=ignore)
    subprocess.run([python, "-m", "compileall", "-q", packages], check=True)
    program = place / "bin" / "locus"
    program.write_text(LAUNCHER.format(python=python))
    program.chmod(0o755)
    return python, program


def _time(command: Sequence[str]) -> Took:
    began = time.perf_counter()
    pid = os.posix_spawn(
        command[0],
        list(command),
        {"PATH": os.defpath, "LANG": "C.UTF-8"},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return Took(wall, usage.ru_utime + usage.ru_stime)
