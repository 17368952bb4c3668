"""People in the database."""

from dataclasses import dataclass
from uuid import UUID

from locus.server.db.pool import Db

COLUMNS = "id, name, email"
BY_EMAIL = f"SELECT {COLUMNS} FROM users WHERE email = $1"
GET = f"SELECT {COLUMNS} FROM users WHERE id = $1"
# Two browsers may prove a new address at the same time: they are one person.
CREATE = f"""
    INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (email) DO UPDATE SET email = excluded.email
    RETURNING {COLUMNS}
"""
RENAME = "UPDATE users SET name = $2 WHERE id = $1"
SET_EMAIL = """
    UPDATE users SET email = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM users WHERE email = $2 AND id <> $1)
    RETURNING true
"""
DELETE = "DELETE FROM users WHERE id = $1"
INVITED = """
    SELECT EXISTS (SELECT 1 FROM invitations WHERE email = $1 AND accepted_at IS NULL AND revoked_at IS NULL
                                               AND expires_at > clock_timestamp())
"""
BY_IDENTITY = """
    SELECT u.id, u.name, u.email FROM identities i JOIN users u ON u.id = i.user_id
     WHERE i.provider = $1 AND i.subject = $2
"""
LINK = "INSERT INTO identities (provider, subject, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class User:
    """A person, signed in or not."""

    id: UUID
    name: str
    email: str | None


async def get(db: Db, user_id: UUID) -> User | None:
    row = await db.fetchrow(GET, user_id)
    return User(**dict(row)) if row else None


async def by_email(db: Db, email: str) -> User | None:
    row = await db.fetchrow(BY_EMAIL, email)
    return User(**dict(row)) if row else None


async def create(db: Db, email: str, name: str) -> User:
    """The person with this proven address, new or not."""
    row = await db.fetchrow(CREATE, email, name)
    assert row is not None
    return User(**dict(row))


async def rename(db: Db, user_id: UUID, name: str) -> None:
    await db.execute(RENAME, user_id, name)


async def set_email(db: Db, user_id: UUID, email: str) -> bool:
    """Give a person another proven address; False when somebody else has it."""
    return bool(await db.fetchval(SET_EMAIL, user_id, email))


async def delete(db: Db, user_id: UUID) -> None:
    """Delete an account with its memberships, sessions and own keys. What the person wrote stays, under their name."""
    await db.execute(DELETE, user_id)


async def is_invited(db: Db, email: str) -> bool:
    """Whether an invitation for this address waits."""
    return bool(await db.fetchval(INVITED, email))


async def by_identity(db: Db, provider: str, subject: str) -> User | None:
    """The person who came from a provider under this subject before."""
    row = await db.fetchrow(BY_IDENTITY, provider, subject)
    return User(**dict(row)) if row else None


async def link(db: Db, provider: str, subject: str, user_id: UUID) -> None:
    """Remember that this subject of a provider is the person."""
    await db.execute(LINK, provider, subject, user_id)
