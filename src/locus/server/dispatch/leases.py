"""Leases while they last: who holds one, renewing it, and a person's wish to end it."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from locus.server.db.pool import Db
from locus.server.errors import Conflict, LeaseLost, NotFound
from locus.server.events.log import Actor
from locus.server.settings import Timing
from locus.server.tasks import rows, store
from locus.wire.tasks import ChecklistItem, Phase, Task
from locus.wire.work import Renewed


@dataclass(frozen=True)
class Holder:
    """What a worker shows with every write: the task, the fence of its lease, and the key it came with."""

    workspace_id: UUID
    task_id: UUID
    fence: int
    key_id: UUID


# That a worker, $4 its key, still holds the lease ($1 workspace, $2 task, $3 fence). It is part of every statement by
# which a worker writes, so that a lease which has run out or passed on to somebody else changes nothing.
HELD = """
    t.workspace_id = $1 AND t.id = $2 AND t.fence = $3 AND t.status = 'IN_PROGRESS'
    AND t.lease_expires_at > clock_timestamp()
    AND a.workspace_id = $1 AND a.id = t.lease_agent_id AND a.key_id = $4
"""

# The agent is seen in the same statement. The expiry is in no index, so this stays a HOT update.
RENEW = f"""
    WITH renewed AS (
        UPDATE tasks t SET lease_expires_at = clock_timestamp() + $5 * interval '1 millisecond', phase = $6
          FROM agents a WHERE {HELD}
        RETURNING a.id AS agent_id, t.cancel_requested, t.lease_expires_at
    ), seen AS (
        UPDATE agents a SET last_heartbeat_at = clock_timestamp()
          FROM renewed WHERE a.workspace_id = $1 AND a.id = renewed.agent_id
    )
    SELECT cancel_requested,
           floor(extract(epoch FROM lease_expires_at - clock_timestamp()) * 1000)::int AS expires_in_ms
      FROM renewed
"""

# A wish that is there already is neither written nor told a second time.
CANCEL = f"""
    WITH asked AS (
        UPDATE tasks SET cancel_requested = true, version = version + 1, updated_at = clock_timestamp()
         WHERE workspace_id = $1 AND id = $2 AND lease_agent_id IS NOT NULL AND NOT cancel_requested
        RETURNING *
    ), told AS (
        INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail)
        SELECT workspace_id, 'task.cancel_requested', id, sprint_id, $3, $4, $5,
               jsonb_build_object('status', status, 'fence', fence, 'agent_id', lease_agent_id)
          FROM asked
    )
    SELECT {rows.COLUMNS} FROM asked t JOIN workspaces w ON w.id = t.workspace_id
"""

STANDING = """
    SELECT coalesce(b.key_id, a.key_id) AS key_id, x.outcome, x.report_sha256, t.checklist,
           w.required_checks, w.summaries,
           a.id IS NOT NULL AND t.lease_expires_at > clock_timestamp() AS live
      FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
      LEFT JOIN agents a ON a.workspace_id = t.workspace_id AND a.id = t.lease_agent_id AND t.fence = $3
      LEFT JOIN attempts x ON x.workspace_id = t.workspace_id AND x.task_id = t.id AND x.fence = $3
      LEFT JOIN agents b ON b.workspace_id = t.workspace_id AND b.id = x.agent_id
     WHERE t.workspace_id = $1 AND t.id = $2
"""

_checklist = msgspec.json.Decoder(list[ChecklistItem])


@dataclass(frozen=True)
class Standing:
    """How a lease stands. `outcome` and `report_sha256` are of the attempt that has ended, if it has."""

    live: bool
    outcome: str | None
    report_sha256: bytes | None
    checklist: list[ChecklistItem]
    required_checks: list[str]
    summaries: bool


async def renew(db: Db, holder: Holder, phase: Phase, timing: Timing) -> Renewed:
    """Make the lease last from now.

    Raises:
        NotFound: there is no such task here, or the lease is of an agent that another key has registered.
        LeaseLost: the lease has run out or is not the current one.
    """
    row = await db.fetchrow(
        RENEW, holder.workspace_id, holder.task_id, holder.fence, holder.key_id, timing.lease_ms, phase.value
    )
    if row is None:
        await standing(db, holder)
        raise lost(holder)
    return Renewed(expires_in_ms=row["expires_in_ms"], cancel_requested=row["cancel_requested"])


async def cancel(db: Db, workspace_id: UUID, task_id: UUID, actor: Actor) -> Task:
    """Ask the worker that holds the task to stop; it hears of it with its next heartbeat.

    Raises:
        NotFound: there is no such task here.
        Conflict: no agent works on it.
    """
    row = await db.fetchrow(CANCEL, workspace_id, task_id, actor.kind.value, actor.id, actor.name)
    if row is not None:
        return rows.read(row)
    task = await store.get(db, workspace_id, task_id)
    if task.agent_id is None:
        raise Conflict(f"No agent is working on {task.key}, so there is nothing to cancel.", code="not_held")
    return task


async def standing(db: Db, holder: Holder) -> Standing:
    """How the holder's lease stands.

    Raises:
        NotFound: there is no such task here, or the lease was given to an agent that another key has registered.
    """
    row = await db.fetchrow(STANDING, holder.workspace_id, holder.task_id, holder.fence)
    if row is None or row["key_id"] not in (None, holder.key_id):
        raise NotFound
    return Standing(
        live=row["live"],
        outcome=row["outcome"],
        report_sha256=row["report_sha256"],
        checklist=_checklist.decode(row["checklist"]),
        required_checks=row["required_checks"],
        summaries=row["summaries"],
    )


def lost(holder: Holder) -> LeaseLost:
    return LeaseLost(
        f"The lease with fence {holder.fence} has run out or is not the current one. Stop the work on this task."
    )
