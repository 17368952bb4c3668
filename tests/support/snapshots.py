"""Task snapshots as the server gives them, with what a test wants to be different."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from locus.wire.tasks import AuthorKind, Comment, CommentKind, Priority, Status, Task
from locus.wire.work import TaskSnapshot

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

PLAIN = Task(
    id=UUID(int=1),
    workspace_id=UUID(int=2),
    key="AUTH-12",
    number=12,
    sprint_id=UUID(int=3),
    parent_id=None,
    title="Refuse bad e-mail addresses",
    description="The sign-in form takes anything.",
    status=Status.IN_PROGRESS,
    blocked_reason=None,
    priority=Priority.HIGH,
    role=None,
    labels=[],
    assignee=None,
    due_on=None,
    checklist=[],
    depends_on=[],
    doc_ids=[],
    position=1000.0,
    attempts=1,
    attempt_cap=3,
    fence=1,
    agent_id=None,
    agent_name=None,
    phase=None,
    cancel_requested=False,
    commit=None,
    branch=None,
    pull_request_url=None,
    version=1,
    created_at=NOW,
    updated_at=NOW,
)


def snapshot(*, comments: list[Comment] | None = None, last_failure: Any = None, **task: Any) -> TaskSnapshot:
    """A snapshot of a task with some fields changed."""
    return TaskSnapshot(
        task=msgspec.structs.replace(PLAIN, **task),
        comments=comments or [],
        docs=[],
        last_failure=last_failure,
    )


def comment(text: str, *, kind: CommentKind = CommentKind.COMMENT, author: str = "Grace") -> Comment:
    """A person's comment on the task."""
    return Comment(
        id=uuid4(),
        task_id=PLAIN.id,
        author_kind=AuthorKind.PERSON,
        author_name=author,
        kind=kind,
        text=text,
        created_at=NOW,
    )
