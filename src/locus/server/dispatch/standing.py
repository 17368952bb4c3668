"""How a workspace stands, for the frame around its pages: one statement, whatever the page."""

from uuid import UUID

from msgspec import Struct

from locus.server.db.pool import Db
from locus.server.dispatch.budget import IS_SPENT
from locus.server.settings import Timing

# $2 milliseconds of a heartbeat, $3 of a lease. An agent that has been lost for an hour is history.
READ = f"""
    SELECT coalesce((SELECT h.seq FROM event_heads h WHERE h.workspace_id = $1), 0) AS seq,
           c.in_review, c.blocked,
           (SELECT count(*) FROM plans WHERE workspace_id = $1 AND status = 'PROPOSED') AS plans,
           {IS_SPENT.strip()} AS over_budget, a.live, a.silent, a.parked, a.lost, a.working,
           s.number AS sprint_number, s.name AS sprint_name, coalesce(p.total, 0) AS total,
           coalesce(p.done, 0) AS done, coalesce(p.usd_micros, 0) AS usd_micros, coalesce(p.priced, 0) AS priced
      FROM (SELECT count(*) FILTER (WHERE status = 'IN_REVIEW') AS in_review,
                   count(*) FILTER (WHERE status = 'BLOCKED') AS blocked
              FROM tasks WHERE workspace_id = $1 AND status IN ('IN_REVIEW', 'BLOCKED')) c
     CROSS JOIN
           (SELECT count(*) FILTER (WHERE silence < 2 * $2::bigint AND state <> 'parked') AS live,
                   count(*) FILTER (WHERE silence >= 2 * $2::bigint AND silence < $3::bigint
                                      AND state <> 'parked') AS silent,
                   count(*) FILTER (WHERE silence < $3::bigint AND state = 'parked') AS parked,
                   count(*) FILTER (WHERE silence >= $3::bigint) AS lost,
                   count(*) FILTER (WHERE silence < $3::bigint AND state = 'working') AS working
              FROM (SELECT state, extract(epoch FROM clock_timestamp() - last_heartbeat_at) * 1000 AS silence
                      FROM agents
                     WHERE workspace_id = $1 AND state <> 'stopped'
                       AND last_heartbeat_at > clock_timestamp() - interval '1 hour') x) a
      LEFT JOIN sprints s ON s.workspace_id = $1 AND s.status = 'ACTIVE'
      LEFT JOIN LATERAL (
            SELECT count(*) AS total, count(*) FILTER (WHERE t.status = 'DONE') AS done,
                   sum(n.usd_micros) AS usd_micros, count(n.usd_micros) AS priced
              FROM tasks t
              LEFT JOIN LATERAL (SELECT sum((x.numbers ->> 'usd_micros')::bigint) AS usd_micros FROM attempts x
                                  WHERE x.workspace_id = t.workspace_id AND x.task_id = t.id) n ON true
             WHERE t.workspace_id = $1 AND t.sprint_id = s.id) p ON true
"""


class Standing(Struct, frozen=True, kw_only=True):
    """Counts of now. `seq` is the number of the last event: whoever reads on from there misses nothing."""

    seq: int
    in_review: int
    blocked: int
    plans: int  # that wait for somebody to decide
    over_budget: bool  # the budget of the last 24 hours is spent
    live: int
    silent: int
    parked: int
    lost: int
    working: int  # agents that hold a task
    sprint_number: int | None  # of the active sprint
    sprint_name: str | None
    total: int  # its tasks
    done: int
    usd_micros: int  # what its attempts have cost so far, as far as prices are known
    priced: int  # tasks whose price is known

    @property
    def needs_you(self) -> int:
        """Tasks and plans that wait for a person, and a budget that is spent."""
        return self.in_review + self.blocked + self.plans + self.over_budget

    @property
    def agents(self) -> int:
        return self.live + self.silent + self.parked


async def read(db: Db, workspace_id: UUID, timing: Timing) -> Standing:
    """How the workspace stands now."""
    row = await db.fetchrow(READ, workspace_id, timing.heartbeat_ms, timing.lease_ms)
    assert row is not None
    return Standing(**{**dict(row), "usd_micros": int(row["usd_micros"])})
