"""The first things in a database."""

import asyncio

from locus.server.db.pool import Pool
from locus.server.events.log import Log
from locus.server.workspaces.bootstrap import bootstrap


async def test_many_that_begin_at_once_make_one_of_everything(pool: Pool) -> None:
    log = Log(pool)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(bootstrap(log, "web", mint=False)) for _ in range(6)]
    made = [task.result() for task in tasks]

    assert len([one for one in made if one.secret]) == 1
    assert len({one.workspace.id for one in made if one.workspace}) == 1
    for table in ("organizations", "workspaces", "api_keys"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 1, table


async def test_a_second_start_mints_only_when_asked(pool: Pool) -> None:
    log = Log(pool)
    first = await bootstrap(log, "web", mint=False)
    quiet = await bootstrap(log, "other", mint=False)
    asked = await bootstrap(log, "other", mint=True)

    assert first.secret
    assert quiet.secret is None
    assert asked.secret not in (None, first.secret)
    assert first.workspace == quiet.workspace == asked.workspace
