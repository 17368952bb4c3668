"""What work took: money and tokens, the pace of the last sprints, how long tasks took. Counted by the database."""

from datetime import datetime
from typing import Any
from uuid import UUID

from locus.server.db.pool import Db
from locus.server.sprints import forecast
from locus.wire.reports import Durations, Figures, Pace, Spending
from locus.wire.sprints import SprintStatus

SPRINTS = 12  # the newest ones that the figures show
TASKS = 100  # accepted ones, the newest, that durations are taken from

# For a statement that names the attempts `a`.
SPENT = """
    count(*) AS attempts,
    count(*) FILTER (WHERE a.numbers IS NOT NULL AND a.numbers ->> 'usd_micros' IS NULL) AS unpriced,
    coalesce(sum((a.numbers ->> 'usd_micros')::bigint), 0)::bigint AS usd_micros,
    count(a.numbers ->> 'usd_micros') AS priced,
    coalesce(sum((a.numbers ->> 'input_tokens')::bigint), 0)::bigint AS input_tokens,
    coalesce(sum((a.numbers ->> 'output_tokens')::bigint), 0)::bigint AS output_tokens
"""

# What the tasks that are in the sprint took, in all their attempts. OFFSET: few tasks are looked up one by one, and
# not joined to all attempts of the workspace.
OF_SPRINT = f"""
    SELECT {SPENT}, (SELECT count(*) FROM tasks t WHERE t.workspace_id = $1 AND t.sprint_id = $2 AND t.status = 'DONE')
               AS accepted
      FROM tasks t
     CROSS JOIN LATERAL (SELECT numbers FROM attempts x
                          WHERE x.workspace_id = t.workspace_id AND x.task_id = t.id OFFSET 0) a
     WHERE t.workspace_id = $1 AND t.sprint_id = $2
"""
# now() and not clock_timestamp(), which no index can be entered with.
LAST_DAY = f"""
    SELECT {SPENT},
           (SELECT count(*) FROM events e WHERE e.workspace_id = $1 AND e.kind = 'task.status'
               AND e.detail ->> 'status' = 'DONE' AND e.created_at > now() - interval '1 day') AS accepted,
           (SELECT daily_budget_usd_micros FROM workspaces WHERE id = $1) AS budget
      FROM attempts a WHERE a.workspace_id = $1 AND a.ended_at > now() - interval '1 day'
"""
PACES = f"""
    SELECT s.id, s.number, s.name, s.status, s.started_at, s.completed_at, c.accepted, c.open,
           p.attempts, p.unpriced, p.usd_micros, p.priced, p.input_tokens, p.output_tokens
      FROM (SELECT * FROM sprints WHERE workspace_id = $1 AND status <> 'PLANNED' ORDER BY number DESC LIMIT $2) s
     CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE t.status = 'DONE') AS accepted,
                   count(*) FILTER (WHERE t.status <> 'DONE') AS open
              FROM tasks t WHERE t.workspace_id = $1 AND t.sprint_id = s.id) c
     CROSS JOIN LATERAL (
            SELECT {SPENT} FROM tasks t
             CROSS JOIN LATERAL (SELECT numbers FROM attempts x
                                  WHERE x.workspace_id = t.workspace_id AND x.task_id = t.id OFFSET 0) a
             WHERE t.workspace_id = $1 AND t.sprint_id = s.id) p
     ORDER BY s.number
"""

# A task that was accepted twice counts once, with its last acceptance.
DURATIONS = """
    WITH accepted AS (
        SELECT task_id, max(created_at) AS at
          FROM (SELECT task_id, created_at FROM events
                 WHERE workspace_id = $1 AND kind = 'task.status' AND detail ->> 'status' = 'DONE'
                 ORDER BY created_at DESC LIMIT $2) e
         GROUP BY task_id
    ), measured AS (
        SELECT extract(epoch FROM x.at - t.created_at) * 1000 AS lead,
               extract(epoch FROM x.at - (SELECT min(a.claimed_at) FROM attempts a
                                           WHERE a.workspace_id = $1 AND a.task_id = t.id)) * 1000 AS cycle
          FROM accepted x JOIN tasks t ON t.workspace_id = $1 AND t.id = x.task_id
    )
    SELECT count(lead) AS leads, count(cycle) AS cycles,
           percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY lead) AS lead,
           percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (ORDER BY cycle) AS cycle
      FROM measured
"""

