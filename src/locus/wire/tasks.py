"""Tasks: what is to be done, who does it and how far it is."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from locus.wire.base import (
    MAX_BATCH,
    Answer,
    Branch,
    CheckName,
    CommentText,
    Count,
    Description,
    ItemId,
    ItemText,
    Label,
    Moment,
    Name,
    PullRequestUrl,
    Request,
    Sha,
    Title,
)


class Status(StrEnum):
    BACKLOG = "BACKLOG"
    IN_PROGRESS = "IN_PROGRESS"
    IN_REVIEW = "IN_REVIEW"
    DONE = "DONE"
    BLOCKED = "BLOCKED"


class BlockedReason(StrEnum):
    """Why a task waits for a person."""

    NO_CHANGE = "no_change"  # the agent finished and changed nothing
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    CHECKS_FAILED = "checks_failed"  # the last allowed attempt ended with red checks
    NEEDS_INPUT = "needs_input"
    POLICY = "policy"  # the change touches something that only a person may change
    CONFLICT = "conflict"  # the work does not fit on the branch any more
    PUSH_REFUSED = "push_refused"  # the remote will not take it
    DEPENDENCY = "dependency"
    MANUAL = "manual"  # a person blocked it


class Priority(StrEnum):
    """In the order of dispatch."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Role(StrEnum):
    BACKEND = "BACKEND"
    FRONTEND = "FRONTEND"
    QA = "QA"
    PM = "PM"
    DESIGN = "DESIGN"


class Phase(StrEnum):
    """What a worker is doing with its task, told with each heartbeat."""

    CLAIMED = "claimed"
    PREPARING = "preparing"
    AGENT = "agent"
    CHECKS = "checks"
    PUSHING = "pushing"
    REPORTING = "reporting"


class ChecklistItem(Answer, frozen=True, kw_only=True):
    """An acceptance criterion. With `check`, only evidence of that named check ticks it.

    With `red_first` that evidence must also say that the changed tests fail without the rest of the change.
    """

    id: str
    text: str
    done: bool = False
    check: str | None = None
    red_first: bool = False


class ChecklistItemDraft(Request, frozen=True, kw_only=True):
    text: ItemText
    done: bool = False
    check: CheckName | None = None
    red_first: bool = False  # for an item with a check
    id: ItemId | None = None  # keep an item's identity when the whole list is sent again


Checklist = Annotated[list[ChecklistItemDraft], Meta(max_length=100)]
Labels = Annotated[list[Label], Meta(max_length=20)]
TaskIds = Annotated[list[UUID], Meta(max_length=MAX_BATCH)]
SomeTaskIds = Annotated[list[UUID], Meta(min_length=1, max_length=MAX_BATCH)]


class Task(Answer, frozen=True, kw_only=True):
    id: UUID
    workspace_id: UUID
    key: str
    number: int
    sprint_id: UUID | None
    parent_id: UUID | None
    title: str
    description: str
    status: Status
    blocked_reason: BlockedReason | None
    priority: Priority
    role: Role | None
    labels: list[str]
    assignee: str | None
    due_on: date | None
    checklist: list[ChecklistItem]
    depends_on: list[UUID]
    doc_ids: list[UUID]
    position: float
    attempts: int  # counted ones, since the last time a person sent it back to work
    attempt_cap: int
    fence: int  # all claims ever
    agent_id: UUID | None  # who holds it now
    agent_name: str | None
    phase: Phase | None
    cancel_requested: bool
    commit: str | None
    branch: str | None
    pull_request_url: str | None
    version: int  # grows with every edit; goes into If-Match
    created_at: Moment
    updated_at: Moment


class TaskDraft(Request, frozen=True, kw_only=True):
    title: Title
    description: Description = ""
    sprint_id: UUID | None = None
    parent_id: UUID | None = None
    priority: Priority = Priority.MEDIUM
    role: Role | None = None
    labels: Labels = []
    assignee: Name | None = None
    due_on: date | None = None
    checklist: Checklist = []
    depends_on: TaskIds = []
    doc_ids: TaskIds = []


class TaskEdit(Request, frozen=True, kw_only=True):
    """A field that is left out stays as it is; null clears what may be empty."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    sprint_id: UUID | None | UnsetType = UNSET
    parent_id: UUID | None | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    role: Role | None | UnsetType = UNSET
    labels: Labels | UnsetType = UNSET
    assignee: Name | None | UnsetType = UNSET
    due_on: date | None | UnsetType = UNSET
    checklist: Checklist | UnsetType = UNSET
    depends_on: TaskIds | UnsetType = UNSET
    doc_ids: TaskIds | UnsetType = UNSET


class ItemEdit(Request, frozen=True, kw_only=True):
    """Ticks or rewords one checklist item without touching the others."""

    text: ItemText | UnsetType = UNSET
    done: bool | UnsetType = UNSET
    check: CheckName | None | UnsetType = UNSET
    red_first: bool | UnsetType = UNSET


class StatusChange(Request, frozen=True, kw_only=True):
    """A person's decision. Rejecting (IN_REVIEW to BACKLOG) needs feedback for the next attempt."""

    status: Status
    feedback: CommentText | None = None
    reason: BlockedReason | None = None  # when blocking; `manual` if left out
    force: bool = False  # approve although items that people tick are open; checks are never waived


class TasksMove(Request, frozen=True, kw_only=True):
    """Puts tasks into a sprint (null: the backlog) and, or, somewhere in its order."""

    task_ids: SomeTaskIds
    sprint_id: UUID | None | UnsetType = UNSET
    before: UUID | None = None
    after: UUID | None = None
    priority: Priority | UnsetType = UNSET


class TasksMoved(Answer, frozen=True, kw_only=True):
    """The tasks of a bulk change as they are now, in the order in which they were named."""

    tasks: list[Task]


class AuthorKind(StrEnum):
    PERSON = "person"
    WORKER = "worker"


class CommentKind(StrEnum):
    COMMENT = "comment"
    REJECTION = "rejection"


class Comment(Answer, frozen=True, kw_only=True):
    id: UUID
    task_id: UUID
    author_kind: AuthorKind
    author_name: str
    kind: CommentKind
    text: str
    created_at: Moment


class CommentDraft(Request, frozen=True, kw_only=True):
    text: CommentText


class PullRequestLink(Request, frozen=True, kw_only=True):
    """Tells which pull request carries the work of these tasks."""

    task_ids: SomeTaskIds
    url: PullRequestUrl
    number: Count
    branch: Branch
    head: Sha
