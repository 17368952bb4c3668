"""Docs: what people wrote down for each other and for the agents."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from locus.client.subject import Subject, every, segment
from locus.wire.docs import Doc, DocDraft, DocEdit, DocKind, DocRef


class Docs(Subject):
    def all(self, *, kind: Sequence[DocKind] = (), text: str | None = None) -> AsyncIterator[DocRef]:
        """All docs without their text, newest change first."""
        return every(self._transport, self._path("/docs"), DocRef, {"kind": kind, "text": text})

    async def get(self, doc_id: UUID, *, deadline: float | None = None) -> Doc:
        return await self._transport.get(self._path(f"/docs/{segment(doc_id)}"), Doc, deadline=deadline)

    async def create(self, draft: DocDraft, *, idempotency_key: str | None = None) -> Doc:
        return await self._transport.post(self._path("/docs"), draft, Doc, idempotency_key=idempotency_key)

    async def edit(self, doc_id: UUID, edit: DocEdit, *, version: int) -> Doc:
        """Change fields of the doc as it was at `version`; Stale when it has changed since."""
        return await self._transport.patch(self._path(f"/docs/{segment(doc_id)}"), edit, Doc, version=version)

    async def delete(self, doc_id: UUID, *, version: int) -> None:
        await self._transport.delete(self._path(f"/docs/{segment(doc_id)}"), version=version)
