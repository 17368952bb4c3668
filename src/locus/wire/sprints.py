"""Sprints: the order of work, one of them active at a time."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from msgspec import UNSET, UnsetType

from locus.wire.base import Answer, Description, Moment, Name, Request


class SprintStatus(StrEnum):
    PLANNED = "PLANNED"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"


class OpenTasks(StrEnum):
    """What becomes of tasks that are not done when their sprint is completed."""

    TO_BACKLOG = "to_backlog"
    TO_NEXT_SPRINT = "to_next_sprint"
    KEEP = "keep"


class TaskCounts(Answer, frozen=True, kw_only=True):
    backlog: int = 0
    in_progress: int = 0
    in_review: int = 0
    done: int = 0
    blocked: int = 0


class Sprint(Answer, frozen=True, kw_only=True):
    id: UUID
    workspace_id: UUID
    number: int
    name: str
    goal: str
    status: SprintStatus
    starts_on: date | None
    ends_on: date | None
    started_at: Moment | None
    completed_at: Moment | None
    tasks: TaskCounts
    version: int
    created_at: Moment
    updated_at: Moment


class SprintDraft(Request, frozen=True, kw_only=True):
    name: Name
    goal: Description = ""
    starts_on: date | None = None
    ends_on: date | None = None


class SprintEdit(Request, frozen=True, kw_only=True):
    name: Name | UnsetType = UNSET
    goal: Description | UnsetType = UNSET
    starts_on: date | None | UnsetType = UNSET
    ends_on: date | None | UnsetType = UNSET


class SprintCompletion(Request, frozen=True, kw_only=True):
    """Needed when tasks are still open or unreviewed; without it, such a sprint is not completed (409)."""

    open_tasks: OpenTasks | None = None
    next_sprint_id: UUID | None = None  # with `to_next_sprint`
