"""How attempts end: completed, failed, released, expired. One statement each: the task, the attempt and the event."""

from typing import Any

import msgspec
from asyncpg import Record
from msgspec import UNSET

from locus.server.db.pool import Db
from locus.server.dispatch import rules
from locus.server.dispatch.leases import HELD, Holder, lost, standing
from locus.server.dispatch.rules import Proof
from locus.server.errors import Conflict
from locus.server.tasks import rows, store
from locus.wire.tasks import Task
from locus.wire.work import Completion, Evidence, Failure, Numbers, Release, ReleaseReason

REAPED = 500  # leases that one statement ends

# What every ended lease leaves on the task's row. The claim's key stays: it is how a repeated claim is recognised.
VACATED = """
    lease_agent_id = NULL, lease_expires_at = NULL, phase = NULL, cancel_requested = false, approving = false,
    version = t.version + 1, updated_at = clock_timestamp()
"""

# $5 green checks, $6 commit, $7 branch, $8 pull request, $9 evidence, $10 numbers, $11 report, $12 checks that were
# red first, $13 summary. An item that names a check is ticked by evidence alone; one check without evidence, or a
# summary that nobody has asked for, and nothing is written.
COMPLETE = f"""
    WITH ended AS (
        UPDATE tasks t
           SET status = 'IN_REVIEW', commit_sha = $6, branch = $7, pull_request_url = coalesce($8, t.pull_request_url),
               checklist = (SELECT coalesce(jsonb_agg(CASE WHEN item ->> 'check' = ANY($5::text[])
                                                           THEN item || '{{"done": true}}' ELSE item END
                                                      ORDER BY place), '[]')
                              FROM jsonb_array_elements(t.checklist) WITH ORDINALITY AS i (item, place)),
               {VACATED}
          FROM agents a, workspaces w
         WHERE {HELD} AND w.id = $1 AND w.required_checks <@ $5::text[] AND ($13::text IS NULL OR w.summaries)
           AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(t.checklist) item
                            WHERE item ->> 'check' IS NOT NULL
                              AND (item ->> 'check' <> ALL($5::text[])
                                   OR (item ->> 'red_first' = 'true' AND item ->> 'check' <> ALL($12::text[]))))
        RETURNING t.*, a.id AS agent_id, a.name AS holder
    ), attempt AS (
        INSERT INTO attempts (workspace_id, task_id, fence, agent_id, agent_name, claim_key, claimed_at, outcome,
                              commit_sha, branch, evidence, numbers, report_sha256, summary)
        SELECT workspace_id, id, fence, agent_id, holder, claim_key, claimed_at, 'completed', $6, $7, $9, $10, $11, $13
          FROM ended
    ), told AS (
        INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail)
        SELECT workspace_id, 'task.completed', id, sprint_id, 'worker', agent_id, holder,
               jsonb_strip_nulls(jsonb_build_object(
                   'status', status, 'previous', 'IN_PROGRESS', 'fence', fence, 'attempts', attempts,
                   'agent_id', agent_id, 'commit', commit_sha, 'pull_request_url', pull_request_url))
          FROM ended
    )
    SELECT {rows.COLUMNS} FROM ended t JOIN workspaces w ON w.id = t.workspace_id
"""

HOLD_SETTINGS = "SELECT true FROM workspaces WHERE id = $1 FOR SHARE"

# Why the task waits for a person now; NULL: it goes back into the backlog. A person's wish to cancel holds, however
# the attempt ends; a held change that is being let through stays held when that is broken off.
# $6 whether the attempt counts, $7 what blocks at once, $8 what blocks when no attempt is left.
BLOCKS = """
    CASE WHEN $7::text IS NOT NULL THEN $7::text
         WHEN t.cancel_requested THEN 'manual'
         WHEN t.approving THEN 'policy'
         WHEN $6::boolean AND t.attempts >= w.attempt_cap THEN $8::text END
"""

