"""Work: a claim gives a lease with a fence; an attempt ends in one outcome, with evidence and numbers."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from locus.wire.agents import ProviderName
from locus.wire.base import (
    Answer,
    BigCount,
    Branch,
    CheckName,
    Count,
    ExitCode,
    Fence,
    ModelName,
    Moment,
    PullRequestUrl,
    Request,
    Sha,
    Sha256,
    Summary,
)
from locus.wire.docs import DocRef
from locus.wire.tasks import Comment, Phase, Task

WaitMs = Annotated[int, Meta(ge=0, le=30_000)]


class Claim(Request, frozen=True, kw_only=True):
    """Asks for the next task. Without `sprint_id` it is the active sprint's."""

    agent_id: UUID
    sprint_id: UUID | None = None
    wait_ms: WaitMs = 0  # how long to wait when there is nothing to do yet
    again: bool = False  # only what the same claim got before: its answer was lost


class HeldClaim(Request, frozen=True, kw_only=True):
    """Asks for a task whose change is held back, after a person has looked at that change."""

    agent_id: UUID
    fence: Fence  # of the attempt whose change it was


class Lease(Answer, frozen=True, kw_only=True):
    task_id: UUID
    fence: int
    expires_in_ms: int  # remaining time, so that clocks need not agree
    heartbeat_ms: int
    attempt: int  # counted attempts, this one included


class LastFailure(Answer, frozen=True, kw_only=True):
    """Why the attempt before this one ended, for the next prompt."""

    fence: int
    reason: "FailReason"
    red_checks: list[str]


class TaskSnapshot(Answer, frozen=True, kw_only=True):
    """Everything an attempt needs to know, read in the same statement that claimed it."""

    task: Task
    comments: list[Comment]  # by people, oldest first; rejections among them
    docs: list[DocRef]
    last_failure: LastFailure | None
    required_checks: list[str] = []  # of the workspace, beside those that the checklist names
    summaries: bool = False  # the workspace takes a summary of finished work


class SprintProgress(Answer, frozen=True, kw_only=True):
    """What is left in the sprint, told when there is nothing to claim."""

    sprint_id: UUID
    number: int
    name: str
    active: bool
    claimable: int  # could be handed out now
    waiting: int  # in the backlog behind a dependency
    in_progress: int  # by agents
    assigned: int  # a person's, in the backlog or in progress
    blocked: int
    in_review: int
    done: int


class Claimed(Answer, frozen=True, kw_only=True):
    """`lease` and `snapshot` are null when there is nothing to do; `progress` then says why."""

    lease: Lease | None
    snapshot: TaskSnapshot | None
    progress: SprintProgress | None


class Renewal(Request, frozen=True, kw_only=True):
    fence: Fence
    phase: Phase


class Renewed(Answer, frozen=True, kw_only=True):
    expires_in_ms: int
    cancel_requested: bool


class Evidence(Request, frozen=True, kw_only=True):
    """One check as our own supervisor ran it on the committed tree."""

    check: CheckName
    passed: bool
    exit_code: ExitCode
    duration_ms: BigCount
    output_sha256: Sha256
    commit: Sha
    tests: Count | None = None  # executed ones, where the check can tell
    red_first: bool | None = None  # whether the changed tests fail on the task's base; null: not tried


EvidenceList = Annotated[list[Evidence], Meta(max_length=50)]


class Numbers(Request, frozen=True, kw_only=True):
    """What an attempt took and made. Numbers only: no names, no paths, no prose."""

    provider: ProviderName
    model: ModelName | None = None
    files: Count = 0
    lines_added: Count = 0
    lines_removed: Count = 0
    turns: Count = 0
    input_tokens: BigCount = 0
    cached_tokens: BigCount = 0
    output_tokens: BigCount = 0
    usd_micros: BigCount | None = None  # null: the price is not known
    agent_ms: BigCount = 0
    checks_ms: BigCount = 0
    total_ms: BigCount = 0


class Completion(Request, frozen=True, kw_only=True):
    """The commit is on the remote and its checks are green: the task may be reviewed."""

    fence: Fence
    commit: Sha
    branch: Branch
    evidence: EvidenceList
    numbers: Numbers
    pull_request_url: PullRequestUrl | None = None
    # The agent's own words, scrubbed on the machine. Refused unless the workspace has asked for them.
    summary: Summary | UnsetType = UNSET


class FailReason(StrEnum):
    """Every way in which an attempt can fail. `server/dispatch/rules.py` says what follows from each."""

    AGENT_FAILED = "agent_failed"
    AGENT_CRASHED = "agent_crashed"
    AGENT_SILENT = "agent_silent"
    WALL_LIMIT = "wall_limit"
    BUDGET = "budget"
    REFUSED = "refused"  # the model declined
    CHECKS_FAILED = "checks_failed"
    NO_CHANGE = "no_change"
    POLICY = "policy"
    UNSTAGEABLE = "unstageable"  # nested repository, special file, conflict marker
    CONFLICT = "conflict"
    PUSH_REFUSED = "push_refused"
    SETUP_FAILED = "setup_failed"
    CANCELLED = "cancelled"
    LEASE_EXPIRED = "lease_expired"  # written by the reaper, never by a worker
    PROVIDER_DOWN = "provider_down"  # from here on: no attempt is consumed
    USAGE_LIMIT = "usage_limit"
    NOT_SIGNED_IN = "not_signed_in"
    AGENT_UNUSABLE = "agent_unusable"  # not installed, not paid for, or started in a way it does not accept
    REMOTE_UNREACHABLE = "remote_unreachable"
    DISK_FULL = "disk_full"


class Failure(Request, frozen=True, kw_only=True):
    fence: Fence
    reason: FailReason
    numbers: Numbers
    evidence: EvidenceList = []


class ReleaseReason(StrEnum):
    INTERRUPTED = "interrupted"  # Ctrl+C, SIGTERM
    STOPPED = "stopped"  # the run's own limit
    SELF_FENCED = "self_fenced"
    UNDELIVERED = "undelivered"  # written by the server: who had asked went away before the answer


class Release(Request, frozen=True, kw_only=True):
    """Gives a task back unharmed; no attempt is consumed."""

    fence: Fence
    reason: ReleaseReason
    numbers: Numbers | None = None


class OutcomeKind(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"
    RELEASED = "released"
    EXPIRED = "expired"


class Attempt(Answer, frozen=True, kw_only=True):
    """One claim's work, from claim to outcome."""

    task_id: UUID
    fence: int
    agent_id: UUID | None
    agent_name: str | None
    claimed_at: Moment
    ended_at: Moment
    outcome: OutcomeKind
    fail_reason: FailReason | None  # when it failed or expired
    release_reason: ReleaseReason | None  # when it was released
    commit: str | None
    branch: str | None
    evidence: list[Evidence]
    numbers: Numbers | None
    summary: str | None = None  # the agent's words, which nobody has verified


class OutcomeRecorded(Answer, frozen=True, kw_only=True):
    """What became of the task."""

    task: Task
