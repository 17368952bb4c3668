"""Who goes on when an allowance is used up, and from when: decided without waiting."""

from datetime import UTC, datetime, timedelta

import pytest

from locus.local.worker.parking import Patience, Rota, wait

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PATIENCE = Patience(jitter=60.0, shortest=30.0, unknown=900.0)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rota(clock: Clock, *others: str, jitter: float = 0.0) -> Rota:
    return Rota("claude", others, PATIENCE, now=clock, jitter=lambda most: min(jitter, most))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_it_waits_until_the_limit_ends_and_a_little_longer(clock: Clock) -> None:
    one = rota(clock, jitter=17)

    assert one.limited(at(3600)) == at(3617)
    assert one.next() == ("claude", at(3617))


def test_a_limit_without_an_end_is_tried_again_after_a_fixed_time(clock: Clock) -> None:
    assert rota(clock).limited(None) == at(900)


def test_a_limit_that_should_have_ended_is_tried_again_less_and_less_often(clock: Clock) -> None:
    one = rota(clock)

    assert [one.limited(at(-5)) for _ in range(7)] == [at(s) for s in (30, 60, 120, 240, 480, 900, 900)]
    one.worked()
    assert one.limited(at(-5)) == at(30), "a limit after work is a new one"


def test_who_has_allowance_left_goes_on_at_once(clock: Clock) -> None:
    one = rota(clock, "codex")
    one.limited(at(3600))

    assert one.next() == ("codex", None)


def test_when_everybody_is_limited_the_first_who_may_goes_on(clock: Clock) -> None:
    one = rota(clock, "codex")
    one.limited(at(3600))
    one.current = "codex"
    one.limited(at(7200))

    assert one.next() == ("claude", at(3600))
    clock.now = at(3600)
    assert one.next() == ("claude", None)


def test_who_works_is_not_relieved_when_another_one_is_ready_again(clock: Clock) -> None:
    one = rota(clock, "codex")
    one.limited(at(60))
    one.current = "codex"
    clock.now = at(61)

    assert one.next() == ("codex", None)


def test_one_that_cannot_be_used_is_not_tried_again(clock: Clock) -> None:
    one = rota(clock, "codex")
    one.limited(at(3600))
    one.current = "codex"

    assert one.unusable()
    assert one.next() == ("claude", at(3600))
    one.current = "claude"
    assert not one.unusable(), "there is nobody else"


async def test_a_machine_that_slept_through_the_end_of_a_limit_goes_on_at_once() -> None:
    times = iter([NOON, at(8 * 3600)])

    await wait(at(0.01), now=lambda: next(times))
