"""Dispatch: claim a task, keep its lease, and tell how the attempt ended.

Everything carries the fence of the claim; LeaseLost means that another attempt has the task now. `deadline` is for how
many seconds the same thing is said again until the server has heard it.
"""

from uuid import UUID

from locus.client.subject import Subject, segment
from locus.wire.tasks import Task
from locus.wire.work import (
    Claim,
    Claimed,
    Completion,
    Failure,
    HeldClaim,
    OutcomeRecorded,
    Release,
    Renewal,
    Renewed,
)


class Dispatch(Subject):
    async def claim(
        self, claim: Claim, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> Claimed:
        """Ask for the next task, waiting up to `claim.wait_ms` for one. The same key gets the same lease."""
        return await self._transport.post(
            self._path("/dispatch/claim"),
            claim,
            Claimed,
            idempotency_key=idempotency_key,
            deadline=deadline,
            waiting=claim.wait_ms / 1000,
        )

    async def take(
        self, task: str | UUID, claim: HeldClaim, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> Claimed:
        """Ask for a task whose change is held back, so that it can be let through."""
        return await self._transport.post(
            self._path(f"/tasks/{segment(task)}/lease"),
            claim,
            Claimed,
            idempotency_key=idempotency_key,
            deadline=deadline,
        )

    async def renew(self, task_id: UUID, renewal: Renewal, *, deadline: float | None = None) -> Renewed:
        return await self._transport.post(self._lease(task_id, "renew"), renewal, Renewed, deadline=deadline)

    async def complete(
        self,
        task_id: UUID,
        completion: Completion,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> OutcomeRecorded:
        """The commit is on the remote and its checks are green."""
        return await self._transport.post(
            self._lease(task_id, "complete"),
            completion,
            OutcomeRecorded,
            idempotency_key=idempotency_key,
            deadline=deadline,
        )

    async def fail(
        self, task_id: UUID, failure: Failure, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> OutcomeRecorded:
        return await self._transport.post(
            self._lease(task_id, "fail"), failure, OutcomeRecorded, idempotency_key=idempotency_key, deadline=deadline
        )

    async def release(
        self, task_id: UUID, release: Release, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> OutcomeRecorded:
        """Give the task back unharmed."""
        return await self._transport.post(
            self._lease(task_id, "release"),
            release,
            OutcomeRecorded,
            idempotency_key=idempotency_key,
            deadline=deadline,
        )

    async def cancel(self, task: str | UUID) -> Task:
        """A person asks the worker that has the task to stop."""
        return await self._transport.post(self._lease(task, "cancel"), None, Task)

    def _lease(self, task: str | UUID, verb: str) -> str:
        return self._path(f"/tasks/{segment(task)}/lease/{verb}")
