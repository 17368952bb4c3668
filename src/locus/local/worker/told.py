"""What a run tells whoever watches it, in order. The terminal draws these; `--json` prints them, one a line."""

from dataclasses import dataclass
from datetime import datetime

from locus.local.evidence.checks import CheckResult
from locus.local.permissions.desk import Answer, Question
from locus.local.project import Check
from locus.local.providers.base import Event
from locus.local.sandbox import Network
from locus.local.worker.outcome import Outcome, Tally
from locus.wire.tasks import Status
from locus.wire.work import SprintProgress


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    agent: str
    provider: str
    provider_version: str | None
    model: str | None
    sprint: str
    branch: str
    base: str
    in_place: bool
    network: Network | None = None  # of the sandbox; None when agents work with the user's rights


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """An attempt that a killed worker had left behind is settled."""

    key: str
    fence: int
    status: Status | None  # of the task now; None when its lease had ended
    parked: str | None  # the ref that keeps its work
    processes: int = 0  # that were still running and were ended
    kills: int = 0  # in a row beside the agent of this task, if they are too many and the attempt counts for it


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """There is nothing to claim now, but there may be later."""

    progress: SprintProgress | None


@dataclass(frozen=True, kw_only=True)
class Parked:
    """The allowance of a provider is used up: the worker holds no task and waits until then."""

    provider: str
    until: datetime
    known: bool  # whether the provider said when its limit ends


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """The wait is over."""

    provider: str


@dataclass(frozen=True, kw_only=True)
class Switched:
    """Another provider goes on, because the allowance of the first is used up."""

    before: str
    now: str


@dataclass(frozen=True, kw_only=True)
class WentOn:
    """The agent goes on with the conversation and the work of an earlier attempt."""

    key: str
    fence: int  # of that attempt
    moved: bool  # whether its work was put on top of what others have pushed since


@dataclass(frozen=True, kw_only=True)
class Slept:
    """The machine was asleep. Whether the lease has ended meanwhile is asked first."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class ServerSilent:
    """The server does not answer; the work goes on for so long, then it is parked."""

    seconds: float | None  # None when no lease is at stake


@dataclass(frozen=True, kw_only=True)
class ServerBack:
    """The server answers again."""


@dataclass(frozen=True, kw_only=True)
class TaskClaimed:
    key: str
    title: str
    attempt: int
    attempt_cap: int
    fence: int


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """The worktree and its set-up commands; `command` is the one that runs now."""

    key: str
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class AgentStarted:
    key: str
    round_number: int  # 0, then one more each time red checks went back
    prompt_characters: int


@dataclass(frozen=True, kw_only=True)
class AgentEvent:
    key: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The agent wants to do something for which it needs a yes; it waits."""

    key: str
    question: Question


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Somebody decided, or nobody did in time."""

    key: str
    question: Question
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class CheckStarted:
    key: str
    check: Check


@dataclass(frozen=True, kw_only=True)
class CheckFinished:
    key: str
    result: CheckResult


@dataclass(frozen=True, kw_only=True)
class ChecksRed:
    """Red checks go back to the agent."""

    key: str
    names: tuple[str, ...]
    round_number: int
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Committed:
    key: str
    commit: str
    files: int
    lines_added: int
    lines_removed: int


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """The remote was asked and has the commit."""

    key: str
    commit: str
    branch: str
    rebased: bool


@dataclass(frozen=True, kw_only=True)
class TaskEnded:
    key: str
    outcome: Outcome
    status: Status | None  # of the task now, where the server said it
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PullRequestReady:
    url: str | None
    path: str | None  # of the description, when the remote has no forge
    created: bool


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something a person should know, which stops nothing."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """A person asked the run to stop; a second time is at once."""

    signal: str


@dataclass(frozen=True, kw_only=True)
class RunEnded:
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
