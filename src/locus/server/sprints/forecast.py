"""When the rest of a sprint will be accepted: from the pace at which this workspace's people and agents did it so far.

The time between two acceptances in a row is measured in the sprints that were; the sum of as many such times as tasks
are left has a mean and a spread. A log-normal distribution with both gives the interval: it is never negative, and it
leans to the late side, as work does. No I/O.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import fmean, variance

from locus.wire.reports import Forecast

LEAST = 5  # acceptances; fewer tell nothing
MOST = 100  # the newest ones that count
TENTH = 1.2815515655446004  # standard deviations; 1 in 10 is beyond it, on each side
INSTANT = 1e-6  # seconds; the database tells no shorter times
WIDEST = 20.0  # of the logarithm: beyond it there is only "some day"
FARTHEST = timedelta(days=3650)


def forecast(gaps: Sequence[float], remaining: int, now: datetime) -> Forecast | None:
    """When `remaining` tasks will be accepted; None when none remain, or history is too short.

    Args:
        gaps: seconds between acceptances that followed each other in one sprint.
    """
    if remaining < 1 or len(gaps) < LEAST:
        return None
    mean = fmean(gaps) * remaining
    # The spread of the sum, and that of the mean itself, which is known from so many gaps only.
    spread = variance(gaps) * (remaining + remaining**2 / len(gaps))
    if mean < INSTANT:
        early = likely = late = 0.0
    else:
        sigma2 = math.log1p(spread / mean**2)
        likely = mean / math.sqrt(1 + spread / mean**2)
        # A short history deserves a wider interval: nearly Student's t.
        width = TENTH + (TENTH**3 + TENTH) / (4 * (len(gaps) - 1))
        factor = math.exp(min(width * math.sqrt(sigma2), WIDEST))
        early, late = likely / factor, likely * factor
    return Forecast(
        remaining=remaining,
        likely=_after(now, likely),
        early=_after(now, early),
        late=_after(now, late),
        based_on=len(gaps),
    )


def _after(now: datetime, seconds: float) -> datetime:
    return now + min(timedelta(seconds=min(seconds, FARTHEST.total_seconds())), FARTHEST)
