"""Links with which an operator, who owns the database anyway, signs in without mail: once, and soon."""

from uuid import UUID

from locus.server.auth.tokens import hashed, is_token, new_token
from locus.server.db.pool import Db

MINUTES = 10  # that a link is good for
PATH = "/sign-in/once/"

CREATE = f"""
    INSERT INTO sign_in_links (hash, user_id, expires_at)
    VALUES ($1, $2, clock_timestamp() + interval '{MINUTES} minutes')
"""
CLEAR = "DELETE FROM sign_in_links WHERE expires_at < clock_timestamp() - interval '1 day'"
GOOD = "SELECT user_id FROM sign_in_links WHERE hash = $1 AND used_at IS NULL AND expires_at > clock_timestamp()"
# One statement: of any number of requests with one link, one signs in.
USE = """
    UPDATE sign_in_links SET used_at = clock_timestamp()
     WHERE hash = $1 AND used_at IS NULL AND expires_at > clock_timestamp() RETURNING user_id
"""
OWNER = """
    SELECT m.user_id FROM memberships m WHERE m.organization_id = $1 AND m.role = 'OWNER'
     ORDER BY m.created_at, m.user_id LIMIT 1
"""
FIRST_OWNER = """
    WITH person AS (INSERT INTO users (name) VALUES ('Owner') RETURNING id)
    INSERT INTO memberships (organization_id, user_id, role) SELECT $1, id, 'OWNER' FROM person RETURNING user_id
"""


async def for_owner(db: Db, organization_id: UUID) -> str:
    """The path of a new link that signs in as the organization's first owner, who is made when there is none.

    `db` is a transaction.
    """
    await db.execute("SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE", organization_id)  # one owner, not two
    owner = await db.fetchval(OWNER, organization_id) or await db.fetchval(FIRST_OWNER, organization_id)
    token = new_token()
    await db.execute(CLEAR)
    await db.execute(CREATE, hashed(token), owner)
    return PATH + token


async def is_good(db: Db, token: str) -> bool:
    """Whether the link would sign somebody in; looking does not use it up."""
    return is_token(token) and await db.fetchval(GOOD, hashed(token)) is not None


async def use(db: Db, token: str) -> UUID | None:
    """Use a link up: the person it signs in, or None when it was used before, is too old or never was."""
    if not is_token(token):
        return None
    user_id: UUID | None = await db.fetchval(USE, hashed(token))
    return user_id
