"""Why a run ends, or goes on with somebody else."""

from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.worker.outcome import FAILURES_IN_A_ROW, STOPS_THE_RUN, Failed, Outcome, Tally
from locus.wire.sprints import Sprint
from locus.wire.work import FailReason, SprintProgress


class Interrupted(LocalError):
    """The run was stopped before it had begun to work."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("Interrupted.")


class Why(Struct, frozen=True):
    """Why a run ends, or why another provider takes over."""

    sentence: str
    ordinary: bool = True
    drained: bool = False
    hand_over: str | None = None  # the name of the provider that goes on


def reason_to_stop(outcome: Outcome, tally: Tally, *, max_tasks: int | None) -> Why | None:
    """Why no other task is claimed after this outcome; None when one is."""
    if isinstance(outcome, Failed) and (outcome.reason in STOPS_THE_RUN or outcome.reason is FailReason.USAGE_LIMIT):
        until = f" It ends at {outcome.resets_at.astimezone():%H:%M}." if outcome.resets_at else ""
        return Why(
            f"Stopped, because the next task would end the same way.{until} {_first_line(outcome)}".strip(),
            ordinary=False,
        )
    if tally.in_a_row >= FAILURES_IN_A_ROW:
        said = _first_line(outcome) if isinstance(outcome, Failed) else ""
        last = f" The last one: {said}" if said else ""
        return Why(f"Stopped after {FAILURES_IN_A_ROW} failures in a row.{last}", ordinary=False)
    if max_tasks is not None and len(tally.completed) + len(tally.failed) >= max_tasks:
        return Why(f"The limit of {max_tasks} {'task' if max_tasks == 1 else 'tasks'} is reached.")
    return None


def _first_line(outcome: Failed) -> str:
    return outcome.detail.strip().splitlines()[0] if outcome.detail.strip() else ""


def branch_of(sprint: Sprint) -> str:
    """The one branch that all work of a sprint goes to."""
    return f"locus/sprint-{sprint.number}"


def drained(progress: SprintProgress) -> bool:
    """Whether only people can bring more work: nothing to claim, and nobody at work who could unlock something."""
    return progress.claimable == 0 and progress.in_progress == 0
