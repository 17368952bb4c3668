"""Sprints. `sprint` is an id, a number or `active`."""

from collections.abc import AsyncIterator
from uuid import UUID

from locus.client.subject import Subject, every, segment
from locus.wire.reports import Figures, SprintReport
from locus.wire.sprints import Sprint, SprintCompletion, SprintDraft, SprintEdit
from locus.wire.work import SprintProgress

Which = str | int | UUID


class Sprints(Subject):
    def all(self) -> AsyncIterator[Sprint]:
        """All sprints, newest first."""
        return every(self._transport, self._path("/sprints"), Sprint)

    async def get(self, sprint: Which) -> Sprint:
        return await self._transport.get(self._path(f"/sprints/{segment(sprint)}"), Sprint)

    async def progress(self, sprint: Which) -> SprintProgress:
        """What is left in the sprint."""
        return await self._transport.get(self._path(f"/sprints/{segment(sprint)}/progress"), SprintProgress)

    async def report(self, sprint: Which) -> SprintReport:
        """Its history, when it will be done, and what it cost."""
        return await self._transport.get(self._path(f"/sprints/{segment(sprint)}/report"), SprintReport)

    async def figures(self) -> Figures:
        """The pace of the workspace, and what the last day cost."""
        return await self._transport.get(self._path("/figures"), Figures)

    async def create(self, draft: SprintDraft, *, idempotency_key: str | None = None) -> Sprint:
        return await self._transport.post(self._path("/sprints"), draft, Sprint, idempotency_key=idempotency_key)

    async def edit(self, sprint: Which, edit: SprintEdit, *, version: int) -> Sprint:
        """Change fields of the sprint as it was at `version`; Stale when it has changed since."""
        return await self._transport.patch(self._path(f"/sprints/{segment(sprint)}"), edit, Sprint, version=version)

    async def start(self, sprint: Which) -> Sprint:
        """Make it the active one; Conflict when another is."""
        return await self._transport.post(self._path(f"/sprints/{segment(sprint)}/start"), None, Sprint)

    async def complete(self, sprint: Which, completion: SprintCompletion) -> Sprint:
        """End it; Conflict when tasks are open and `completion` does not say what becomes of them."""
        return await self._transport.post(self._path(f"/sprints/{segment(sprint)}/complete"), completion, Sprint)

    async def delete(self, sprint: Which, *, version: int) -> None:
        await self._transport.delete(self._path(f"/sprints/{segment(sprint)}"), version=version)
