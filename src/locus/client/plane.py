"""The control plane as a machine sees it: subjects with a method per endpoint, wire types in and out."""

from types import TracebackType
from typing import Self
from uuid import UUID

from locus.client.agents import Agents
from locus.client.dispatch import Dispatch
from locus.client.docs import Docs
from locus.client.egress import Egress
from locus.client.errors import PlaneError
from locus.client.events import Events
from locus.client.plans import Plans
from locus.client.sprints import Sprints
from locus.client.tasks import Tasks
from locus.client.transport import Transport
from locus.client.workspaces import Workspaces
from locus.wire.workspaces import Me

PATIENCE = 2.0  # seconds; a person waits at the terminal


class ControlPlane:
    """An open control plane; use it in `async with`.

    `workspace_id` is the workspace of every subject but `workspaces` and `me`; it may be set later.
    `egress` is told of every request before it is sent; `patience` is for how many seconds a request is tried again
    when the server does not answer. Raises BadAddress, NotSignedIn (a key that cannot be one).
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        workspace_id: UUID | None = None,
        *,
        egress: Egress,
        patience: float = PATIENCE,
    ) -> None:
        self.transport = Transport(url, key, egress=egress, patience=patience)
        self.workspace_id = workspace_id
        self.tasks = Tasks(self.transport, self._path)
        self.sprints = Sprints(self.transport, self._path)
        self.dispatch = Dispatch(self.transport, self._path)
        self.agents = Agents(self.transport, self._path)
        self.docs = Docs(self.transport, self._path)
        self.events = Events(self.transport, self._path)
        self.plans = Plans(self.transport, self._path)
        self.workspaces = Workspaces(self.transport)

    @property
    def url(self) -> str:
        return self.transport.url

    async def me(self) -> Me:
        """Who the server takes this key for."""
        return await self.transport.get("/me", Me)

    def _path(self, rest: str) -> str:
        if self.workspace_id is None:
            raise PlaneError("No workspace is chosen.", remedy="Name one with `--workspace`.")
        return f"/workspaces/{self.workspace_id}{rest}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.transport.close()
