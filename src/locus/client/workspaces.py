"""Organization, workspaces and the keys that open them."""

from collections.abc import AsyncIterator
from uuid import UUID

from locus.client.errors import PlaneError
from locus.client.subject import every, segment
from locus.client.transport import Transport
from locus.wire.workspaces import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyDraft,
    Me,
    Organization,
    OrganizationEdit,
    Workspace,
    WorkspaceDraft,
    WorkspaceEdit,
)


class Workspaces:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def organization(self) -> Organization:
        return await self._transport.get("/organization", Organization)

    async def rename_organization(self, edit: OrganizationEdit) -> Organization:
        return await self._transport.patch("/organization", edit, Organization, version=None)

    def all(self) -> AsyncIterator[Workspace]:
        """All workspaces that the key opens."""
        return every(self._transport, "/workspaces", Workspace)

    async def get(self, workspace_id: UUID) -> Workspace:
        return await self._transport.get(f"/workspaces/{workspace_id}", Workspace)

    async def create(self, draft: WorkspaceDraft, *, idempotency_key: str | None = None) -> Workspace:
        return await self._transport.post("/workspaces", draft, Workspace, idempotency_key=idempotency_key)

    async def edit(self, workspace_id: UUID, edit: WorkspaceEdit, *, version: int) -> Workspace:
        """Change fields of the workspace as it was at `version`; Stale when it has changed since."""
        return await self._transport.patch(f"/workspaces/{workspace_id}", edit, Workspace, version=version)

    async def delete(self, workspace_id: UUID, *, version: int, confirm: str) -> None:
        """Delete it and everything in it; `confirm` is its prefix, so that nobody does it by accident."""
        await self._transport.delete(f"/workspaces/{workspace_id}", version=version, parameters={"confirm": confirm})

    def keys(self, workspace_id: UUID | None) -> AsyncIterator[ApiKey]:
        """All keys of a workspace, or those for the whole organization (None)."""
        return every(self._transport, _keys(workspace_id), ApiKey)

    async def create_key(self, workspace_id: UUID | None, draft: ApiKeyDraft) -> ApiKeyCreated:
        """Make a key. The answer is the only one that ever holds its secret."""
        return await self._transport.post(_keys(workspace_id), draft, ApiKeyCreated)

    async def revoke_key(self, workspace_id: UUID | None, key_id: UUID) -> None:
        await self._transport.delete(f"{_keys(workspace_id)}/{segment(key_id)}")


def _keys(workspace_id: UUID | None) -> str:
    return f"/workspaces/{workspace_id}/keys" if workspace_id else "/organization/keys"


def matches(workspace: Workspace, wanted: str) -> bool:
    """Whether `wanted` is the workspace's name, prefix or id, in any case."""
    return wanted.casefold() in (str(workspace.id), workspace.prefix.casefold(), workspace.name.casefold())


async def choose(transport: Transport, wanted: str | None) -> Workspace:
    """The workspace that `wanted` (name, prefix or id) means, or the only one. Raises PlaneError with the choices."""
    me = await transport.get("/me", Me)
    found = [me.workspace] if me.workspace else [w async for w in Workspaces(transport).all()]
    fitting = [w for w in found if wanted is None or matches(w, wanted)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(f"{w.name} ({w.prefix})" for w in found)
    if not found:
        raise PlaneError(f"{me.organization.name} has no workspace yet.", remedy="Make one, or run `locus up`.")
    if not fitting:
        raise PlaneError(f"The key opens no workspace {wanted!r}.", remedy=f"It opens: {names}.")
    remedy = f"Name one with `--workspace`, or keep it with `locus config set workspace NAME`: {names}."
    raise PlaneError("The key opens several workspaces.", remedy=remedy)
