"""Changes of docs: the row and its event in one transaction."""

from uuid import UUID

from msgspec import UNSET

from locus.server.db.pool import Db
from locus.server.docs import store
from locus.server.errors import NotFound, Stale
from locus.server.events.log import Actor, record
from locus.wire.docs import Doc, DocDraft, DocEdit, DocGroupRename
from locus.wire.events import EventDetail, EventKind


async def create(db: Db, workspace_id: UUID, draft: DocDraft, actor: Actor) -> Doc:
    created = await store.create(db, workspace_id, draft, author=actor.name)
    detail = EventDetail(doc_id=created.id, title=created.title)
    await record(db, workspace_id, EventKind.DOC_CREATED, actor, detail=detail)
    return created


async def edit(db: Db, workspace_id: UUID, doc_id: UUID, version: int | None, wanted: DocEdit, actor: Actor) -> Doc:
    """Change the fields that are given.

    Raises:
        NotFound: the workspace has no such doc.
        Stale: `version` is not the current one.
    """
    changed = await store.edit(
        db,
        workspace_id,
        doc_id,
        version=version,
        title=None if wanted.title is UNSET else wanted.title,
        kind=None if wanted.kind is UNSET else wanted.kind,
        text=None if wanted.text is UNSET else wanted.text,
        group=None if wanted.group is UNSET else wanted.group,
        author=actor.name,
    )
    if changed is None:
        raise await missing_or_stale(db, workspace_id, doc_id)
    fields = [name for name in DocEdit.__struct_fields__ if getattr(wanted, name) is not UNSET]
    detail = EventDetail(doc_id=doc_id, title=changed.title, fields=fields)
    await record(db, workspace_id, EventKind.DOC_EDITED, actor, detail=detail)
    return changed


async def delete(db: Db, workspace_id: UUID, doc_id: UUID, version: int | None, actor: Actor) -> None:
    """Delete a doc; tasks that named it no longer do.

    Raises:
        NotFound: the workspace has no such doc.
        Stale: `version` is not the current one.
    """
    title = await store.delete(db, workspace_id, doc_id, version=version)
    if title is None:
        raise await missing_or_stale(db, workspace_id, doc_id)
    await record(db, workspace_id, EventKind.DOC_DELETED, actor, detail=EventDetail(doc_id=doc_id, title=title))


async def rename_group(db: Db, workspace_id: UUID, wish: DocGroupRename, actor: Actor) -> None:
    """Give every doc of a group another one.

    Raises:
        NotFound: no doc is in that group.
    """
    docs = await store.lock_group(db, workspace_id, wish.old)
    if not docs:
        raise NotFound(f"No doc is in the group {wish.old}.")
    if wish.new != wish.old:
        for doc_id in docs:
            await edit(db, workspace_id, doc_id, None, DocEdit(group=wish.new), actor)


async def missing_or_stale(db: Db, workspace_id: UUID, doc_id: UUID) -> Exception:
    """Why a change found nothing."""
    if await store.get(db, workspace_id, doc_id) is None:
        return NotFound()
    return Stale("The doc was edited meanwhile. Read it again, then repeat your edit.")
