"""A disk that is full while an agent works: the task is given back, nothing is in review, and the next run does it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.world import World, world
from tests.support import person as persons, postgres, wrappers

LIMIT = 180.0  # seconds for a whole run on a busy machine
GREEDY = "cat > /dev/null; /usr/bin/head -c 1G /dev/zero > big; exit 0\n"
SIZE = 8 << 20  # bytes of the small disk


@pytest.fixture
def place() -> Iterator[Path]:
    with postgres.directory() as base:
        yield base


def run_on_a_small_disk(made: World, agent: Path, folder: str) -> tuple[int, list[dict[str, object]]]:
    """A whole run of which one folder of the state lies on a small disk; its exit code and what it told."""
    machine = made.machines[0]
    small = machine.person.state / folder
    small.mkdir(parents=True, exist_ok=True)
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    done = subprocess.run(
        [
            *(bwrap, "--dev-bind", "/", "/", "--size", str(SIZE), "--tmpfs", str(small), "--"),
            *persons.command("run", "--yes", "--json", "--once"),
        ],
        cwd=machine.checkout,
        env=machine.environment(program=agent),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not wrappers.works(), reason="bubblewrap makes no small disk here")
def test_a_full_disk_gives_the_task_back_and_the_next_run_does_it(place: Path) -> None:
    with world(place) as made:
        made.add_task()
        # It fills the disk, and hides that it failed.
        greedy = made.machines[0].person.program("greedy", GREEDY)

        code, told = run_on_a_small_disk(made, greedy, "repositories")

        [ended] = [one for one in told if one["kind"] == "task_ended"]
        assert code == 1
        assert ended["outcome"]["reason"] == "disk_full", ended  # type: ignore[index]
        assert made.oracle()["counted"]["in_review"] == 0

        assert made.machines[0].start().wait(LIMIT) == 0
        judged = made.oracle()
        assert judged["judgements"] == {name: [] for name in judged["judgements"]}, judged
        assert judged["counted"]["in_review"] == judged["counted"]["tasks"] == 1