# Seconds from one acceptance to the next in the same sprint; the first one's from the sprint's start.
GAPS = """
    WITH newest AS MATERIALIZED (
        SELECT created_at AS at, sprint_id FROM events
         WHERE workspace_id = $1 AND kind = 'task.status' AND detail ->> 'status' = 'DONE'
         ORDER BY created_at DESC LIMIT $2
    )
    SELECT extract(epoch FROM n.at - coalesce(lag(n.at) OVER (PARTITION BY n.sprint_id ORDER BY n.at), s.started_at))
             ::float8 AS gap
      FROM newest n JOIN sprints s ON s.workspace_id = $1 AND s.id = n.sprint_id
     WHERE n.at >= s.started_at AND (s.completed_at IS NULL OR n.at <= s.completed_at)
"""


async def of_sprint(db: Db, workspace_id: UUID, sprint_id: UUID) -> Spending:
    """What the sprint's tasks took so far."""
    row = await db.fetchrow(OF_SPRINT, workspace_id, sprint_id)
    assert row is not None
    return spending(row, row["accepted"])


async def last_day(db: Db, workspace_id: UUID) -> tuple[Spending, int | None]:
    """What attempts that ended within the last 24 hours took, and the workspace's budget for as long."""
    row = await db.fetchrow(LAST_DAY, workspace_id)
    assert row is not None
    return spending(row, row["accepted"]), row["budget"]


async def of_workspace(db: Db, workspace_id: UUID) -> Figures:
    """The pace of the last sprints, and how long tasks took."""
    paces = [
        Pace(
            sprint_id=row["id"],
            number=row["number"],
            name=row["name"],
            status=SprintStatus(row["status"]),
            started_at=row["started_at"],
            completed_at=row["completed_at"],
            accepted=row["accepted"],
            open=row["open"],
            spending=spending(row, row["accepted"]),
        )
        for row in await db.fetch(PACES, workspace_id, SPRINTS)
    ]
    took = await db.fetchrow(DURATIONS, workspace_id, TASKS)
    assert took is not None
    day, budget = await last_day(db, workspace_id)
    return Figures(
        sprints=paces,
        lead=durations(took["leads"], took["lead"]),
        cycle=durations(took["cycles"], took["cycle"]),
        last_day=day,
        daily_budget_usd_micros=budget,
    )


async def gaps(db: Db, workspace_id: UUID) -> list[float]:
    """Seconds between acceptances, of the newest ones in the workspace's sprints."""
    return [max(row["gap"], 0.0) for row in await db.fetch(GAPS, workspace_id, forecast.MOST)]


async def now(db: Db) -> datetime:
    """The database's clock."""
    moment: datetime = await db.fetchval("SELECT clock_timestamp()")
    return moment


def spending(row: Any, accepted: int) -> Spending:
    """The spending of a row that has SPENT."""
    each = round(row["usd_micros"] / accepted) if accepted and row["priced"] else None
    return Spending(
        attempts=row["attempts"],
        unpriced=row["unpriced"],
        usd_micros=row["usd_micros"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        accepted=accepted,
        usd_micros_per_accepted=each,
    )


def durations(tasks: int, quantiles: list[float | None] | None) -> Durations:
    median, p85 = quantiles or (None, None)
    return Durations(
        tasks=tasks,
        median_ms=None if median is None else round(median),
        p85_ms=None if p85 is None else round(p85),
    )
