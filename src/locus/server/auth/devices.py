"""Machines that ask to be let in: the machine shows a code, a person compares it and decides, the machine gets a key.

The person decides as themselves: the key does at most what they may do, and ends with their membership.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from locus.server.auth import audit, codes, store
from locus.server.auth.audit import Action, By
from locus.server.auth.principals import Membership
from locus.server.auth.secrets import hashed as key_hash, hint, new_secret
from locus.server.auth.tokens import hashed, new_token
from locus.server.db.pool import Db
from locus.server.errors import Forbidden, NotFound, TooMany
from locus.wire.people import DeviceAnswer, DeviceState
from locus.wire.workspaces import MemberRole, Purpose

MINUTES = 10
POLL = 2  # seconds between two questions of the machine
PER_ADDRESS = 60  # an hour
KEY_DAYS = 90  # that the key of a machine lives
# The purposes that a role may give to a machine, the usual one first.
MAY_GIVE = {
    MemberRole.VIEWER: (Purpose.READ,),
    MemberRole.MEMBER: (Purpose.MEMBER, Purpose.WORKER, Purpose.READ),
    MemberRole.ADMIN: (Purpose.MEMBER, Purpose.WORKER, Purpose.READ, Purpose.ADMIN),
    MemberRole.OWNER: (Purpose.MEMBER, Purpose.WORKER, Purpose.READ, Purpose.ADMIN),
}

COUNT = "SELECT count(*) FROM device_logins WHERE address = $1 AND created_at > clock_timestamp() - interval '1 hour'"
CLEAR = "DELETE FROM device_logins WHERE created_at < clock_timestamp() - interval '1 day'"
CREATE = f"""
    INSERT INTO device_logins (device, code, machine, address, expires_at)
    VALUES ($1, $2, $3, $4, clock_timestamp() + interval '{MINUTES} minutes')
"""
WAITING = """
    SELECT id, machine, address, created_at FROM device_logins
     WHERE code = $1 AND decided_at IS NULL AND expires_at > clock_timestamp()
"""
DECIDE = """
    UPDATE device_logins
       SET decided_at = clock_timestamp(), denied = $2, user_id = $3, organization_id = $4, workspace_id = $5,
           purpose = $6
     WHERE code = $1 AND decided_at IS NULL AND expires_at > clock_timestamp()
    RETURNING machine
"""
# The key is made when the machine asks for it, so that its secret is never stored; the row answers with it once.
TAKE = """
    UPDATE device_logins SET issued_at = clock_timestamp()
     WHERE device = $1 AND decided_at IS NOT NULL AND NOT denied AND issued_at IS NULL
       AND expires_at > clock_timestamp()
    RETURNING user_id, organization_id, workspace_id, purpose, machine
"""
STATE = """
    SELECT CASE WHEN expires_at <= clock_timestamp() OR issued_at IS NOT NULL THEN 'gone'
                WHEN denied THEN 'denied' WHEN decided_at IS NULL THEN 'pending' ELSE 'gone' END
      FROM device_logins WHERE device = $1
"""


@dataclass(frozen=True)
class Asking:
    """What the machine is told: `device` is its secret, `code` is what the person compares."""

    device: str
    code: str


@dataclass(frozen=True)
class Machine:
    """A machine that waits, as the person sees it."""

    id: UUID
    machine: str
    address: str
    created_at: datetime


async def ask(db: Db, machine: str, address: str) -> Asking:
    """Let a machine wait for a person. `db` is a transaction.

    Raises:
        TooMany: too many machines at this address wait.
    """
    await db.execute(CLEAR)
    if await db.fetchval(COUNT, address) >= PER_ADDRESS:
        raise TooMany("Too many machines asked to be let in from this address. Wait an hour.", code="too_many_devices")
    device, code = new_token(), "".join(secrets.choice(codes.ALPHABET) for _ in range(codes.LENGTH))
    await db.execute(CREATE, hashed(device), hashed(code), machine, address)
    return Asking(device, codes.shown(code))


async def waiting(db: Db, typed: str) -> Machine | None:
    """The machine that shows this code."""
    row = await db.fetchrow(WAITING, hashed(codes.tidy(typed)))
    return Machine(**dict(row)) if row else None


async def approve(
    db: Db, typed: str, membership: Membership, user_id: UUID, workspace_id: UUID | None, purpose: Purpose, author: By
) -> None:
    """Let the machine that shows this code in, for one workspace or all (None).

    Raises:
        NotFound: no machine waits with this code, or there is no such workspace.
        Forbidden: the person may not do what they would allow.
    """
    if workspace_id is not None and workspace_id not in membership.workspaces:
        raise NotFound
    if purpose not in MAY_GIVE[membership.role]:
        raise Forbidden(f"You are {membership.role.value} here; you cannot allow {purpose.value}.")
    organization = membership.organization_id
    machine = await db.fetchval(
        DECIDE, hashed(codes.tidy(typed)), False, user_id, organization, workspace_id, purpose.value
    )
    if machine is None:
        raise NotFound("No machine waits with this code. Start again: locus login")
    await audit.note(
        db, organization, Action.DEVICE_APPROVED, author, user_id=user_id, subject=machine, detail=purpose.value
    )


async def deny(db: Db, typed: str, user_id: UUID, organization_id: UUID | None, author: By) -> None:
    """Send the machine that shows this code away.

    Raises:
        NotFound: no machine waits with this code.
    """
    machine = await db.fetchval(DECIDE, hashed(codes.tidy(typed)), True, user_id, organization_id, None, None)
    if machine is None:
        raise NotFound("No machine waits with this code.")
    await audit.note(db, organization_id, Action.DEVICE_DENIED, author, user_id=user_id, subject=machine)


async def answer(db: Db, device: str) -> DeviceAnswer:
    """What a machine that waits is told; after the approval its key, once. `db` is a transaction."""
    row = await db.fetchrow(TAKE, hashed(device))
    if row is None:
        state = await db.fetchval(STATE, hashed(device))
        return DeviceAnswer(state=DeviceState(state or "gone"))
    secret, purpose = new_secret(), Purpose(row["purpose"])
    await store.create(
        db,
        row["organization_id"],
        row["workspace_id"],
        name=row["machine"],
        purpose=purpose,
        key_hash=key_hash(secret),
        hint=hint(secret),
        days=KEY_DAYS,
        user_id=row["user_id"],
    )
    return DeviceAnswer(state=DeviceState.APPROVED, secret=secret, purpose=purpose)
