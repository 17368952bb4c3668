"""What a run says, in words. Pure, so that the terminal and the tests read the same sentences."""

from locus.cli.run.agent_words import agent_line, clock, count, lasted, spent
from locus.local.sandbox import Network
from locus.local.worker.outcome import Completed, Failed, Lost, Outcome, Released
from locus.local.worker.told import Parked, Recovered, ServerSilent, Slept
from locus.wire.tasks import Status
from locus.wire.work import FailReason, ReleaseReason, SprintProgress

__all__ = ["agent_line", "clock", "count", "lasted", "spent"]  # a run shows its agents in these words

FAILED: dict[FailReason, str] = {
    FailReason.AGENT_FAILED: "the agent ended with an error",
    FailReason.AGENT_CRASHED: "the agent crashed",
    FailReason.AGENT_SILENT: "the agent said nothing for too long and was ended",
    FailReason.WALL_LIMIT: "the time limit was reached",
    FailReason.BUDGET: "a limit was reached",
    FailReason.REFUSED: "the model declined the task",
    FailReason.CHECKS_FAILED: "checks are still red",
    FailReason.NO_CHANGE: "the agent changed nothing",
    FailReason.POLICY: "it waits for a person",
    FailReason.UNSTAGEABLE: "the tree holds something that cannot be committed",
    FailReason.CONFLICT: "it does not fit onto the branch any more",
    FailReason.PUSH_REFUSED: "the remote refused the push",
    FailReason.SETUP_FAILED: "the worktree could not be set up",
    FailReason.CANCELLED: "a person cancelled it",
    FailReason.LEASE_EXPIRED: "its lease expired",
    FailReason.PROVIDER_DOWN: "the model provider does not answer",
    FailReason.USAGE_LIMIT: "the usage limit of the model provider is reached",
    FailReason.NOT_SIGNED_IN: "the agent is not signed in to its model provider",
    FailReason.AGENT_UNUSABLE: "the agent cannot be used",
    FailReason.REMOTE_UNREACHABLE: "the git remote cannot be reached",
    FailReason.DISK_FULL: "the disk is full",
}

WALLS: dict[Network | None, str] = {
    Network.OPEN: "in the sandbox, with the network",
    Network.PROVIDER: "in the sandbox, connected with the model's service and your hosts only",
    None: "without the sandbox: the agent works with your rights",
}

RELEASED: dict[ReleaseReason, str] = {
    ReleaseReason.INTERRUPTED: "interrupted",
    ReleaseReason.STOPPED: "the run was stopped",
    ReleaseReason.SELF_FENCED: "the server could not be reached for too long",
}


def outcome_line(outcome: Outcome) -> str:
    """How an attempt ended, in one line."""
    match outcome:
        case Completed(commit=commit):
            return f"at {commit[:7]}, for a person to review"
        case Failed(reason=reason, detail=detail):
            first = detail.strip().splitlines()[0] if detail.strip() else ""
            return f"{FAILED[reason]}{f': {first}' if first else ''}"
        case Released(reason=reason, detail=detail):
            return f"given back, {RELEASED[reason]}{f': {detail}' if detail else ''}"
        case Lost(detail=detail):
            return f"lost: {detail}"


def recovered_line(what: Recovered) -> str:
    """What became of an attempt that a killed worker had left behind."""
    match what.status:
        case Status.IN_REVIEW:
            end = "it had been pushed, and is in review now"
        case None:
            end = "its lease had ended"
        case _:
            end = f"it is {what.status.value.lower().replace('_', ' ')} again"
    kept = f"; its work is kept: locus parked show {what.key}/{what.fence}" if what.parked else ""
    left = "one process" if what.processes == 1 else f"{what.processes} processes"
    ended = f"; {left} of it had to be ended" if what.processes else ""
    often = f"; {what.kills} workers in a row were killed beside its agent, so the attempt counts" if what.kills else ""
    return f"{what.key} was left behind by a killed worker: {end}{kept}{ended}{often}."


def parked_line(what: Parked) -> str:
    """Who waits for what, and until when."""
    when = clock(what.until)
    if what.known:
        return f"until {when}: the usage limit of {what.provider} is reached. No task is held meanwhile."
    return f"until {when}: {what.provider} does not say when its usage limit ends. No task is held meanwhile."


def server_line(what: ServerSilent) -> str:
    """What happens while the server does not answer."""
    if what.seconds is None:
        return "does not answer; trying on"
    return f"does not answer; the work goes on for {lasted(what.seconds)}, then it is parked"


def slept_line(what: Slept) -> str:
    """That the machine was asleep."""
    return f"this machine slept for {lasted(what.seconds)}; asking whether the task is still ours"


def waiting_line(progress: SprintProgress | None) -> str:
    """Why there is nothing to claim."""
    if progress is None:
        return "No sprint is active. Waiting for one; start it with: locus sprints start N"
    reasons = []
    if progress.in_progress:
        reasons.append(f"{count(progress.in_progress, 'task')} with other agents")
    if progress.waiting:
        reasons.append(f"{count(progress.waiting, 'task')} behind a dependency")
    if progress.blocked:
        reasons.append(f"{progress.blocked} blocked")
    if progress.assigned:
        reasons.append(f"{progress.assigned} with people")
    return "Nothing to claim now: " + (", ".join(reasons) or "no open task") + ". Waiting."


def left_line(progress: SprintProgress) -> str:
    """What is left of the sprint when a run has ended; empty when nothing is."""
    left = []
    if progress.claimable:
        left.append(f"{progress.claimable} in the backlog")
    if progress.waiting:
        left.append(f"{progress.waiting} behind a dependency")
    if progress.blocked:
        left.append(f"{progress.blocked} blocked")
    if progress.assigned:
        left.append(f"{progress.assigned} with people")
    if progress.in_progress:
        left.append(f"{progress.in_progress} in progress")
    return ", ".join(left)
