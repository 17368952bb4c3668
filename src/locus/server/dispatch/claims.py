"""Claiming: one statement hands out the next tasks and reads everything their attempts need to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.dispatch import budget
from locus.server.dispatch.rules import UNCOUNTED
from locus.server.settings import Timing
from locus.server.tasks import rows
from locus.wire.docs import DocRef
from locus.wire.tasks import Comment, Priority, Task
from locus.wire.work import LastFailure, Lease, TaskSnapshot

COMMENTS = 100  # the newest ones by people that a snapshot has

_uncounted = ", ".join(f"'{reason.value}'" for reason in sorted(UNCOUNTED))

# One statement, so there is no moment at which two workers hold the same task, and no second read in which the text
# could be another. For each who asks (`asked`): a claim that was made before with the same key is answered with the
# lease it got (`held`), the others get the next tasks in the order of dispatch.
# - SKIP LOCKED: who comes second takes the next task instead of waiting for the first. NO KEY: a task that somebody
#   comments on just now is not skipped.
# - A subquery with LIMIT is not flattened into a join: PostgreSQL looks up the few rows that are asked for, whatever
#   its statistics say of the tables. As joins, they sometimes began with all dependencies of the workspace.
# - NULLS FIRST asks for the order of tasks_claimable, and of no other index.
# - The tasks are updated by `ids[rank]` for the same reason.
# - The times are clock_timestamp(): now() stands still while a transaction waits.
# $1 workspace, $3 agents, $4 keys, $5 claim keys, $6 milliseconds of a lease, $7 who asks only for what the same
# claim got before; the others belong to `next`.
HAND_OUT = """
    WITH asked AS MATERIALIZED (
        SELECT q.n, q.agent_id, q.claim_key, q.again, a.name AS agent_name,
               coalesce((SELECT true FROM tasks o WHERE o.workspace_id = $1 AND o.claim_key = q.claim_key LIMIT 1),
                        (SELECT true FROM attempts o WHERE o.workspace_id = $1 AND o.claim_key = q.claim_key LIMIT 1),
                        false) AS repeated
          FROM unnest($3::uuid[], $4::uuid[], $5::text[], $7::boolean[])
               WITH ORDINALITY AS q (agent_id, key_id, claim_key, again, n)
          LEFT JOIN agents a ON a.workspace_id = $1 AND a.id = q.agent_id AND a.key_id = q.key_id
    ), budget AS MATERIALIZED (
        SELECT {stops} AS stops
    ), wanting AS MATERIALIZED (
        SELECT n, agent_id, agent_name, claim_key, row_number() OVER (ORDER BY n) AS rank
          FROM asked WHERE agent_name IS NOT NULL AND NOT repeated AND NOT again
           AND NOT (SELECT stops FROM budget)
    ), next AS MATERIALIZED (
        {next}
    ), picked AS (
        SELECT array_agg(id ORDER BY priority, position, id) AS ids FROM next
    ), claimed AS (
        UPDATE tasks t
           SET status = 'IN_PROGRESS', attempts = t.attempts + 1, fence = t.fence + 1, claim_key = w.claim_key,
               claimed_at = clock_timestamp(), lease_agent_id = w.agent_id, phase = 'claimed',
               lease_expires_at = clock_timestamp() + $6 * interval '1 millisecond', cancel_requested = false,
               approving = {approving}, version = t.version + 1, updated_at = clock_timestamp()
          FROM wanting w CROSS JOIN picked p
         WHERE t.workspace_id = $1 AND t.id = p.ids[w.rank]
        RETURNING t.*, w.n, w.agent_name
    ), told AS (
        INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail)
        SELECT workspace_id, 'task.claimed', id, sprint_id, 'worker', lease_agent_id, agent_name,
               jsonb_build_object('status', status, 'previous', 'BACKLOG', 'fence', fence, 'attempts', attempts,
                                  'agent_id', lease_agent_id)
          FROM claimed
    ), got AS (
        SELECT c.*, true AS fresh FROM claimed c
        UNION ALL
        SELECT o.*, q.n, q.agent_name, false AS fresh
          FROM asked q
         CROSS JOIN LATERAL (SELECT * FROM tasks WHERE workspace_id = $1 AND claim_key = q.claim_key LIMIT 1) o
         WHERE q.repeated AND o.status = 'IN_PROGRESS' AND o.lease_expires_at > clock_timestamp()
    )
    SELECT q.agent_name IS NOT NULL AS known, q.repeated, t.fresh, (SELECT stops FROM budget) AS spent,
           floor(extract(epoch FROM t.lease_expires_at - clock_timestamp()) * 1000)::int AS expires_in_ms,
           {columns},
           (SELECT json_agg(c ORDER BY c.created_at, c.id)
              FROM (SELECT id, task_id, author_kind, author_name, kind, text, created_at FROM comments
                     WHERE workspace_id = t.workspace_id AND task_id = t.id AND author_kind = 'person'
                     ORDER BY created_at DESC, id DESC LIMIT {comments}) c) AS comments,
           (SELECT json_agg(d ORDER BY d.id)
              FROM (SELECT o.id, o.title, o.kind, o.version, o.updated_at
                      FROM task_docs td JOIN docs o ON o.workspace_id = td.workspace_id AND o.id = td.doc_id
                     WHERE td.workspace_id = t.workspace_id AND td.task_id = t.id) d) AS docs,
           (SELECT CASE WHEN x.outcome <> 'completed' THEN
                       json_build_object('fence', x.fence, 'reason', x.reason, 'red_checks',
                           ARRAY(SELECT DISTINCT e ->> 'check' FROM jsonb_array_elements(x.evidence) e
                                  WHERE NOT (e ->> 'passed')::boolean)) END
              FROM attempts x
             WHERE x.workspace_id = t.workspace_id AND x.task_id = t.id AND x.outcome <> 'released'
               AND coalesce(x.reason, '') NOT IN ({uncounted})
             ORDER BY x.fence DESC LIMIT 1) AS last_failure,
           w.required_checks, w.summaries
      FROM asked q
      LEFT JOIN got t ON t.n = q.n
      LEFT JOIN workspaces w ON w.id = t.workspace_id
     ORDER BY q.n
