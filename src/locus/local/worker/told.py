"""What a run tells whoever watches it, in order. The terminal draws these; `--json` prints them, one a line."""

from datetime import datetime

from msgspec import Struct

from locus.local.evidence.checks import CheckResult
from locus.local.permissions.desk import Answer, Question
from locus.local.project import Check
from locus.local.providers.base import Event
from locus.local.sandbox import Network
from locus.local.worker.outcome import Outcome, Tally
from locus.wire.tasks import Status
from locus.wire.work import SprintProgress


class RunStarted(Struct, frozen=True, kw_only=True):
    agent: str
    provider: str
    provider_version: str | None
    model: str | None
    sprint: str
    branch: str
    base: str
    in_place: bool
    network: Network | None = None  # of the sandbox; None when agents work with the user's rights


class Recovered(Struct, frozen=True, kw_only=True):
    """An attempt that a killed worker had left behind is settled."""

    key: str
    fence: int
    status: Status | None  # of the task now; None when its lease had ended
    parked: str | None  # the ref that keeps its work
    processes: int = 0  # that were still running and were ended
    kills: int = 0  # in a row beside the agent of this task, if they are too many and the attempt counts for it


class Waiting(Struct, frozen=True, kw_only=True):
    """There is nothing to claim now, but there may be later."""

    progress: SprintProgress | None


class Parked(Struct, frozen=True, kw_only=True):
    """The allowance of a provider is used up: the worker holds no task and waits until then."""

    provider: str
    until: datetime
    known: bool  # whether the provider said when its limit ends


class Resumed(Struct, frozen=True, kw_only=True):
    """The wait is over."""

    provider: str


class Switched(Struct, frozen=True, kw_only=True):
    """Another provider goes on, because the allowance of the first is used up."""

    before: str
    now: str


class WentOn(Struct, frozen=True, kw_only=True):
    """The agent goes on with the conversation and the work of an earlier attempt."""

    key: str
    fence: int  # of that attempt
    moved: bool  # whether its work was put on top of what others have pushed since


class Slept(Struct, frozen=True, kw_only=True):
    """The machine was asleep. Whether the lease has ended meanwhile is asked first."""

    seconds: float


class ServerSilent(Struct, frozen=True, kw_only=True):
    """The server does not answer; the work goes on for so long, then it is parked."""

    seconds: float | None  # None when no lease is at stake


class ServerBack(Struct, frozen=True, kw_only=True):
    """The server answers again."""


class TaskClaimed(Struct, frozen=True, kw_only=True):
    key: str
    title: str
    attempt: int
    attempt_cap: int
    fence: int


class Preparing(Struct, frozen=True, kw_only=True):
    """The worktree and its set-up commands; `command` is the one that runs now."""

    key: str
    command: str | None = None


class AgentStarted(Struct, frozen=True, kw_only=True):
    key: str
    round_number: int  # 0, then one more each time red checks went back
    prompt_characters: int


class AgentEvent(Struct, frozen=True, kw_only=True):
    key: str
    event: Event


class Asked(Struct, frozen=True, kw_only=True):
    """The agent wants to do something for which it needs a yes; it waits."""

    key: str
    question: Question


class Answered(Struct, frozen=True, kw_only=True):
    """Somebody decided, or nobody did in time."""

    key: str
    question: Question
    answer: Answer


class CheckStarted(Struct, frozen=True, kw_only=True):
    key: str
    check: Check


class CheckFinished(Struct, frozen=True, kw_only=True):
    key: str
    result: CheckResult


class ChecksRed(Struct, frozen=True, kw_only=True):
    """Red checks go back to the agent."""

    key: str
    names: tuple[str, ...]
    round_number: int
    rounds: int


class Committed(Struct, frozen=True, kw_only=True):
    key: str
    commit: str
    files: int
    lines_added: int
    lines_removed: int


class Pushed(Struct, frozen=True, kw_only=True):
    """The remote was asked and has the commit."""

    key: str
    commit: str
    branch: str
    rebased: bool


class TaskEnded(Struct, frozen=True, kw_only=True):
    key: str
    outcome: Outcome
    status: Status | None  # of the task now, where the server said it
    seconds: float


class PullRequestReady(Struct, frozen=True, kw_only=True):
    url: str | None
    path: str | None  # of the description, when the remote has no forge
    created: bool


class Note(Struct, frozen=True, kw_only=True):
    """Something a person should know, which stops nothing."""

    text: str


class Stopping(Struct, frozen=True, kw_only=True):
    """A person asked the run to stop; a second time is at once."""

    signal: str


class RunEnded(Struct, frozen=True, kw_only=True):
    tally: Tally
    why: str
    seconds: float
    progress: SprintProgress | None
    until: datetime | None = None  # when a usage limit ends


Told = (
    RunStarted
    | Recovered
    | Waiting
    | Parked
    | Resumed
    | Switched
    | WentOn
    | Slept
    | ServerSilent
    | ServerBack
    | TaskClaimed
    | Preparing
    | AgentStarted
    | AgentEvent
    | Asked
    | Answered
    | CheckStarted
    | CheckFinished
    | ChecksRed
    | Committed
    | Pushed
    | TaskEnded
    | PullRequestReady
    | Note
    | Stopping
    | RunEnded
)
