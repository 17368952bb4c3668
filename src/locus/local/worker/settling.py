"""The end of an attempt: the journal has it first, then the server is told."""

import asyncio
from contextlib import suppress

from locus.client.errors import PlaneError
from locus.local.journal import Journal
from locus.local.worker import told
from locus.local.worker.attempt import Attempt
from locus.local.worker.outcome import Lost, Outcome
from locus.local.worker.report import report_of, send
from locus.local.worker.workplace import Workplace
from locus.wire.tasks import Task

LAST_WORDS = 2.0  # seconds for what is said when everything must end at once


async def settle(work: Workplace, journal: Journal, attempt: Attempt, outcome: Outcome) -> tuple[Task | None, Outcome]:
    """Tell the server; what it cannot be told now, the next run tells it first.

    When cancelled, it says the same once more in a hurry: of an attempt that has ended here nothing else may be said.
    """
    report = report_of(outcome, fence=attempt.lease.fence)
    if report is None:
        journal.end(attempt.marker)
        return None, outcome
    journal.over(attempt.marker, report)
    try:
        now = await send(work.plane, attempt.lease.task_id, report)
    except asyncio.CancelledError:
        with suppress(PlaneError):
            await send(work.plane, attempt.lease.task_id, report, deadline=LAST_WORDS)
            journal.end(attempt.marker)
        raise
    except PlaneError as e:
        work.tell(told.Note(text=f"The server could not be told how it ended; the next run will: {e}"))
        return None, outcome
    journal.end(attempt.marker)
    journal.ended(attempt.lease.task_id)
    if now is None:
        parked = getattr(outcome, "parked", None)
        return None, Lost("the lease was gone when the result was reported", parked=parked)
    return now, outcome
