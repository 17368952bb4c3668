"""An attempt is reported once."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from tests.server.dispatch.ground import (
    Ground,
    Worker,
    completion,
    failure,
    giving_back,
)

from locus.server.dispatch import outcomes
from locus.server.dispatch.leases import Holder
from locus.server.errors import Conflict, NotFound
from locus.wire.tasks import Task

Write = Callable[[Ground, Holder], Awaitable[object]]

# Every way in which a worker reports the end of an attempt.
REPORTS: dict[str, Write] = {
    "complete": lambda ground, holder: outcomes.complete(ground.pool, holder, completion(holder.fence)),
    "fail": lambda ground, holder: outcomes.fail(ground.pool, holder, failure(holder.fence)),
    "release": lambda ground, holder: outcomes.release(ground.pool, holder, giving_back(holder.fence)),
}


@pytest.mark.parametrize("write", REPORTS.values(), ids=REPORTS)
async def test_an_ended_attempt_of_another_keys_agent_is_not_found(
    ground: Ground, worker: Worker, write: Write
) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    await write(ground, ground.holder(granted, worker))

    with pytest.raises(NotFound):
        await write(ground, ground.holder(granted, Worker(worker.agent_id, uuid4())))


@pytest.mark.parametrize("name", REPORTS)
async def test_the_same_report_again_changes_nothing_and_answers_the_same(
    ground: Ground, worker: Worker, name: str
) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    holder = ground.holder(granted, worker)
    first = await REPORTS[name](ground, holder)
    before = await ground.everything()

    again = await REPORTS[name](ground, holder)

    assert again == first
    assert await ground.everything() == before


@pytest.mark.parametrize("name", REPORTS)
async def test_the_same_report_at_the_same_moment_happens_once(ground: Ground, worker: Worker, name: str) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)
    holder = ground.holder(granted, worker)

    answers = await asyncio.gather(*(REPORTS[name](ground, holder) for _ in range(6)))

    assert all(answer == answers[0] for answer in answers)
    assert len(await ground.kinds(task_id)) == 2
    assert await ground.pool.fetchval("SELECT count(*) FROM attempts") == 1


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(REPORTS, 2)))
async def test_another_report_for_an_ended_attempt_is_refused(
    ground: Ground, worker: Worker, first: str, second: str
) -> None:
    await ground.task()
    granted = await ground.granted(worker)
    holder = ground.holder(granted, worker)
    await REPORTS[first](ground, holder)
    before = await ground.everything()

    with pytest.raises(Conflict) as refused:
        await REPORTS[second](ground, holder)

    assert refused.value.code == "reported"
    assert await ground.everything() == before


async def test_different_reports_at_the_same_moment_have_one_winner(ground: Ground, worker: Worker) -> None:
    task_id = await ground.task()
    granted = await ground.granted(worker)
    holder = ground.holder(granted, worker)

    answers = await asyncio.gather(*(write(ground, holder) for write in REPORTS.values()), return_exceptions=True)

    assert sum(isinstance(answer, Task) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 2
    assert len(await ground.kinds(task_id)) == 2
