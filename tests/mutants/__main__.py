"""`python -m tests.mutants [NAME…]`: each mutant is made of a copy of the product, and its tests have to fail.

First the same tests run on an unchanged copy, where they have to pass: a test that is red anyway has noticed nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.table import MUTANTS, SOURCE, Edit

ROOT = Path(__file__).parents[2]
FAILED = 1  # pytest's exit code for tests that failed; others mean that it did not get so far


def tests(copy: Path, names: Sequence[str], *, stop: bool) -> subprocess.CompletedProcess[str]:
    """Run tests against a copy of the product; until the first failure, when `stop` is set."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names, *(["-x"] if stop else [])]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def make(copy: Path, edits: Sequence[Edit]) -> None:
    """A copy of the product with these edits. Raises ValueError when one does not apply."""
    shutil.copytree(SOURCE, copy / "locus", ignore=shutil.ignore_patterns("__pycache__"))
    for edit in edits:
        path = copy / "locus" / edit.file
        path.write_text(edit.applied(path.read_text()))


def noticed_by(said: str) -> str:
    """The first test that failed, as pytest names it."""
    failed = [line.split(" ")[1].split("::")[-1] for line in said.splitlines() if line.startswith("FAILED ")]
    return failed[0] if failed else ""


def main(wanted: Sequence[str]) -> int:
    alive = []
    chosen = [mutant for mutant in MUTANTS if not wanted or mutant.name in wanted]
    with tempfile.TemporaryDirectory(prefix="locus-mutants-") as place:
        healthy = Path(place, "healthy")
        make(healthy, ())
        every = sorted({name for mutant in chosen for name in mutant.tests})
        control = tests(healthy, every, stop=False)
        if control.returncode != 0:
            print(control.stdout[-4000:])
            print("The unchanged copy is red: nothing can be said of mutants.")
            return 2
        for mutant in chosen:
            began = time.monotonic()
            copy = Path(place, mutant.name)
            make(copy, mutant.edits)
            ran = tests(copy, mutant.tests, stop=True)
            killed = ran.returncode == FAILED
            if not killed:
                alive.append(mutant.name)
            what = f"noticed by {noticed_by(ran.stdout)}" if killed else f"ALIVE (pytest ended with {ran.returncode})"
            print(f"| {mutant.name} | {mutant.title} | {what} | {time.monotonic() - began:.0f} s |", flush=True)
            shutil.rmtree(copy)
    print(f"{len(chosen) - len(alive)} of {len(chosen)} killed.")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
