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
# It fills the disk of its tree, and hides that it failed.
GREEDY = "cat > /dev/null; /usr/bin/head -c 1G /dev/zero > big; exit 0\n"
# It fills the disk with what it says.
TALKATIVE = "cat > /dev/null; /usr/bin/yes 'a line, again and again and again' | /usr/bin/head -c 64M\n"
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
@pytest.mark.parametrize(("agent", "folder"), [(GREEDY, "repositories"), (TALKATIVE, "attempts")])
def test_a_full_disk_gives_the_task_back_and_the_next_run_does_it(place: Path, agent: str, folder: str) -> None:
    with world(place) as made:
        made.add_task()

        code, told = run_on_a_small_disk(made, made.machines[0].person.program("greedy", agent), folder)

        [ended] = [one for one in told if one["kind"] == "task_ended"]
        assert code == 1
        assert ended["outcome"]["reason"] == "disk_full", ended  # type: ignore[index]
        assert made.oracle()["counted"]["in_review"] == 0

        assert made.machines[0].start().wait(LIMIT) == 0
        judged = made.oracle()
        assert judged["judgements"] == {name: [] for name in judged["judgements"]}, judged
        assert judged["counted"]["in_review"] == judged["counted"]["tasks"] == 1
