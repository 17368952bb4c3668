"""How an attempt can end: a closed list. What the process did and git shows outranks what the agent said."""

from datetime import datetime

from msgspec import Struct, field

from locus.local.git.trouble import Reason
from locus.local.providers.base import Ending
from locus.wire.work import Evidence, FailReason, Numbers, ReleaseReason


class Completed(Struct, frozen=True):
    """The commit is on the remote, its checks are green: a person may review it."""

    commit: str
    branch: str
    evidence: tuple[Evidence, ...]
    numbers: Numbers
    summary: str | None = None  # of the agent's words, as it may leave the machine


class Failed(Struct, frozen=True):
    """The attempt came to nothing that could be reviewed. `detail` is for this machine's terminal only."""

    reason: FailReason
    detail: str
    numbers: Numbers
    evidence: tuple[Evidence, ...] = ()
    resets_at: datetime | None = None  # of a usage limit, when the provider said it
    parked: str | None = None  # the ref that keeps what was done


class Released(Struct, frozen=True):
    """Given back unharmed, because the run was stopped. `detail` is for this machine's terminal only."""

    reason: ReleaseReason
    numbers: Numbers | None = None
    parked: str | None = None
    detail: str = ""


class Lost(Struct, frozen=True):
    """The lease is somebody else's now: there is nothing to report, and nothing was pushed after it was lost."""

    detail: str
    parked: str | None = None


Outcome = Completed | Failed | Released | Lost


class Ended(Exception):
    """Raised by a step that ends the attempt before its end; caught where the attempt is run."""

    def __init__(self, reason: FailReason, detail: str, *, resets_at: datetime | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.resets_at = resets_at


# What an ending of the agent that is not DONE means for the task.
REASONS: dict[Ending, FailReason] = {
    Ending.FAILED: FailReason.AGENT_FAILED,
    Ending.CRASHED: FailReason.AGENT_CRASHED,
    Ending.SILENT: FailReason.AGENT_SILENT,
    Ending.WALL_LIMIT: FailReason.WALL_LIMIT,
    Ending.BUDGET: FailReason.BUDGET,
    Ending.REFUSED: FailReason.REFUSED,
    Ending.PROVIDER_DOWN: FailReason.PROVIDER_DOWN,
    Ending.NOT_SIGNED_IN: FailReason.NOT_SIGNED_IN,
    Ending.USAGE_LIMIT: FailReason.USAGE_LIMIT,
    Ending.NO_CREDIT: FailReason.AGENT_UNUSABLE,
    Ending.MISCONFIGURED: FailReason.AGENT_UNUSABLE,
    Ending.MISSING: FailReason.AGENT_UNUSABLE,
    Ending.SESSION_LOST: FailReason.AGENT_FAILED,  # in a first round there is none to lose; later it starts anew
    Ending.STOPPED: FailReason.AGENT_CRASHED,  # by somebody else: when we stop it, we do not ask why it ended
}

# What trouble with git means for the attempt, where it is not the set-up's fault.
TROUBLE = {
    Reason.DISK_FULL: FailReason.DISK_FULL,
    Reason.UNREACHABLE: FailReason.REMOTE_UNREACHABLE,
    Reason.TIMEOUT: FailReason.REMOTE_UNREACHABLE,
    Reason.AUTH: FailReason.REMOTE_UNREACHABLE,
    Reason.NOT_FOUND: FailReason.REMOTE_UNREACHABLE,
    Reason.HOST_KEY: FailReason.REMOTE_UNREACHABLE,
}

# After these the next task would end the same way: the run stops and says why.
STOPS_THE_RUN = frozenset({FailReason.NOT_SIGNED_IN, FailReason.AGENT_UNUSABLE, FailReason.DISK_FULL})
UNUSABLE = frozenset({FailReason.NOT_SIGNED_IN, FailReason.AGENT_UNUSABLE})  # the provider itself, on this machine
FAILURES_IN_A_ROW = 3  # of any kind; then the run stops


class Tally(Struct):
    """What a run came to."""

    completed: list[str] = field(default_factory=list)  # task keys
    failed: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)  # those of the failed whose change waits for a person to look at it
    released: list[str] = field(default_factory=list)
    in_a_row: int = 0

    def add(self, key: str, outcome: Outcome) -> None:
        match outcome:
            case Completed():
                self.completed.append(key)
                self.in_a_row = 0
            case Failed(reason=FailReason.USAGE_LIMIT):
                self.released.append(key)  # the account is used up; the task has failed at nothing
            case Failed():
                self.failed.append(key)
                self.in_a_row += 1
                if outcome.reason is FailReason.POLICY:
                    self.held.append(key)
            case Released() | Lost():
                self.released.append(key)