"""

# $2 sprint (NULL: the active one), $8 to $10 the place after which to look.
IN_ORDER = """
        SELECT t.id, t.priority, t.position FROM tasks t
         WHERE t.workspace_id = $1 AND t.status = 'BACKLOG' AND t.assignee IS NULL
           AND t.sprint_id = (SELECT s.id FROM sprints s
                               WHERE s.workspace_id = $1
                                 AND CASE WHEN $2::uuid IS NULL THEN s.status = 'ACTIVE' ELSE s.id = $2 END)
           AND (t.priority, t.position, t.id) > ($8::text::priority, $9::float8, $10::uuid)
           AND (SELECT true FROM task_dependencies td
                  JOIN tasks needed ON needed.workspace_id = td.workspace_id AND needed.id = td.depends_on_id
                 WHERE td.workspace_id = t.workspace_id AND td.task_id = t.id
                   AND needed.status NOT IN ('IN_REVIEW', 'DONE') LIMIT 1) IS NULL
         ORDER BY t.priority NULLS FIRST, t.position NULLS FIRST, t.id NULLS FIRST
         LIMIT (SELECT count(*) FROM wanting)
           FOR NO KEY UPDATE OF t SKIP LOCKED
"""

# $2 the task that a person has chosen, whoever it is assigned to and whatever it waits for.
THIS_ONE = """
        SELECT t.id, t.priority, t.position FROM tasks t
         WHERE t.workspace_id = $1 AND t.id = $2::uuid AND t.status = 'BACKLOG'
           FOR NO KEY UPDATE OF t
