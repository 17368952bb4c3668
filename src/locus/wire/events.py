"""Events: every change of state, in order, without a gap."""

from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from locus.wire.base import Answer, Moment
from locus.wire.sprints import SprintStatus
from locus.wire.tasks import BlockedReason, CommentKind, Status
from locus.wire.work import FailReason, ReleaseReason


class EventKind(StrEnum):
    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_EDITED = "workspace.edited"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    SPRINT_CREATED = "sprint.created"
    SPRINT_EDITED = "sprint.edited"
    SPRINT_STARTED = "sprint.started"
    SPRINT_COMPLETED = "sprint.completed"
    SPRINT_DELETED = "sprint.deleted"
    TASK_CREATED = "task.created"
    TASK_EDITED = "task.edited"
    TASK_MOVED = "task.moved"
    TASK_STATUS = "task.status"  # a person's decision
    TASK_DELETED = "task.deleted"
    TASK_CLAIMED = "task.claimed"
    TASK_COMPLETED = "task.completed"
    TASK_FAILED = "task.failed"
    TASK_RELEASED = "task.released"
    TASK_EXPIRED = "task.expired"
    TASK_CANCEL_REQUESTED = "task.cancel_requested"
    TASK_LINKED = "task.linked"  # to a pull request
    COMMENT_ADDED = "comment.added"
    DOC_CREATED = "doc.created"
    DOC_EDITED = "doc.edited"
    DOC_DELETED = "doc.deleted"
    PLAN_PROPOSED = "plan.proposed"
    PLAN_APPROVED = "plan.approved"
    PLAN_REJECTED = "plan.rejected"
    PLAN_CANCELLED = "plan.cancelled"
    AGENT_REGISTERED = "agent.registered"
    AGENT_STATE = "agent.state"


class ActorKind(StrEnum):
    PERSON = "person"
    WORKER = "worker"
    SYSTEM = "system"


class EventDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changed. Only the fields that concern the kind are there."""

    status: Status | None = None  # of the task, after the event
    previous: Status | None = None
    blocked_reason: BlockedReason | None = None
    fail_reason: FailReason | None = None
    release_reason: ReleaseReason | None = None
    sprint_status: SprintStatus | None = None
    fence: int | None = None
    attempts: int | None = None
    agent_id: UUID | None = None
    agent_state: str | None = None
    doc_id: UUID | None = None
    plan_id: UUID | None = None
    key_id: UUID | None = None
    comment_id: UUID | None = None
    comment_kind: CommentKind | None = None
    fields: list[str] = []  # names of the fields that were edited
    commit: str | None = None
    pull_request_url: str | None = None
    title: str | None = None
    number: int | None = None


class Event(Answer, frozen=True, kw_only=True):
    seq: int  # 1, 2, 3 … within the workspace
    workspace_id: UUID
    kind: EventKind
    task_id: UUID | None
    sprint_id: UUID | None
    actor_kind: ActorKind
    actor_name: str
    detail: EventDetail
    created_at: Moment
