"""A small cut of the fault matrix: real workers, killed where it hurts most. `make faults` is the long run of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.shots import DATABASE, INTERRUPT, KILL, SERVER, TERM, TWICE, Range
from tests.faults.steps import BY_NAME, CLAIM, COMPLETE, STEPS
from tests.faults.world import World, world
from tests.support import postgres, wrappers
from tests.support.fault_proxy import Act

SLOW = 30.0  # seconds that anything may take on a busy machine; docs/reliability.md has the real figures
WORST = ("S2", "S3", "S6", "S8", "S9b", "S10", "S11", "S12", "S15", "S16", "S17")


@pytest.fixture
def place() -> Iterator[Path]:
    with postgres.directory() as base:
        yield base


def nothing_is_amiss(made: World) -> None:
    """The oracle has seen tasks that came through, and finds no violation."""
    told = made.oracle()
    assert told["judgements"] == {name: [] for name in told["judgements"]}, told
    assert 0 < told["counted"]["tasks"] == told["counted"]["in_review"] == told["counted"]["commits"], told


def test_workers_that_are_killed_again_and_again_lose_nothing_and_do_nothing_twice(place: Path) -> None:
    with world(place) as made:
        here = Range(made.machines[0])
        for name in WORST:
            # An agent outlives its worker here, until the next worker ends it.
            shot = here.shoot(BY_NAME[name], KILL, late=name == "S6")
            assert shot.reached, shot
        here.settle()

        assert not [shot for shot in here.shots if shot.survivors]
        settled = [shot.resumed_after for shot in here.shots if shot.resumed_after is not None]
        assert len(settled) >= 5, "what was left behind has to be settled by the next worker"
        assert max(settled) < SLOW
        nothing_is_amiss(made)


def test_outages_and_signals_lose_nothing_either(place: Path) -> None:
    with world(place) as made:
        here = Range(made.machines[0])
        for name, fault in (("S6", TERM), ("S8c", INTERRUPT), ("S6", TWICE), ("S10", SERVER), ("S15", DATABASE)):
            shot = here.shoot(BY_NAME[name], fault)
            assert shot.reached and not shot.wrong and not shot.survivors, shot
            assert shot.ended_after is not None and shot.ended_after < SLOW, shot
        here.settle()

        nothing_is_amiss(made)


def test_a_network_that_loses_delays_and_doubles_changes_nothing(place: Path) -> None:
    with world(place) as made:
        proxy = made.machines[0].proxy
        for _ in range(3):
            made.add_task()
        rules = [
            proxy.rule(Act.LOSE_ANSWER, CLAIM),  # the task is claimed, and its worker does not know it
            proxy.rule(Act.HALF_ANSWER, CLAIM),
            proxy.rule(Act.TWICE, CLAIM),
            proxy.rule(Act.TWICE, "POST .*/heartbeat", left=5),
            proxy.rule(Act.SLOW, "POST .*/heartbeat", left=2, seconds=1.0),
            proxy.rule(Act.LOSE_REQUEST, COMPLETE),
            proxy.rule(Act.LOSE_ANSWER, COMPLETE),
            proxy.rule(Act.HALF_ANSWER, COMPLETE),
            proxy.rule(Act.TWICE, COMPLETE),
        ]
        worker = made.machines[0].start()
        code = worker.wait(2 * SLOW)
        captured = [exchange for exchange in proxy.history if exchange.method == "POST" and "/lease/" in exchange.path]

        assert code == 0, worker.lines()
        assert all(rule.left == 0 for rule in rules), "every fault has happened"
        nothing_is_amiss(made)
        # The same requests once more, long after: they change nothing.
        statuses = made.statuses()
        assert captured and {proxy.again(exchange) for exchange in captured} <= {200, 409}
        assert made.statuses() == statuses
        nothing_is_amiss(made)


@pytest.mark.skipif(not wrappers.works(), reason="bubblewrap makes no sandbox here")
def test_an_agent_in_the_sandbox_dies_with_its_worker(place: Path) -> None:
    with world(place, in_sandbox=True) as made:
        here = Range(made.machines[0])
        shot = here.shoot(BY_NAME["S6"], KILL, late=True)

        assert shot.reached and shot.survivors == []  # looked at two seconds after, with no other worker started
        here.settle()
        nothing_is_amiss(made)


def test_two_workers_on_one_checkout_share_the_tasks(place: Path) -> None:
    with world(place) as made:
        for _ in range(4):
            made.add_task()
        workers = [made.machines[0].start() for _ in range(2)]
        codes = [worker.wait(2 * SLOW) for worker in workers]

        assert codes == [0, 0]
        nothing_is_amiss(made)


def test_every_step_of_the_matrix_is_there() -> None:
    assert {f"S{number}" for number in range(18)} <= {step.name for step in STEPS}
