"""Changes of API keys, each with its event and its line in the audit log."""

from uuid import UUID

from locus.server.auth import audit, store
from locus.server.auth.audit import Action, By
from locus.server.auth.principals import Principal
from locus.server.auth.secrets import hashed, hint, new_secret
from locus.server.db.pool import Db
from locus.server.errors import NotFound
from locus.server.events.log import Actor, record
from locus.wire.events import EventDetail, EventKind
from locus.wire.workspaces import ApiKey, ApiKeyCreated, ApiKeyDraft


async def create(
    db: Db, principal: Principal, workspace_id: UUID | None, draft: ApiKeyDraft, author: By
) -> ApiKeyCreated:
    """A new key. Only ADMIN keys come here, so it opens no more than the caller's; it also ends no later."""
    secret = new_secret()
    key = await store.create(
        db,
        principal.organization_id,
        workspace_id,
        name=draft.name,
        purpose=draft.purpose,
        key_hash=hashed(secret),
        hint=hint(secret),
        days=draft.expires_in_days,
        not_after=principal.expires_at,
    )
    await _note(db, EventKind.KEY_CREATED, Action.KEY_CREATED, key, principal, author)
    return ApiKeyCreated(key=key, secret=secret)


async def rotate(db: Db, principal: Principal, workspace_id: UUID | None, key_id: UUID, author: By) -> ApiKeyCreated:
    """A new secret for a key that lives; the old one is refused from now on."""
    secret = new_secret()
    key = await store.rotate(
        db,
        principal.organization_id,
        workspace_id,
        key_id,
        key_hash=hashed(secret),
        hint=hint(secret),
        not_after=principal.expires_at,
    )
    if key is None:
        raise NotFound
    await _note(db, EventKind.KEY_CREATED, Action.KEY_ROTATED, key, principal, author)
    return ApiKeyCreated(key=key, secret=secret)


async def revoke(db: Db, principal: Principal, workspace_id: UUID | None, key_id: UUID, author: By) -> None:
    key = await store.revoke(db, principal.organization_id, workspace_id, key_id)
    if key is None:
        raise NotFound
    await _note(db, EventKind.KEY_REVOKED, Action.KEY_REVOKED, key, principal, author)


async def _note(db: Db, kind: EventKind, action: Action, key: ApiKey, principal: Principal, author: By) -> None:
    await audit.note(db, principal.organization_id, action, author, subject=key.name, detail=key.purpose.value)
    # Events belong to a workspace; a key of the organization belongs to none.
    if key.workspace_id is not None:
        detail = EventDetail(key_id=key.id, title=key.name)
        await record(db, key.workspace_id, kind, Actor.of(principal), detail=detail)