# $5 reason, $9 outcome, $10 evidence, $11 numbers, $12 report, $13 true when the server itself gives the task back.
FAIL_OR_RELEASE = f"""
    WITH ended AS (
        UPDATE tasks t
           SET status = CASE WHEN {BLOCKS} IS NULL THEN 'BACKLOG' ELSE 'BLOCKED' END, blocked_reason = {BLOCKS},
               attempts = greatest(t.attempts - CASE WHEN $6 THEN 0 ELSE 1 END, 0),
               claim_key = CASE WHEN $13::boolean THEN NULL ELSE t.claim_key END, {VACATED}
          FROM agents a, workspaces w
         WHERE {HELD} AND w.id = $1
        RETURNING t.*, a.id AS agent_id, a.name AS holder
    ), attempt AS (
        INSERT INTO attempts (workspace_id, task_id, fence, agent_id, agent_name, claim_key, claimed_at, outcome,
                              reason, evidence, numbers, report_sha256)
        SELECT workspace_id, id, fence, agent_id, holder, claim_key, claimed_at, $9, $5, $10, $11, $12 FROM ended
    ), told AS (
        INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail)
        SELECT workspace_id, 'task.' || $9, id, sprint_id, CASE WHEN $13 THEN 'system' ELSE 'worker' END,
               CASE WHEN $13 THEN NULL ELSE agent_id END, CASE WHEN $13 THEN 'locus' ELSE holder END,
               jsonb_strip_nulls(jsonb_build_object(
                   'status', status, 'previous', 'IN_PROGRESS', 'blocked_reason', blocked_reason,
                   CASE $9 WHEN 'failed' THEN 'fail_reason' ELSE 'release_reason' END, $5::text,
                   'fence', fence, 'attempts', attempts, 'agent_id', agent_id))
          FROM ended
    )
    SELECT {rows.COLUMNS} FROM ended t JOIN workspaces w ON w.id = t.workspace_id
"""

# One statement, never select and then update: a lease that was renewed in between is looked at again under its lock.
REAP = f"""
    WITH lost AS (
        SELECT t.workspace_id, t.id, t.lease_agent_id AS agent_id, a.name AS holder, t.approving,
               CASE WHEN t.approving THEN 'policy' ELSE 'lease_expired' END AS reason
          FROM tasks t LEFT JOIN agents a ON a.workspace_id = t.workspace_id AND a.id = t.lease_agent_id
         WHERE t.status = 'IN_PROGRESS' AND t.lease_expires_at <= clock_timestamp()
         LIMIT $1 FOR NO KEY UPDATE OF t SKIP LOCKED
    ), ended AS (
        UPDATE tasks t
           SET status = CASE WHEN t.cancel_requested OR l.approving OR t.attempts >= w.attempt_cap
                             THEN 'BLOCKED' ELSE 'BACKLOG' END,
               blocked_reason = CASE WHEN t.cancel_requested THEN 'manual'
                                     WHEN l.approving THEN 'policy'
                                     WHEN t.attempts >= w.attempt_cap THEN 'attempts_exhausted' END,
               {VACATED}
          FROM lost l JOIN workspaces w ON w.id = l.workspace_id
         WHERE t.workspace_id = l.workspace_id AND t.id = l.id
        RETURNING t.*, l.agent_id, l.holder, l.reason
    ), attempt AS (
        INSERT INTO attempts (workspace_id, task_id, fence, agent_id, agent_name, claim_key, claimed_at, outcome,
                              reason)
        SELECT workspace_id, id, fence, agent_id, holder, claim_key, claimed_at, 'expired', reason FROM ended
    ), told AS (
        INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_name, detail)
        SELECT workspace_id, 'task.expired', id, sprint_id, 'system', 'locus',
               jsonb_strip_nulls(jsonb_build_object(
                   'status', status, 'previous', 'IN_PROGRESS', 'blocked_reason', blocked_reason,
                   'fail_reason', reason, 'fence', fence, 'attempts', attempts, 'agent_id', agent_id))
          FROM ended
    )
    SELECT count(*) FROM ended
"""


