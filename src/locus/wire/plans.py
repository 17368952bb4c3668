"""Plans: a sprint with its tasks as somebody proposes it. Metadata only; nothing is created before it is approved."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from locus.wire.base import Answer, CommentText, Description, ItemText, Moment, Name, Request, Title
from locus.wire.sprints import Sprint
from locus.wire.tasks import Checklist, Labels, Priority, Role, Task

MOST_TASKS = 100

# What a task is called inside of its plan; its key is given when the plan is approved.
REF = r"^[a-z0-9][a-z0-9-]*$(?!\n)"
Ref = Annotated[str, Meta(min_length=1, max_length=40, pattern=REF)]
Refs = Annotated[list[Ref], Meta(max_length=MOST_TASKS)]
Complexity = Annotated[int, Meta(ge=1, le=5)]
Minutes = Annotated[int, Meta(ge=1, le=10_000)]


class PlanStatus(StrEnum):
    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class Severity(StrEnum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class PlanTask(Request, frozen=True, kw_only=True):
    ref: Ref
    title: Title
    description: Description = ""
    role: Role | None = None
    priority: Priority = Priority.MEDIUM
    labels: Labels = []
    complexity: Complexity | None = None
    estimate_minutes: Minutes | None = None
    checklist: Checklist = []
    depends_on: Refs = []


class PlanRisk(Request, frozen=True, kw_only=True):
    description: ItemText
    mitigation: ItemText
    severity: Severity = Severity.MEDIUM


class PlanDraft(Request, frozen=True, kw_only=True):
    """A sprint as it would be: the tasks in their order, and what each waits for."""

    name: Name
    goal: Description = ""
    tasks: Annotated[list[PlanTask], Meta(min_length=1, max_length=MOST_TASKS)]
    risks: Annotated[list[PlanRisk], Meta(max_length=20)] = []


class Plan(Answer, frozen=True, kw_only=True):
    id: UUID
    workspace_id: UUID
    status: PlanStatus
    draft: PlanDraft
    feedback: str | None  # why it was rejected
    sprint_id: UUID | None  # what became of it
    proposed_by: str
    decided_by: str | None
    version: int
    created_at: Moment
    updated_at: Moment


class PlanProposal(Request, frozen=True, kw_only=True):
    """A plan for somebody to decide about. The id is made by who sends it: sending it again changes nothing."""

    id: UUID
    plan: PlanDraft


class PlanApproval(Request, frozen=True, kw_only=True):
    """Turns a plan into a sprint. With `plan`, one that was not sent before, or another version of it."""

    plan: PlanDraft | None = None
    start: bool = False  # make the sprint the active one, if none is


class PlanApproved(Answer, frozen=True, kw_only=True):
    """What the plan became. Approving it once more says the same, and changes nothing."""

    plan: Plan
    sprint: Sprint
    tasks: list[Task]  # in the order of the plan


class PlanRejection(Request, frozen=True, kw_only=True):
    feedback: CommentText


class Range(Answer, frozen=True, kw_only=True):
    """The middle, and the bounds between which four of five such sprints would end."""

    low: int
    middle: int
    high: int


class PlanForecast(Answer, frozen=True, kw_only=True):
    """What so many tasks may take, drawn from what finished tasks of this workspace took."""

    tasks: int
    history: int  # finished tasks that are known; too few give no ranges
    usd_micros: Range | None
    agent_ms: Range | None  # summed up over the tasks, as if one agent did them one after the other
