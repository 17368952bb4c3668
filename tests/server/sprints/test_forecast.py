"""The forecast: an interval that holds as often as it says."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, strategies as st
from tests.server.sprints.histories import History

from locus.server.db.pool import Pool
from locus.server.sprints import figures
from locus.server.sprints.forecast import LEAST, forecast

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
GAPS = st.lists(st.floats(0, 1e9), min_size=LEAST, max_size=100)


def test_an_even_pace_is_forecast_to_the_second() -> None:
    found = forecast([600.0] * 10, 3, NOW)

    assert found is not None
    assert found.early == found.likely == found.late == NOW + timedelta(minutes=30)
    assert (found.remaining, found.based_on) == (3, 10)


def test_too_little_history_and_nothing_to_do_are_not_forecast() -> None:
    assert forecast([600.0] * (LEAST - 1), 3, NOW) is None
    assert forecast([600.0] * 10, 0, NOW) is None


@given(gaps=GAPS, remaining=st.integers(1, 10_000))
@example(gaps=[0.0, 0.0, 0.0, 0.0, 1e-200], remaining=1)  # its square is nothing
def test_a_forecast_is_never_before_now_and_always_in_order(gaps: list[float], remaining: int) -> None:
    found = forecast(gaps, remaining, NOW)

    assert found is not None
    assert NOW <= found.early <= found.likely <= found.late


@pytest.mark.parametrize("history", [8, 30, 100])
def test_eight_of_ten_forecasts_hold(history: int) -> None:
    chance = random.Random(history)
    held = 0
    for _ in range(1000):
        found = forecast([chance.expovariate(1 / 3600) for _ in range(history)], 12, NOW)
        assert found is not None
        truth = NOW + timedelta(seconds=sum(chance.expovariate(1 / 3600) for _ in range(12)))
        held += found.early <= truth <= found.late
    assert 730 <= held <= 870


async def test_the_pace_is_measured_between_acceptances_within_a_sprint(pool: Pool) -> None:
    past = await History.begin(pool)
    first, second = await past.sprint(began=0, ended=10), await past.sprint(began=100, ended=110)
    for sprint, at in ((first, 1), (first, 4), (second, 102)):
        task = await past.task(sprint, at=-1)
        await past.becomes(task, "DONE", at=at)
    outside = await past.task(None, at=-1)
    await past.becomes(outside, "DONE", at=50)

    assert sorted(await figures.gaps(pool, past.workspace_id)) == [3600, 2 * 3600, 3 * 3600]
