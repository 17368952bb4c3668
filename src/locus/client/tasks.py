"""Tasks. `task` is an id or a key such as AUTH-12."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from locus.client.subject import Subject, every, segment
from locus.wire.tasks import (
    BlockedReason,
    Comment,
    CommentDraft,
    ItemEdit,
    Priority,
    PullRequestLink,
    Role,
    Status,
    StatusChange,
    Task,
    TaskDraft,
    TaskEdit,
    TasksMove,
    TasksMoved,
)
from locus.wire.work import Attempt


class Filter(Struct, frozen=True, kw_only=True):
    """Which tasks a list shows; what is left out does not filter. `sprint` is `active`, `none`, a number or an id."""

    status: Sequence[Status] = ()
    sprint: str | None = None
    priority: Sequence[Priority] = ()
    role: Sequence[Role] = ()
    label: Sequence[str] = ()
    assignee: str | None = None
    text: str | None = None
    blocked_reason: Sequence[BlockedReason] = ()
    view: str | None = None  # "next": only what could be handed out, in the order of dispatch


class Tasks(Subject):
    def all(self, wanted: Filter | None = None) -> AsyncIterator[Task]:
        """All tasks that match, in the order of dispatch."""
        return every(self._transport, self._path("/tasks"), Task, asdict(wanted or Filter()))

    async def get(self, task: str | UUID) -> Task:
        return await self._transport.get(self._path(f"/tasks/{segment(task)}"), Task)

    async def create(self, draft: TaskDraft, *, idempotency_key: str | None = None) -> Task:
        return await self._transport.post(self._path("/tasks"), draft, Task, idempotency_key=idempotency_key)

    async def edit(self, task: str | UUID, edit: TaskEdit, *, version: int) -> Task:
        """Change fields of the task as it was at `version`; Stale when it has changed since."""
        return await self._transport.patch(self._path(f"/tasks/{segment(task)}"), edit, Task, version=version)

    async def delete(self, task: str | UUID, *, version: int) -> None:
        await self._transport.delete(self._path(f"/tasks/{segment(task)}"), version=version)

    async def set_status(self, task: str | UUID, change: StatusChange) -> Task:
        """A person's decision: approve, reject with feedback, block, unblock."""
        return await self._transport.post(self._path(f"/tasks/{segment(task)}/status"), change, Task)

    async def move(self, move: TasksMove) -> list[Task]:
        """Put tasks into a sprint, or elsewhere in its order."""
        return (await self._transport.post(self._path("/tasks/move"), move, TasksMoved)).tasks

    async def edit_item(self, task: str | UUID, item: str, edit: ItemEdit) -> Task:
        """Tick or reword one checklist item, whatever else changes meanwhile."""
        path = self._path(f"/tasks/{segment(task)}/checklist/{segment(item)}")
        return await self._transport.patch(path, edit, Task, version=None)

    def comments(self, task: str | UUID) -> AsyncIterator[Comment]:
        """All comments, oldest first."""
        return every(self._transport, self._path(f"/tasks/{segment(task)}/comments"), Comment)

    async def comment(self, task: str | UUID, text: str, *, idempotency_key: str | None = None) -> Comment:
        return await self._transport.post(
            self._path(f"/tasks/{segment(task)}/comments"),
            CommentDraft(text=text),
            Comment,
            idempotency_key=idempotency_key,
        )

    def attempts(self, task: str | UUID) -> AsyncIterator[Attempt]:
        """All attempts that have ended, newest first."""
        return every(self._transport, self._path(f"/tasks/{segment(task)}/attempts"), Attempt)

    async def link_pull_request(
        self, link: PullRequestLink, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> list[Task]:
        """Tell which pull request carries the work of these tasks."""
        path = self._path("/tasks/pull-request")
        return (
            await self._transport.post(path, link, TasksMoved, idempotency_key=idempotency_key, deadline=deadline)
        ).tasks
