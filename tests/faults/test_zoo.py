"""Agents that misbehave, remotes that refuse and clocks that jump: real workers, and the oracle afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import zoo
from tests.faults.machines import Machine
from tests.faults.steps import BY_NAME
from tests.faults.world import BRANCH, World, world
from tests.support import postgres

RUNS = 12  # at most; three failures in a row end one
# `make faults` sets it. What is behind it takes half a minute each.
LONG = pytest.mark.skipif(os.environ.get("LOCUS_FAULTS") != "long", reason="a part of make faults")
SLOW = 120.0  # seconds for a run on a busy machine


@pytest.fixture
def place() -> Iterator[Path]:
    with postgres.directory() as base:
        yield base


def work_off(machine: Machine, *, limit: float = SLOW, **variables: str) -> None:
    """Run workers until no task is left in the backlog; `limit` is in seconds, for one of them."""
    for _ in range(RUNS):
        machine.start(**variables).wait(limit)
        if "BACKLOG" not in machine.world.statuses().values():
            return
    raise AssertionError(machine.world.statuses())


def ends(made: World) -> dict[str, str]:
    """How each task ended, by its title."""
    tasks = made.ask("GET", "/tasks?limit=200")["items"]
    return {task["title"]: f"{task['status']} {task['blocked_reason'] or ''}".strip() for task in tasks}


def tried_once(made: World) -> None:
    made.ask_workspace({"attempt_cap": 1})


@LONG
@pytest.mark.parametrize("in_sandbox", [False, True], ids=["free", "in the sandbox"])
@pytest.mark.parametrize("heavy", [False, True], ids=["ordinary", "heavy"])
def test_agents_that_misbehave_end_as_they_should_and_leave_nothing_running(
    place: Path, in_sandbox: bool, heavy: bool
) -> None:
    behaviours = {name: one for name, one in zoo.ZOO.items() if one.heavy == heavy}
    with world(place, in_sandbox=in_sandbox) as made:
        tried_once(made)
        for name in behaviours:
            made.add_task(name, f"Behave so: {name}")
        # Its checks are about other files.
        program = made.machines[0].person.bin / "zoo.py"  # where a sandbox lets an agent see it
        program.write_text(Path(zoo.__file__).read_text())

        work_off(
            made.machines[0],
            limit=5 * SLOW if heavy else SLOW,
            LOCUS_AGENT_COMMAND=f"{sys.executable} -B {program}",
        )

        assert ends(made) == {name: one.ends for name, one in behaviours.items()}
        assert not program.with_name(zoo.OWNED.name).exists()
        told = made.oracle(finished=False)
        assert told["judgements"] == {name: [] for name in told["judgements"]}, told
        assert told["counted"]["in_review"] == sum(one.ends == zoo.REVIEW for one in behaviours.values())


@LONG
def test_what_a_remote_refuses_never_gets_into_review(place: Path) -> None:
    with world(place) as made:
        tried_once(made)
        here = made.machines[0]
        declined = "echo 'remote: error: GH006: Protected branch update failed' >&2; exit 1"
        for name, hook in (
            ("declined", "echo no >&2; exit 1"),
            ("protected", declined),
            (
                "talkative",
                "i=0; while [ $i -lt 20000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&2; i=$((i+1)); done; exit 1",
            ),
        ):
            made.hook("pre-receive", hook)
            made.add_task(name)
            here.start("--once").wait(SLOW)
        made.hook("pre-receive", "exit 0")
        made.bare.rename(place / "gone.git")
        made.add_task("gone")
        here.start("--once").wait(SLOW)
        (place / "gone.git").rename(made.bare)

        found = ends(made)
        assert {found[name] for name in ("declined", "protected", "talkative")} == {"BLOCKED push_refused"}, found
        assert not found["gone"].startswith("IN_REVIEW")
        told = made.oracle(finished=False)
        assert told["judgements"] == {name: [] for name in told["judgements"]}, told
        assert told["counted"]["in_review"] == told["counted"]["commits"] == 0


def test_a_branch_that_moves_under_a_push_is_rebased_on_and_never_forced(place: Path) -> None:
    with world(place) as made:
        here = made.machines[0]
        made.add_task()
        there = BY_NAME["S9b"].set(here)
        worker = here.start()
        while not there(worker):
            assert not worker.ended
        made.teammate_pushes("theirs.txt")
        here.release()

        assert worker.wait(SLOW) == 0
        assert "Add theirs.txt" in made.git("log", "--format=%s", BRANCH)
        told = made.oracle()
        assert told["judgements"] == {name: [] for name in told["judgements"]}, told


# The clocks of a machine, for a Python that starts with this folder on its path: they differ from ours by what is in
# a file. A sleeping laptop moves the wall clock and the time since boot, and not the monotonic clock.
CLOCK = """
import time
_time, _clock = time.time, time.clock_gettime
def _jump():
    try:
        with open({path!r}) as file:
            return float(file.read() or 0)
    except OSError:
        return 0.0
time.time = lambda: _time() + _jump()
time.clock_gettime = lambda which: _clock(which) + (_jump() if which == getattr(time, 'CLOCK_BOOTTIME', -1) else 0)
"""


@LONG
@pytest.mark.parametrize("seconds", [-3600.0, 8 * 3600.0], ids=["an hour back", "eight hours of sleep"])
def test_a_clock_that_jumps_while_the_agent_works_loses_nothing(place: Path, seconds: float) -> None:
    with world(place) as made:
        here = made.machines[0]
        jump = place / "jump"
        (place / "clock").mkdir()
        (place / "clock" / "sitecustomize.py").write_text(CLOCK.format(path=str(jump)))
        made.add_task()
        there = BY_NAME["S6"].set(here)
        path = ":".join(filter(None, [str(place / "clock"), here.person.variables.get("PYTHONPATH")]))
        worker = here.start(agent="half", PYTHONPATH=path)
        while not there(worker):
            assert not worker.ended
        jump.write_text(str(seconds))
        here.release()
        worker.wait(SLOW)
        jump.unlink()
        work_off(here)

        told = made.oracle()
        assert told["judgements"] == {name: [] for name in told["judgements"]}, told
        assert told["counted"]["in_review"] == 1
