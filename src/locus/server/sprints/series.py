"""A sprint's history, told by its events: how many tasks it had in each status, at even distances of time."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from locus.server.db.pool import Db
from locus.wire.reports import SprintPoint
from locus.wire.tasks import Status

STEPS = 60  # from the start to the end; points are one more

# Every event of a task tells the sprint and the status that the task has after it, so the difference to the event
# before is what the sprint has gained or lost. Whatever was so before the start is in the first point ($3 steps).
# OFFSET: the tasks of a sprint are few, and each is looked up, whatever statistics say of a table that grows.
# Tasks that leave with the completion belonged to the sprint until its end: those moves are not counted.
CHANGES = """
    WITH span AS (
        SELECT id, started_at AS began, coalesce(completed_at, clock_timestamp()) AS ended, completed_at
          FROM sprints WHERE workspace_id = $1 AND id = $2 AND started_at IS NOT NULL
    ), members AS MATERIALIZED (
        SELECT DISTINCT task_id FROM events
         WHERE workspace_id = $1 AND sprint_id = $2 AND kind IN ('task.created', 'task.edited', 'task.moved')
    ), told AS (
        SELECT e.created_at AS at,
               CASE WHEN e.sprint_id = $2 AND e.kind <> 'task.deleted' THEN e.detail ->> 'status' END AS status,
               e.task_id, e.id
          FROM span s CROSS JOIN members m
         CROSS JOIN LATERAL (SELECT * FROM events x WHERE x.workspace_id = $1 AND x.task_id = m.task_id OFFSET 0) e
         WHERE e.created_at <= s.ended AND e.detail ? 'status'
           AND NOT (e.kind = 'task.moved' AND e.sprint_id IS DISTINCT FROM $2 AND s.completed_at IS NOT NULL
                    AND e.created_at >= s.completed_at - interval '1 minute')
    ), changes AS (
        SELECT at, status, lag(status) OVER (PARTITION BY task_id ORDER BY id) AS was FROM told
    ), counted AS (
        SELECT at, status, 1 AS delta FROM changes WHERE status IS NOT NULL
         UNION ALL
        SELECT at, was, -1 FROM changes WHERE was IS NOT NULL
    )
    SELECT s.began, s.ended, c.step, c.status, c.delta
      FROM span s LEFT JOIN (
        SELECT greatest(0, ceil(extract(epoch FROM n.at - s.began)
                                / nullif(extract(epoch FROM s.ended - s.began), 0) * $3))::int AS step,
               n.status, sum(n.delta)::int AS delta
          FROM counted n CROSS JOIN span s GROUP BY 1, 2 HAVING sum(n.delta) <> 0
      ) c ON true
"""


async def of_sprint(db: Db, workspace_id: UUID, sprint_id: UUID, *, steps: int = STEPS) -> list[SprintPoint]:
    """The sprint at `steps` + 1 moments, from its start until now or its end; empty when it has not started."""
    rows = await db.fetch(CHANGES, workspace_id, sprint_id, steps)
    return points(rows, steps) if rows else []


def points(rows: list[Record], steps: int) -> list[SprintPoint]:
    """The running sums of what changed at each step."""
    began: datetime = rows[0]["began"]
    step: timedelta = (rows[0]["ended"] - began) / steps
    changes: dict[int, list[tuple[Status, int]]] = {}
    for row in rows:
        if row["status"] is not None:
            # The last step ends where the sprint does, whatever rounding says.
            changes.setdefault(min(row["step"] or 0, steps), []).append((Status(row["status"]), row["delta"]))
    now: Counter[Status] = Counter()
    found = []
    for index in range(steps + 1):
        for status, delta in changes.get(index, ()):
            now[status] += delta
        found.append(
            SprintPoint(
                at=began + index * step,
                backlog=now[Status.BACKLOG],
                in_progress=now[Status.IN_PROGRESS],
                in_review=now[Status.IN_REVIEW],
                done=now[Status.DONE],
                blocked=now[Status.BLOCKED],
            )
        )
    return found


def scope(point: SprintPoint) -> int:
    """All tasks that the sprint had then."""
    return point.backlog + point.in_progress + point.in_review + point.done + point.blocked


def remaining(point: SprintPoint) -> int:
    """The tasks that were not accepted then."""
    return scope(point) - point.done
