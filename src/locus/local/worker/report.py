"""Telling the control plane how an attempt ended. Tried for as long as the answer can still matter."""

from uuid import UUID

import msgspec
from msgspec import UNSET

from locus.client.errors import Conflict, LeaseLost, NotFound, PlaneError
from locus.client.plane import ControlPlane
from locus.local.journal import LEDGER, Ledger, Report, ReportKind
from locus.local.worker.outcome import Completed, Failed, Lost, Outcome, Released
from locus.local.worker.workplace import Workplace
from locus.wire.agents import ProviderName
from locus.wire.base import encode
from locus.wire.tasks import Task
from locus.wire.work import Completion, FailReason, Failure, Lease, Numbers, OutcomeRecorded, Release

# Seconds. A result is worth more patience than a question: the work is done, and only this makes it known.
RESULT_DEADLINE = 600.0
RELEASE_DEADLINE = 10.0


def report_of(outcome: Outcome, *, fence: int) -> Report | None:
    """What the server is to be told of an outcome; nothing when the lease is somebody else's."""
    match outcome:
        case Completed():
            completion = Completion(
                fence=fence,
                commit=outcome.commit,
                branch=outcome.branch,
                evidence=list(outcome.evidence),
                numbers=outcome.numbers,
                summary=UNSET if outcome.summary is None else outcome.summary,
            )
            return Report(ReportKind.COMPLETE, encode(completion))
        case Failed():
            failure = Failure(
                fence=fence, reason=outcome.reason, numbers=outcome.numbers, evidence=list(outcome.evidence)
            )
            return Report(ReportKind.FAIL, encode(failure))
        case Released():
            release = Release(fence=fence, reason=outcome.reason, numbers=outcome.numbers)
            return Report(ReportKind.RELEASE, encode(release))
        case Lost():
            return None


def unknown(work: Workplace) -> Numbers:
    """The numbers of an attempt that was killed with all who counted them."""
    return Numbers(provider=ProviderName(work.provider.NAME))


def remembered(work: Workplace, marker: str) -> Numbers:
    """What the ledger knows of an attempt that was killed: it was written down answer by answer."""
    took = Ledger(work.state / LEDGER).of_attempt(marker)
    return msgspec.structs.replace(
        unknown(work),
        turns=took.turns,
        usd_micros=round(took.usd * 1_000_000) if took.usd else None,
        agent_ms=int(took.seconds * 1000),
        input_tokens=took.input_tokens,
        cached_tokens=took.cached_tokens,
        output_tokens=took.output_tokens,
    )


async def send(plane: ControlPlane, task_id: UUID, report: Report, *, deadline: float | None = None) -> Task | None:
    """Say how an attempt ended, and return the task as it is now; None when nothing can be said of it any more.

    That is so when the lease is not ours any more, and when the server has heard of another end before: the first one
    stands. The fence in the report makes it one report however often it is sent. `deadline` is in seconds, for who has
    less time than a result is worth. Raises PlaneError when the server cannot be told.
    """
    try:
        match report.kind:
            case ReportKind.COMPLETE:
                completion = msgspec.json.decode(report.body, type=Completion)
                told = await _complete(plane, task_id, completion, deadline=deadline or RESULT_DEADLINE)
            case ReportKind.FAIL:
                failure = msgspec.json.decode(report.body, type=Failure)
                told = await plane.dispatch.fail(task_id, failure, deadline=deadline or RESULT_DEADLINE)
            case ReportKind.RELEASE:
                release = msgspec.json.decode(report.body, type=Release)
                told = await plane.dispatch.release(task_id, release, deadline=deadline or RELEASE_DEADLINE)
    except (LeaseLost, NotFound):
        return None
    except Conflict as e:
        if e.problem.code != "reported":
            raise
        return None
    return told.task


async def _complete(plane: ControlPlane, task_id: UUID, completion: Completion, *, deadline: float) -> OutcomeRecorded:
    try:
        return await plane.dispatch.complete(task_id, completion, deadline=deadline)
    except Conflict as e:
        if e.problem.code == "summaries_off" and completion.summary is not UNSET:
            # Somebody has switched them off while the work was done; it counts without.
            return await _complete(
                plane, task_id, msgspec.structs.replace(completion, summary=UNSET), deadline=deadline
            )
        if e.problem.code != "evidence_missing":
            raise
        # Somebody asked for one more check while the work was done. It is pushed, and the next attempt runs the check.
        failure = Failure(
            fence=completion.fence,
            reason=FailReason.CHECKS_FAILED,
            numbers=completion.numbers,
            evidence=completion.evidence,
        )
        return await plane.dispatch.fail(task_id, failure, deadline=deadline)


async def give_back(plane: ControlPlane, lease: Lease, words: Release | Failure, *, deadline: float) -> None:
    """Give up a lease when there is no time for more. A server that does not answer lets it expire."""
    try:
        if isinstance(words, Failure):
            await plane.dispatch.fail(lease.task_id, words, deadline=deadline)
        else:
            await plane.dispatch.release(lease.task_id, words, deadline=deadline)
    except PlaneError:
        return
