"""The reaper: gives back the tasks of workers that were not heard of, so that nothing stays with a dead one."""

import asyncio

from locus.server.dispatch import outcomes
from locus.server.errors import Unavailable
from locus.server.events.log import Log
from locus.server.settings import Timing

LOCK = 0x6C6F6375735F7265  # of PostgreSQL's advisory locks: "locus_re"

FORGET = """
    DELETE FROM idempotency_keys WHERE (principal_id, route, key) IN (
        SELECT principal_id, route, key FROM idempotency_keys
         WHERE created_at < clock_timestamp() - interval '1 day' LIMIT 1000)
"""


async def run(log: Log, timing: Timing) -> None:
    """Sweep every `reap_ms` until cancelled."""
    while True:
        try:
            await sweep(log)
        except Unavailable:
            pass  # the next sweep is soon; leases that are renewed meanwhile are not touched
        await asyncio.sleep(timing.reap_ms / 1000)


async def sweep(log: Log) -> int:
    """End every lease that has run out and forget old idempotency keys; how many leases.

    One process does it at a time; the others find nothing to do.
    """
    reaped, more = 0, True
    while more:
        more = False
        async with log.transaction() as db:
            if await db.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                found = await outcomes.reap(db)
                reaped += found
                more = found == outcomes.REAPED
                await db.execute(FORGET)
    return reaped
