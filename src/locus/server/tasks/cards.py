"""Cards: what a board shows of each task, read for all of its columns in one statement."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from locus.server.db.pool import Db
from locus.server.settings import Timing
from locus.server.tasks.lists import ACTIVE, DISPATCHABLE, Filter, filtered
from locus.server.tasks.rows import CHECKLIST, WAITING
from locus.wire.agents import AgentLiveness
from locus.wire.tasks import BlockedReason, Phase, Priority, Role, Status
from locus.wire.work import Evidence

MOST = 100  # cards of one column; of the others only the number is told

# The order of dispatch numbers what agents take next, whatever the filter shows. Finished tasks stand by the time of
# their last change, the others as they are dispatched. $heartbeat and $lease are milliseconds.
CARDS = """
    WITH up AS (
        SELECT t.id, row_number() OVER (ORDER BY t.priority, t.position, t.id) AS place
          FROM tasks t
         WHERE t.workspace_id = $1 AND {dispatchable} AND {active} AND NOT {waiting}
    ), found AS (
        SELECT t.id, count(*) OVER status AS many,
               row_number() OVER (PARTITION BY t.status ORDER BY
                   CASE WHEN t.status = 'DONE' THEN t.updated_at END DESC NULLS LAST,
                   t.priority, t.position, t.id) AS rank
          FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
         WHERE {where}
        WINDOW status AS (PARTITION BY t.status)
    )
    SELECT t.id, w.prefix || '-' || t.number AS key, t.title, t.status, t.blocked_reason, t.priority::text AS priority,
           t.role, t.labels, t.assignee, t.due_on, t.checklist, t.attempts, w.attempt_cap, t.phase, t.claimed_at,
           t.cancel_requested, t.commit_sha, t.version, t.sprint_id, t.updated_at, f.many,
           s.number AS sprint_number, up.place, a.name AS agent_name,
           t.status = 'BACKLOG' AND {waiting} AS waits,
           CASE WHEN a.id IS NULL THEN NULL
                WHEN a.last_heartbeat_at <= clock_timestamp() - {lease} * interval '1 millisecond' THEN 'lost'
                WHEN a.state = 'parked' THEN 'parked'
                WHEN a.last_heartbeat_at <= clock_timestamp() - 2 * {heartbeat} * interval '1 millisecond' THEN 'silent'
                ELSE 'live' END AS liveness,
           spent.usd_micros, spent.tokens, coalesce(proof.evidence, '[]'::jsonb) AS evidence
      FROM found f
      JOIN tasks t ON t.workspace_id = $1 AND t.id = f.id
      JOIN workspaces w ON w.id = t.workspace_id
      LEFT JOIN sprints s ON s.workspace_id = t.workspace_id AND s.id = t.sprint_id
      LEFT JOIN up ON up.id = t.id
      LEFT JOIN agents a ON a.workspace_id = t.workspace_id AND a.id = t.lease_agent_id
      LEFT JOIN LATERAL (
            SELECT sum((x.numbers ->> 'usd_micros')::bigint)::bigint AS usd_micros,
                   sum((x.numbers ->> 'input_tokens')::bigint
                       + (x.numbers ->> 'output_tokens')::bigint)::bigint AS tokens
              FROM attempts x WHERE x.workspace_id = t.workspace_id AND x.task_id = t.id) spent ON true
      LEFT JOIN LATERAL (
            SELECT x.evidence FROM attempts x
             WHERE x.workspace_id = t.workspace_id AND x.task_id = t.id AND x.evidence <> '[]'
             ORDER BY x.fence DESC LIMIT 1) proof ON true
     WHERE f.rank <= {most}
     ORDER BY f.rank
"""
LABELS = """
    SELECT DISTINCT label FROM tasks t CROSS JOIN LATERAL unnest(t.labels) label WHERE t.workspace_id = $1
     ORDER BY label LIMIT 200
