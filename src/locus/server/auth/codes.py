"""Codes that prove an e-mail address: eight characters, ten minutes, five tries, one use, one browser."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from locus.server.auth.tokens import hashed, is_token, new_token
from locus.server.db.pool import Db
from locus.server.errors import TooMany

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that looks like something else
LENGTH = 8  # 40 bits
MINUTES = 10
TRIES = 5
LOOKALIKES = str.maketrans("OIL", "011", "- ")

# How many may be asked for. Of one address by one network address, so that nobody can lock somebody else out alone.
PER_EMAIL_HERE = 5  # an hour
PER_EMAIL = 20  # an hour
PER_EMAIL_DAY = 60
PER_ADDRESS = 60  # an hour
AT_ALL = 2_000  # an hour
LOCK = 0x6C6F637573  # of PostgreSQL's advisory locks: "locus", and the e-mail address

COUNT = """
    SELECT count(*) FILTER (WHERE email = $1 AND address = $2 AND created_at > clock_timestamp() - interval '1 hour'),
           count(*) FILTER (WHERE email = $1 AND created_at > clock_timestamp() - interval '1 hour'),
           count(*) FILTER (WHERE email = $1),
           count(*) FILTER (WHERE address = $2 AND created_at > clock_timestamp() - interval '1 hour')
      FROM sign_in_codes WHERE (email = $1 OR address = $2) AND created_at > clock_timestamp() - interval '1 day'
"""
COUNT_ALL = "SELECT count(*) FROM sign_in_codes WHERE created_at > clock_timestamp() - interval '1 hour'"
CLEAR = "DELETE FROM sign_in_codes WHERE created_at < clock_timestamp() - interval '2 days'"
CREATE = f"""
    INSERT INTO sign_in_codes (request, email, code, user_id, address, expires_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + interval '{MINUTES} minutes')
"""
WAITING = f"""
    SELECT email, {TRIES} - tries AS tries_left FROM sign_in_codes
     WHERE request = $1 AND used_at IS NULL AND expires_at > clock_timestamp() AND tries < {TRIES}
"""
# The try is counted by the statement that lets it happen: a thousand at once are five.
TRY = f"""
    UPDATE sign_in_codes SET tries = tries + 1
     WHERE request = $1 AND user_id IS NOT DISTINCT FROM $2 AND used_at IS NULL
       AND expires_at > clock_timestamp() AND tries < {TRIES}
    RETURNING id, email, code
"""
USE = "UPDATE sign_in_codes SET used_at = clock_timestamp() WHERE id = $1 AND used_at IS NULL RETURNING true"


@dataclass(frozen=True)
class Asked:
    """A code that has been made: `code` goes by mail, `request` into the browser's cookie. The database has neither."""

    code: str
    request: str


@dataclass(frozen=True)
class Waiting:
    """A code that can still be typed in."""

    email: str
    tries_left: int


async def ask(db: Db, email: str, *, address: str, user_id: UUID | None = None) -> Asked:
    """A new code for an e-mail address, whether anybody has it or not. `db` is a transaction.

    Codes that were asked for before, by this browser or another, stay good: nobody can take somebody's code away.

    Raises:
        TooMany: too many were asked for; the answer is the same for every address.
    """
    await db.execute("SELECT pg_advisory_xact_lock($1 # hashtextextended($2, 0))", LOCK, email)
    await db.execute(CLEAR)
    row = await db.fetchrow(COUNT, email, address)
    assert row is not None
    limits = (PER_EMAIL_HERE, PER_EMAIL, PER_EMAIL_DAY, PER_ADDRESS)
    over = any(count >= limit for count, limit in zip(row, limits, strict=True))
    if over or await db.fetchval(COUNT_ALL) >= AT_ALL:
        raise TooMany("Too many codes were asked for. Use the last one, or wait an hour.", code="too_many_codes")
    code, request = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH)), new_token()
    await db.execute(CREATE, hashed(request), email, _sealed(request, code), user_id, address)
    return Asked(shown(code), request)


async def waiting(db: Db, request: str | None) -> Waiting | None:
    """The code that a browser waits for; None when it is used, too old, or was tried too often."""
    if request is None or not is_token(request):
        return None
    row = await db.fetchrow(WAITING, hashed(request))
    return Waiting(row["email"], row["tries_left"]) if row else None


async def prove(db: Db, request: str | None, typed: str, *, user_id: UUID | None = None) -> str | None:
    """The e-mail address that a right code proves; None for a wrong one, which counts as a try.

    `db` must not be a transaction that could be undone: a try counts whatever happens then.
    """
    if request is None or not is_token(request):
        return None
    row = await db.fetchrow(TRY, hashed(request), user_id)
    if row is None or not hmac.compare_digest(row["code"], _sealed(request, tidy(typed))):
        return None
    return str(row["email"]) if await db.fetchval(USE, row["id"]) else None


def tidy(typed: str) -> str:
    """What somebody typed, as codes are written: without the dash, in capitals, look-alikes mended."""
    return typed.strip().upper().translate(LOOKALIKES)[: LENGTH + 1]


def shown(code: str) -> str:
    """A code as people read it."""
    return f"{code[:4]}-{code[4:]}"


def _sealed(request: str, code: str) -> bytes:
    return hmac.new(request.encode(), code.encode(), hashlib.sha256).digest()
