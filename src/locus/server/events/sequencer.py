"""The sequencer: gives committed events their numbers, gapless per workspace, and tells every process about it.

Numbering while inserting would either lose readers (a lower number commits after a higher one was read) or let
every writer of a workspace wait for the one before. So events are inserted without a number, and one process at a
time, the holder of an advisory lock, numbers what it can see: everything visible is committed, once and for all.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

import asyncpg
from asyncpg import Record

from locus.server.db import pool
from locus.server.db.errors import DatabaseUnavailable
from locus.server.events import chain
from locus.server.events.hub import CHANNEL, PER_NOTIFICATION, News, pack
from locus.server.events.log import Log
from locus.wire.audit import START, link
from locus.wire.events import EventKind

logger = logging.getLogger(__name__)

LOCK = 0x6C6F6375735F6576  # of PostgreSQL's advisory locks: "locus_ev"
POLL = 0.1  # seconds; for what other processes wrote
CANDIDATE = 1.0  # seconds between attempts to be elected
BACK_OFF = 0.5  # seconds after a lost connection
BATCH = 1000  # events

# A connection that ends in the middle of many rows leaves asyncpg in a state that it calls an internal error.
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

# What may make a task claimable or change the order: those who wait for work are woken, position hints dropped.
WORK = frozenset(
    {
        EventKind.SPRINT_STARTED,
        EventKind.SPRINT_COMPLETED,
        EventKind.SPRINT_DELETED,
        EventKind.TASK_CREATED,
        EventKind.TASK_EDITED,
        EventKind.TASK_MOVED,
        EventKind.TASK_STATUS,
        EventKind.TASK_DELETED,
        EventKind.TASK_COMPLETED,
        EventKind.TASK_FAILED,
        EventKind.TASK_RELEASED,
        EventKind.TASK_EXPIRED,
    }
)

# No plan that reads all events may ever look cheap: statistics lag behind a table that grows fast. And only a plain
# scan of an index marks its dead entries, over which the next one need not walk. The connection has no other use.
PLANS = "SET enable_seqscan = off; SET enable_bitmapscan = off"

UNNUMBERED = f"SELECT id, {chain.COLUMNS} FROM events WHERE seq IS NULL ORDER BY id LIMIT $1"

# Who deletes a workspace locks it and then, row by row, what it has, its events and its head among it. Locked first,
# the two cannot wait for each other; one that is being deleted is passed over until it is known what became of it.
STAYING = "SELECT id FROM workspaces WHERE id = ANY($1) FOR KEY SHARE SKIP LOCKED"

HEADS = "SELECT workspace_id, seq, hash FROM event_heads WHERE workspace_id = ANY($1) FOR UPDATE"

RAISE = """
    INSERT INTO event_heads (workspace_id, seq, hash) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])
    ON CONFLICT (workspace_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
"""

# One row at a time, many in one message: joined to a list of them, PostgreSQL looks for a plan that suits both sizes.
NUMBER = "UPDATE events SET seq = $3, hash = $4 WHERE workspace_id = $1 AND id = $2"


@dataclass
class Head:
    """The end of a workspace's chain: the last number and its hash."""

    seq: int = 0
    hash: bytes = START

    def take(self, row: Record) -> None:
        """Go on with the next event."""
        self.seq += 1
        self.hash = link(self.hash, chain.recorded(row, self.seq))


async def run(log: Log, dsn: str) -> None:
    """Number events until cancelled; waits to be elected, and stands again when its connection is lost."""
    while True:
        try:
            connection = await pool.dedicated(dsn, application_name="locus-sequencer", statement_timeout=10)
        except DatabaseUnavailable:
            logger.warning("The sequencer cannot reach the database; it tries again.")
        else:
            try:
                # Not a blocking lock: waiting for it would hold a snapshot open, and with it back every vacuum.
                while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
                    await asyncio.sleep(CANDIDATE)  # nobody can set an event in another process
                await connection.execute(PLANS)
                await _serve(log, connection)
            except LOST:
                logger.warning("The sequencer has lost its connection; it stands for election again.")
            finally:
                # Ends the session, and the lock with it.
                with contextlib.suppress(*LOST):
                    connection.terminate()
        await asyncio.sleep(BACK_OFF)


async def _serve(log: Log, connection: "asyncpg.Connection[Record]") -> None:
    while True:
        log.written.clear()
        if await number(connection) == BATCH:
            continue
        try:
            async with asyncio.timeout(POLL):
                await log.written.wait()
        except TimeoutError:
            pass  # nothing of ours; look for what other processes wrote


async def number(connection: "asyncpg.Connection[Record]") -> int:
    """Number one batch and announce it, in one transaction; how many events there were.

    Only for the holder of the lock. Two at once (the lock is lost with its connection, and so is the transaction)
    would collide: on the unique index of the numbers, or because a numbered event cannot be changed.
    """
    waiting = await connection.fetch(UNNUMBERED, BATCH)
    if not waiting:
        return 0
    async with connection.transaction():
        found = await connection.fetch(STAYING, list({row["workspace_id"] for row in waiting}))
        heads = {row["id"]: Head() for row in found}
        waiting = [row for row in waiting if row["workspace_id"] in heads]
        if not waiting:
            return 0
        work = {row["workspace_id"] for row in waiting if row["kind"] in WORK}
        for row in await connection.fetch(HEADS, list(heads)):
            # A head from before there was a chain has no hash: the chain begins after it.
            heads[row["workspace_id"]] = Head(row["seq"], row["hash"] or START)
        numbers = []
        for row in waiting:
            head = heads[row["workspace_id"]]
            head.take(row)
            numbers.append((row["workspace_id"], row["id"], head.seq, head.hash))
        await connection.executemany(NUMBER, numbers)
        ends = heads.values()
        await connection.execute(RAISE, list(heads), [head.seq for head in ends], [head.hash for head in ends])
        news = [News(workspace, head.seq, workspace in work) for workspace, head in heads.items()]
        for start in range(0, len(news), PER_NOTIFICATION):
            payload = pack(news[start : start + PER_NOTIFICATION])
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
    return len(waiting)