"""
ASSIGNEES = """
    SELECT DISTINCT t.assignee FROM tasks t WHERE t.workspace_id = $1 AND t.assignee IS NOT NULL
     ORDER BY t.assignee LIMIT 200
"""
EVIDENCE = msgspec.json.Decoder(list[Evidence])


class Card(Struct, frozen=True, kw_only=True):
    """A task as far as a card tells of it."""

    id: UUID
    key: str
    title: str
    status: Status
    blocked_reason: BlockedReason | None
    priority: Priority
    role: Role | None
    labels: list[str]
    assignee: str | None
    due_on: date | None
    ticked: int
    items: int
    attempts: int
    attempt_cap: int
    phase: Phase | None
    claimed_at: datetime | None
    cancel_requested: bool
    version: int
    sprint_id: UUID | None
    sprint_number: int | None
    updated_at: datetime
    place: int | None  # in what agents take next; None: they do not take it
    waits: bool  # for other tasks
    agent_name: str | None
    liveness: AgentLiveness | None
    usd_micros: int | None  # of all ended attempts; None: the price is not known
    tokens: int
    evidence: list[Evidence]  # of the last attempt that has some


class Columns(Struct, frozen=True):
    """Cards by status, and how many tasks there are of each, shown or not."""

    cards: dict[Status, list[Card]]
    many: dict[Status, int]

    @property
    def total(self) -> int:
        return sum(self.many.values())


async def board(db: Db, workspace_id: UUID, wanted: Filter, timing: Timing, *, most: int = MOST) -> Columns:
    """The columns of a board with what the filter lets through, at most `most` cards in each."""
    statement = filtered(workspace_id, wanted)
    query = CARDS.format(
        dispatchable=DISPATCHABLE,
        active=ACTIVE,
        waiting=WAITING,
        where=" AND ".join(statement.conditions),
        heartbeat=statement.argument(timing.heartbeat_ms) + "::bigint",
        lease=statement.argument(timing.lease_ms) + "::bigint",
        most=statement.argument(most),
    )
    found: dict[Status, list[Card]] = {status: [] for status in Status}
    many = dict.fromkeys(Status, 0)
    for row in await db.fetch(query, *statement.arguments):
        card = _read(row)
        found[card.status].append(card)
        many[card.status] = row["many"]
    return Columns(found, many)


async def labels(db: Db, workspace_id: UUID) -> Sequence[str]:
    """The labels that tasks of the workspace have."""
    return [row["label"] for row in await db.fetch(LABELS, workspace_id)]


async def assignees(db: Db, workspace_id: UUID) -> Sequence[str]:
    """The people whom tasks of the workspace are assigned to."""
    return [row["assignee"] for row in await db.fetch(ASSIGNEES, workspace_id)]


def _read(row: Record) -> Card:
    items = CHECKLIST.decode(row["checklist"])
    return Card(
        id=row["id"],
        key=row["key"],
        title=row["title"],
        status=Status(row["status"]),
        blocked_reason=None if row["blocked_reason"] is None else BlockedReason(row["blocked_reason"]),
        priority=Priority(row["priority"]),
        role=None if row["role"] is None else Role(row["role"]),
        labels=row["labels"],
        assignee=row["assignee"],
        due_on=row["due_on"],
        ticked=sum(item.done for item in items),
        items=len(items),
        attempts=row["attempts"],
        attempt_cap=row["attempt_cap"],
        phase=None if row["phase"] is None else Phase(row["phase"]),
        claimed_at=row["claimed_at"],
        cancel_requested=row["cancel_requested"],
        version=row["version"],
        sprint_id=row["sprint_id"],
        sprint_number=row["sprint_number"],
        updated_at=row["updated_at"],
        place=row["place"],
        waits=row["waits"],
        agent_name=row["agent_name"],
        liveness=None if row["liveness"] is None else AgentLiveness(row["liveness"]),
        usd_micros=row["usd_micros"],
        tokens=row["tokens"] or 0,
        evidence=EVIDENCE.decode(row["evidence"]),
    )
