"""Reports: what a workspace's history comes to, counted by the server from tasks, attempts and events."""

from enum import StrEnum
from uuid import UUID

from locus.wire.base import Answer, Moment
from locus.wire.sprints import Sprint, SprintStatus
from locus.wire.tasks import BlockedReason, Status


class SprintPoint(Answer, frozen=True, kw_only=True):
    """How many tasks were in a sprint, by status, at one moment."""

    at: Moment
    backlog: int = 0
    in_progress: int = 0
    in_review: int = 0
    done: int = 0
    blocked: int = 0


class Forecast(Answer, frozen=True, kw_only=True):
    """When the open tasks of a sprint will be accepted, if people and agents go on as they did."""

    remaining: int
    likely: Moment  # as probably before as after
    early: Moment  # 1 in 10 is earlier
    late: Moment  # 1 in 10 is later
    based_on: int  # accepted tasks of this workspace


class Spending(Answer, frozen=True, kw_only=True):
    """What attempts took. Attempts whose price nobody knows count their tokens alone."""

    attempts: int
    unpriced: int
    usd_micros: int
    input_tokens: int
    output_tokens: int
    accepted: int  # tasks
    usd_micros_per_accepted: int | None  # null: nothing is accepted yet, or no price is known


class SprintReport(Answer, frozen=True, kw_only=True):
    """A sprint's history at even distances, from its start until now or its end; empty before it starts."""

    sprint: Sprint
    points: list[SprintPoint]
    forecast: Forecast | None  # null: the sprint is not active, or there is too little history
    spending: Spending


class CellState(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"  # the task or the workspace asks for it, and nobody has run it
    NOT_ASKED = "not_asked"


class EvidenceCell(Answer, frozen=True, kw_only=True):
    """What one check came to for one task, in the last attempt that ran it."""

    state: CellState
    tests: int | None = None
    duration_ms: int | None = None
    red_first: bool | None = None


class EvidenceRow(Answer, frozen=True, kw_only=True):
    task_id: UUID
    key: str
    title: str
    status: Status
    commit: str | None
    cells: list[EvidenceCell]  # in the order of the matrix's checks


class EvidenceMatrix(Answer, frozen=True, kw_only=True):
    checks: list[str]
    rows: list[EvidenceRow]


class Pace(Answer, frozen=True, kw_only=True):
    """What one sprint came to."""

    sprint_id: UUID
    number: int
    name: str
    status: SprintStatus
    started_at: Moment | None
    completed_at: Moment | None
    accepted: int
    open: int
    spending: Spending


class Durations(Answer, frozen=True, kw_only=True):
    """How long accepted tasks took; null without any."""

    tasks: int
    median_ms: int | None
    p85_ms: int | None


class Figures(Answer, frozen=True, kw_only=True):
    """The pace of a workspace: its last sprints, and the last accepted tasks."""

    sprints: list[Pace]  # oldest first
    lead: Durations  # from the making of a task to its acceptance
    cycle: Durations  # from its first claim to its acceptance
    last_day: Spending
    daily_budget_usd_micros: int | None


class NeedKind(StrEnum):
    """Why something waits for a person."""

    PLAN = "plan"  # it was proposed, and nobody has decided yet
    REVIEW = "review"
    HELD = "held"  # the change touches what only a person may change
    BLOCKED = "blocked"
    PARKED = "parked"  # an agent waits for a usage limit to end
    BUDGET = "budget"  # the last day's spending has reached the workspace's budget


class Need(Answer, frozen=True, kw_only=True):
    kind: NeedKind
    since: Moment
    task_id: UUID | None = None
    key: str | None = None
    title: str | None = None
    blocked_reason: BlockedReason | None = None
    attempts: int | None = None
    pull_request_url: str | None = None
    agent_id: UUID | None = None
    agent_name: str | None = None
    until: Moment | None = None
    plan_id: UUID | None = None


class Needs(Answer, frozen=True, kw_only=True):
    """What waits for a person, the longest waiting first; `total` counts also what the list has no room for."""

    items: list[Need]
    total: int


class FoundKind(StrEnum):
    TASK = "task"
    DOC = "doc"
    SPRINT = "sprint"


class Found(Answer, frozen=True, kw_only=True):
    """One thing that a search has found."""

    kind: FoundKind
    id: UUID
    title: str
    key: str | None = None  # of a task
    number: int | None = None  # of a sprint
    status: str | None = None  # of a task or a sprint
    excerpt: str = ""  # around the text, when it is not in the title


class FoundList(Answer, frozen=True, kw_only=True):
    """The best matches first."""

    items: list[Found]
