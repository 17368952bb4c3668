"""The first organization, workspace and key of a database, and keys that an operator makes without having one."""

from dataclasses import dataclass
from uuid import UUID

from locus.server.auth import links, store as keys
from locus.server.auth.secrets import hashed, hint, new_secret
from locus.server.db.pool import Db
from locus.server.events.log import SYSTEM, Log
from locus.server.workspaces import actions, store
from locus.wire.workspaces import Purpose, Workspace, WorkspaceDraft

LOCK = 0x6C6F6375735F6273  # of PostgreSQL's advisory locks: "locus_bs"
OWNER_KEY = "locus up"  # the name of the key that is made for who started the server
NAME_LIMIT = 100


@dataclass(frozen=True)
class First:
    """What the owner of a database is told: a new key when one was made, the workspace to begin with, and the path
    of a link that signs a browser in once."""

    secret: str | None
    workspace: Workspace | None
    sign_in: str | None


async def bootstrap(log: Log, name: str, *, mint: bool) -> First:
    """Make the first organization, workspace and ADMIN key in an empty database; in any other, a key only with `mint`.

    Any number of processes may do so at once: one of them makes the first things.
    """
    async with log.transaction() as db:
        await db.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        organization = await store.first_organization(db)
        if organization is None:
            title = tidy(name)
            organization = await store.create_organization(db, title)
            draft = WorkspaceDraft(name=title, prefix=actions.prefix_for(title))
            workspace: Workspace | None = await actions.create(db, organization.id, draft, SYSTEM)
            mint = True
        else:
            workspace = await store.first(db, organization.id)
        secret = await mint_key(db, organization.id, None, name=OWNER_KEY, purpose=Purpose.ADMIN) if mint else None
        sign_in = await links.for_owner(db, organization.id)
    return First(secret, workspace, sign_in)


async def mint_key(
    db: Db,
    organization_id: UUID,
    workspace_id: UUID | None,
    *,
    name: str,
    purpose: Purpose,
    days: int | None = None,
) -> str:
    """The secret of a new key, for an operator, who owns the database and needs no key to make one."""
    secret = new_secret()
    await keys.create(
        db,
        organization_id,
        workspace_id,
        name=name,
        purpose=purpose,
        key_hash=hashed(secret),
        hint=hint(secret),
        days=days,
    )
    return secret


def tidy(name: str) -> str:
    """A name that the wire accepts: one line, without control characters."""
    visible = "".join(" " if ord(letter) < 0x20 or ord(letter) == 0x7F else letter for letter in name)
    return visible.strip()[:NAME_LIMIT].strip() or "Workspace"