async def complete(db: Db, holder: Holder, report: Completion) -> Task:
    """The task is in review, its commit proved. A repeat of the same report returns the task again.

    Raises:
        Invalid: the evidence contradicts itself.
        Conflict: a check is red, one that checklist or workspace ask for has no evidence, or there is a summary that
            the workspace has not asked for; the lease goes on.
        NotFound, LeaseLost: the lease is not the holder's, or has ended otherwise.
    """
    proof = rules.proof(report)
    summary = None if report.summary is UNSET else report.summary
    if summary is not None:
        # Whoever switches summaries off waits until this is stored, and deletes it, too; or we wait for them.
        await db.execute(HOLD_SETTINGS, holder.workspace_id)
    row = await db.fetchrow(
        COMPLETE,
        *_held(holder),
        proof.green,
        report.commit,
        report.branch,
        report.pull_request_url,
        report.evidence,
        report.numbers,
        rules.fingerprint(report),
        proof.red_first,
        summary,
    )
    return await _settled(db, holder, report, row, proof)


async def fail(db: Db, holder: Holder, report: Failure) -> Task:
    """The attempt has failed; the rules say what follows. A repeat of the same report returns the task again.

    Raises:
        Invalid: the reason is not a worker's to give, or the evidence contradicts itself.
        NotFound, LeaseLost, Conflict: the lease is not the holder's, or has ended otherwise.
    """
    rules.check_evidence(report.evidence)
    what = rules.consequence(report.reason)
    row = await db.fetchrow(
        FAIL_OR_RELEASE,
        *_held(holder),
        report.reason.value,
        what.counted,
        None if what.blocks is None else what.blocks.value,
        what.at_cap.value,
        "failed",
        *_told(report, report.evidence, report.numbers),
        False,
    )
    return await _settled(db, holder, report, row)


async def release(db: Db, holder: Holder, report: Release) -> Task:
    """The task is back in the backlog and the attempt was none. A repeat of the same report returns the task again.

    Raises:
        Invalid: the reason is not a worker's to give.
        NotFound, LeaseLost, Conflict: the lease is not the holder's, or has ended otherwise.
    """
    rules.check_release(report.reason)
    return await _settled(db, holder, report, await _release(db, holder, report, undelivered=False))


async def give_back(db: Db, holder: Holder) -> bool:
    """Return a task whose claim was answered to nobody; whether it was still to be returned.

    The claim's key is forgotten, so that the same claim may be made again.
    """
    report = Release(fence=holder.fence, reason=ReleaseReason.UNDELIVERED)
    return await _release(db, holder, report, undelivered=True) is not None


async def reap(db: Db) -> int:
    """End the leases that have run out, of all workspaces; how many there were, at most REAPED."""
    return int(await db.fetchval(REAP, REAPED))


async def _release(db: Db, holder: Holder, report: Release, *, undelivered: bool) -> Record | None:
    return await db.fetchrow(
        FAIL_OR_RELEASE,
        *_held(holder),
        report.reason.value,
        False,
        None,
        None,
        "released",
        *_told(report, [], report.numbers),
        undelivered,
    )


def _held(holder: Holder) -> tuple[Any, ...]:
    return holder.workspace_id, holder.task_id, holder.fence, holder.key_id


def _told(report: Failure | Release, evidence: list[Evidence], numbers: Numbers | None) -> tuple[Any, ...]:
    said = None if numbers is None else msgspec.json.encode(numbers)
    return evidence, said, rules.fingerprint(report)


async def _settled(
    db: Db, holder: Holder, report: Completion | Failure | Release, row: Record | None, proof: Proof | None = None
) -> Task:
    """The task of the ended lease, or why the report changed nothing."""
    if row is not None:
        return rows.read(row)
    stands = await standing(db, holder)
    if stands.report_sha256 == rules.fingerprint(report):
        return await store.get(db, holder.workspace_id, holder.task_id)
    if stands.report_sha256 is not None:
        raise Conflict("This attempt was reported before, and differently. The first report stands.", code="reported")
    if stands.live and proof is not None:
        if isinstance(report, Completion) and report.summary is not UNSET and not stands.summaries:
            raise Conflict("The workspace takes no summaries. Report the same without one.", code="summaries_off")
        if missing := proof.missing(stands.checklist, stands.required_checks):
            raise Conflict(f"The task asks for evidence of: {', '.join(missing)}.", code="evidence_missing")
        if unseen := proof.not_red_first(stands.checklist):
            names = ", ".join(unseen)
            raise Conflict(f"Nobody has seen these fail without the change: {names}.", code="evidence_missing")
    raise lost(holder)
