"""The outbox: mails wait in the database until a mail server has taken them."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from locus.server.db.errors import DatabaseDown
from locus.server.db.pool import Db, Pool
from locus.server.mail import smtp
from locus.server.mail.smtp import NotSent
from locus.server.settings import Relay

logger = logging.getLogger("locus.mail")

POLL = 2.0  # seconds; for what other processes wrote, and for what is tried again
BATCH = 20
RETRY = "least(interval '5 seconds' * power(3, least(tries, 8)), interval '1 hour')"

PUT = """
    INSERT INTO mails (recipient, subject, body, expires_at)
    VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 minute')
"""
# Who takes a mail puts off its next try, so that no other process takes it, and a crash delays it only.
TAKE = f"""
    UPDATE mails SET tries = tries + 1, due_at = clock_timestamp() + {RETRY}
     WHERE id IN (SELECT id FROM mails WHERE due_at <= clock_timestamp() AND expires_at > clock_timestamp()
                   ORDER BY due_at, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED)
    RETURNING id, recipient, subject, body, tries
"""
SENT = "DELETE FROM mails WHERE id = $1"
EXPIRED = "DELETE FROM mails WHERE expires_at <= clock_timestamp() RETURNING id"


@dataclass(frozen=True)
class Mail:
    """A mail of plain text. What people chose themselves stands in it as text, never as a link."""

    recipient: str
    subject: str
    body: str
    minutes: int = 24 * 60  # after which it is not worth sending


async def put(db: Db, mail: Mail) -> None:
    """Let a mail be sent once the transaction `db` is committed."""
    await db.execute(PUT, mail.recipient, mail.subject, mail.body, mail.minutes)


async def run(pool: Pool, relay: Relay | None, written: asyncio.Event) -> None:
    """Send what waits until cancelled; `written` wakes it. Without a relay mails are written to the log instead."""
    while True:
        written.clear()
        with contextlib.suppress(DatabaseDown):
            if await send_due(pool, relay) == BATCH:
                continue
        try:
            async with asyncio.timeout(POLL):
                await written.wait()
        except TimeoutError:
            pass


async def send_due(pool: Pool, relay: Relay | None) -> int:
    """Try to send one batch of what is due; how many mails there were."""
    for row in await pool.fetch(EXPIRED):
        logger.error("mail %d was given up: it could not be sent in time", row["id"])
    taken = await pool.fetch(TAKE)
    for row in taken:
        mail = Mail(row["recipient"], row["subject"], row["body"])
        if relay is None:
            logger.warning("no mail server is set; mail to %s: %s\n%s", mail.recipient, mail.subject, mail.body)
        else:
            try:
                await asyncio.to_thread(smtp.send, relay, mail.recipient, mail.subject, mail.body)
            except NotSent as e:
                logger.warning("mail %d was not sent (try %d): %s", row["id"], row["tries"], e)
                if not e.for_good:
                    continue
        await pool.execute(SENT, row["id"])
    return len(taken)