"""


def _statement(following: str, *, approving: bool) -> str:
    return HAND_OUT.format(
        next=following.strip(),
        columns=rows.COLUMNS,
        comments=COMMENTS,
        uncounted=_uncounted,
        approving="true" if approving else "false",
        stops="false" if approving else budget.STOPS.strip(),  # letting a change through takes no agent
    )


CLAIM = _statement(IN_ORDER, approving=False)
CLAIM_THIS = _statement(THIS_ONE, approving=True)  # chosen, because a person has looked at its held change


@dataclass(frozen=True)
class Ask:
    """Who wants a task: an agent, the key that must have registered it, and the claim's own key, if it has one.

    With `again`, only what the same claim got before.
    """

    agent_id: UUID
    key_id: UUID
    claim_key: str | None
    again: bool = False


@dataclass(frozen=True)
class Place:
    """A place in the order of dispatch."""

    priority: Priority
    position: float
    task_id: UUID

    @classmethod
    def of(cls, task: Task) -> "Place":
        return cls(task.priority, task.position, task.id)


# No task has the nil id, so everything is after it.
START = Place(Priority.CRITICAL, float("-inf"), UUID(int=0))


@dataclass(frozen=True)
class Granted:
    """A task and its lease. `fresh` is false when the same claim was made before."""

    lease: Lease
    snapshot: TaskSnapshot
    fresh: bool


@dataclass(frozen=True)
class Nothing:
    """There is nothing to claim now."""


@dataclass(frozen=True)
class Spent:
    """The workspace's budget of the day is spent, and nothing is handed out until then."""


@dataclass(frozen=True)
class Unknown:
    """This key has registered no such agent here."""


@dataclass(frozen=True)
class Over:
    """The claim was made before, and its lease has ended since."""


Reply = Granted | Nothing | Spent | Unknown | Over

_comments = msgspec.json.Decoder(list[Comment])
_docs = msgspec.json.Decoder(list[DocRef])
_last_failure = msgspec.json.Decoder(LastFailure | None)


async def claim(
    db: Db, workspace_id: UUID, sprint_id: UUID | None, asks: Sequence[Ask], *, after: Place = START, timing: Timing
) -> list[Reply]:
    """The next tasks after the place `after`, one for each who asks, in their order.

    Args:
        sprint_id: the sprint to take from, whatever its status; None is the active one.
    """
    found = await db.fetch(
        CLAIM,
        workspace_id,
        sprint_id,
        [ask.agent_id for ask in asks],
        [ask.key_id for ask in asks],
        [ask.claim_key for ask in asks],
        timing.lease_ms,
        [ask.again for ask in asks],
        after.priority.value,
        after.position,
        after.task_id,
    )
    return [_reply(row, timing) for row in found]


async def claim_this(db: Db, workspace_id: UUID, task_id: UUID, ask: Ask, *, timing: Timing) -> Reply:
    """A certain task of the backlog, which somebody has chosen, for who asks."""
    row = await db.fetchrow(
        CLAIM_THIS, workspace_id, task_id, [ask.agent_id], [ask.key_id], [ask.claim_key], timing.lease_ms, [ask.again]
    )
    assert row is not None, "the statement answers each who asks"
    return _reply(row, timing)


def _reply(row: Record, timing: Timing) -> Reply:
    if not row["known"]:
        return Unknown()
    if row["id"] is None:
        if row["repeated"]:
            return Over()
        return Spent() if row["spent"] else Nothing()
    task = rows.read(row)
    lease = Lease(
        task_id=task.id,
        fence=task.fence,
        expires_in_ms=row["expires_in_ms"],
        heartbeat_ms=timing.heartbeat_ms,
        attempt=task.attempts,
    )
    snapshot = TaskSnapshot(
        task=task,
        comments=[] if row["comments"] is None else _comments.decode(row["comments"]),
        docs=[] if row["docs"] is None else _docs.decode(row["docs"]),
        last_failure=None if row["last_failure"] is None else _last_failure.decode(row["last_failure"]),
        required_checks=row["required_checks"],
        summaries=row["summaries"],
    )
    return Granted(lease, snapshot, row["fresh"])
