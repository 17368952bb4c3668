"""Changes of organizations and workspaces: rules, rows and events in one transaction."""

import re
from typing import TypeVar
from uuid import UUID, uuid4

from msgspec import UNSET, UnsetType

from locus.server.auth import audit
from locus.server.auth.audit import Action, By
from locus.server.db.pool import Db
from locus.server.errors import Conflict, Invalid, NotFound, Stale
from locus.server.events.log import Actor, record
from locus.server.workspaces import store
from locus.wire.events import EventDetail, EventKind
from locus.wire.tasks import ChecklistItem, ChecklistItemDraft
from locus.wire.workspaces import Organization, OrganizationEdit, Workspace, WorkspaceDraft, WorkspaceEdit

T = TypeVar("T")


async def rename_organization(db: Db, organization_id: UUID, edit: OrganizationEdit, author: By) -> Organization:
    renamed = await store.rename_organization(db, organization_id, edit.name)
    if renamed is None:
        raise NotFound
    await audit.note(db, organization_id, Action.ORGANIZATION_RENAMED, author, subject=edit.name)
    return renamed


async def create(
    db: Db, organization_id: UUID, draft: WorkspaceDraft, actor: Actor, author: By = audit.SYSTEM
) -> Workspace:
    """A new, empty workspace.

    Raises:
        Conflict: the organization has a workspace with this prefix.
    """
    created = await store.create(db, organization_id, name=draft.name, prefix=draft.prefix)
    if created is None:
        raise Conflict(f"The prefix {draft.prefix} is taken by another workspace.", code="prefix_taken")
    await record(db, created.id, EventKind.WORKSPACE_CREATED, actor, detail=EventDetail(title=created.name))
    await audit.note(db, organization_id, Action.WORKSPACE_CREATED, author, subject=created.name, detail=created.prefix)
    return created


async def edit(db: Db, workspace_id: UUID, version: int | None, wanted: WorkspaceEdit, actor: Actor) -> Workspace:
    """Change the fields that are given. With `summaries` off, those that were stored are deleted.

    Raises:
        Stale: `version` is not the current one.
        Invalid: two checklist items have one id.
    """
    changed = await store.edit(
        db,
        workspace_id,
        version=version,
        name=given(wanted.name),
        default_checklist=None if wanted.default_checklist is UNSET else items_of(wanted.default_checklist),
        attempt_cap=given(wanted.attempt_cap),
        required_checks=None if wanted.required_checks is UNSET else list(dict.fromkeys(wanted.required_checks)),
        daily_budget_usd_micros=wanted.daily_budget_usd_micros,
        budget_stops=given(wanted.budget_stops),
        summaries=given(wanted.summaries),
    )
    if changed is None:
        raise await missing_or_stale(db, workspace_id)
    if wanted.summaries is False:
        # The edit has locked the workspace, so whoever stored one before is committed, and nobody stores one after.
        await store.forget_summaries(db, workspace_id)
    fields = [name for name in WorkspaceEdit.__struct_fields__ if getattr(wanted, name) is not UNSET]
    detail = EventDetail(fields=fields, title=changed.name)
    await record(db, workspace_id, EventKind.WORKSPACE_EDITED, actor, detail=detail)
    return changed


async def delete(db: Db, workspace_id: UUID, version: int | None, confirm: str | None, author: By) -> None:
    """Delete a workspace with its tasks, sprints, docs, keys and events; `confirm` must repeat its prefix.

    Raises:
        Conflict: it is not confirmed, or workers hold tasks of it.
        Stale: `version` is not the current one.
    """
    current = await store.get(db, workspace_id)
    if current is None:
        raise NotFound
    if confirm != current.prefix:
        raise Conflict(
            f"Deleting a workspace deletes everything in it. Repeat its prefix to confirm: ?confirm={current.prefix}",
            code="not_confirmed",
        )
    if held := await store.busy(db, workspace_id):
        raise Conflict(f"Workers hold {held} of its tasks. Stop them first.", code="tasks_in_progress")
    if not await store.delete(db, workspace_id, version=version):
        raise await missing_or_stale(db, workspace_id)
    await audit.note(db, current.organization_id, Action.WORKSPACE_DELETED, author, subject=current.name)


async def missing_or_stale(db: Db, workspace_id: UUID) -> Exception:
    """Why an edit found nothing to change."""
    if await store.get(db, workspace_id) is None:
        return NotFound()
    return Stale("The workspace was edited meanwhile. Read it again, then repeat your edit.")


def given(value: T | UnsetType) -> T | None:
    return None if value is UNSET else value


def items_of(drafts: list[ChecklistItemDraft]) -> list[ChecklistItem]:
    """A default checklist as it is stored: every item has an id of its own and is not done."""
    for index, draft in enumerate(drafts):
        if draft.red_first and draft.check is None:
            raise Invalid.field(f"default_checklist.{index}.red_first", "needs a check that can be red")
    items = [
        ChecklistItem(id=draft.id or uuid4().hex[:12], text=draft.text, check=draft.check, red_first=draft.red_first)
        for draft in drafts
    ]
    if len({item.id for item in items}) != len(items):
        raise Invalid.field("default_checklist", "has two items with the same id")
    return items


def prefix_for(name: str) -> str:
    """A prefix of task keys for a workspace of this name: PAYMENTS for "Payments", WEBAPP for "web-app"."""
    letters = re.sub(r"[^A-Z0-9]", "", name.upper().encode("ascii", "ignore").decode()).lstrip("0123456789")
    return letters[:8] or "TASK"
