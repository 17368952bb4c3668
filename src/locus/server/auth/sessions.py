"""Sessions in the database: the browsers that people are signed in with. Of a session only the hash is there."""

from uuid import UUID

from locus.server.auth.principals import Membership, Person
from locus.server.auth.tokens import hashed, new_token
from locus.server.db.pool import Db
from locus.wire.people import Session
from locus.wire.workspaces import MemberRole

DAYS = 30  # a session ends after this, however much it is used
IDLE_DAYS = 7  # and after this without use
LONGEST_BROWSER = 200  # characters of a User-Agent that are kept

# Names that only this table has, so that it also reads in a join.
LIVES = f"""
    revoked_at IS NULL AND expires_at > clock_timestamp()
    AND last_used_at > clock_timestamp() - interval '{IDLE_DAYS} days'
"""
CREATE = f"""
    INSERT INTO sessions (user_id, organization_id, hash, method, browser, address, expires_at)
    VALUES ($1,
            (SELECT organization_id FROM memberships WHERE user_id = $1 ORDER BY created_at, organization_id LIMIT 1),
            $2, $3, $4, $5, clock_timestamp() + interval '{DAYS} days')
    RETURNING id
"""
# Everything that is known about who is signed in, in one read.
LOOK_UP = f"""
    SELECT s.id, s.organization_id, u.id AS user_id, u.name, u.email,
           s.last_used_at < clock_timestamp() - interval '1 minute' AS to_touch,
           m.organization_id AS member_of, m.role, o.name AS organization_name,
           ARRAY(SELECT w.id FROM workspaces w WHERE w.organization_id = m.organization_id) AS workspaces
      FROM sessions s JOIN users u ON u.id = s.user_id
      LEFT JOIN memberships m ON m.user_id = u.id
      LEFT JOIN organizations o ON o.id = m.organization_id
     WHERE s.hash = $1 AND {LIVES}
     ORDER BY m.created_at, m.organization_id
"""
TOUCH = """
    UPDATE sessions SET last_used_at = clock_timestamp()
     WHERE id = (SELECT id FROM sessions WHERE id = $1
                    AND last_used_at < clock_timestamp() - interval '1 minute' FOR UPDATE SKIP LOCKED)
"""
LIST = f"""
    SELECT id, method, browser, address, created_at, last_used_at, expires_at FROM sessions
     WHERE user_id = $1 AND {LIVES} ORDER BY last_used_at DESC, id
"""
REVOKE = f"""
    UPDATE sessions SET revoked_at = clock_timestamp()
     WHERE user_id = $1 AND id = $2 AND {LIVES} RETURNING true
"""
REVOKE_OTHERS = f"""
    UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = $1 AND id <> $2 AND {LIVES} RETURNING id
"""
LOOK_AT = """
    UPDATE sessions SET organization_id = $3
     WHERE user_id = $1 AND id = $2
       AND EXISTS (SELECT 1 FROM memberships WHERE user_id = $1 AND organization_id = $3) RETURNING true
"""


async def create(db: Db, user_id: UUID, *, method: str, browser: str, address: str) -> str:
    """Begin a session and return its secret. `method` is how the person proved who they are."""
    secret = new_token()
    await db.fetchval(CREATE, user_id, hashed(secret), method, browser[:LONGEST_BROWSER], address)
    return secret


async def look_up(db: Db, session_hash: bytes) -> tuple[Person, bool] | None:
    """Who is signed in with the session of this hash, and whether its use is worth noting; None when nobody is."""
    rows = await db.fetch(LOOK_UP, session_hash)
    if not rows:
        return None
    first = rows[0]
    memberships = tuple(
        Membership(
            organization_id=row["member_of"],
            organization_name=row["organization_name"],
            role=MemberRole(row["role"]),
            workspaces=frozenset(row["workspaces"]),
        )
        for row in rows
        if row["member_of"] is not None
    )
    person = Person(
        id=first["user_id"],
        name=first["name"],
        email=first["email"],
        session_id=first["id"],
        organization_id=first["organization_id"],
        memberships=memberships,
    )
    return person, first["to_touch"]


async def touch(db: Db, session_id: UUID) -> None:
    """Note that the session was used, at most once a minute."""
    await db.execute(TOUCH, session_id)


async def living(db: Db, user_id: UUID, *, current: UUID | None = None) -> list[Session]:
    """A person's sessions, the one used last first; `current` is the one that asks."""
    return [Session(**dict(row), current=row["id"] == current) for row in await db.fetch(LIST, user_id)]


async def revoke(db: Db, user_id: UUID, session_id: UUID) -> bool:
    """End one session of a person; False when there is none that lives."""
    return bool(await db.fetchval(REVOKE, user_id, session_id))


async def revoke_others(db: Db, user_id: UUID, session_id: UUID) -> int:
    """End every session of a person but this one; how many there were."""
    return len(await db.fetch(REVOKE_OTHERS, user_id, session_id))


async def look_at(db: Db, user_id: UUID, session_id: UUID, organization_id: UUID) -> bool:
    """Let a session look at another organization of the person; False when they do not belong to it."""
    return bool(await db.fetchval(LOOK_AT, user_id, session_id, organization_id))
