"""The rows of sprints, with their tasks counted in the same query. The workspace comes first, as everywhere."""

from typing import Annotated
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.errors import NotFound
from locus.server.tasks.rows import WAITING
from locus.server.tasks.store import LARGEST_NUMBER, UUID_TEXT
from locus.wire.sprints import Sprint, SprintDraft, SprintStatus, TaskCounts
from locus.wire.work import SprintProgress

COLUMNS = """
    s.id, s.workspace_id, s.number, s.name, s.goal, s.status, s.starts_on, s.ends_on, s.started_at, s.completed_at,
    s.version, s.created_at, s.updated_at, c.backlog, c.in_progress, c.in_review, c.done, c.blocked
"""
COUNTED = """
    sprints s CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE t.status = 'BACKLOG') AS backlog,
               count(*) FILTER (WHERE t.status = 'IN_PROGRESS') AS in_progress,
               count(*) FILTER (WHERE t.status = 'IN_REVIEW') AS in_review,
               count(*) FILTER (WHERE t.status = 'DONE') AS done,
               count(*) FILTER (WHERE t.status = 'BLOCKED') AS blocked
          FROM tasks t WHERE t.workspace_id = s.workspace_id AND t.sprint_id = s.id
    ) c
"""

BY_NUMBER = "SELECT id FROM sprints WHERE workspace_id = $1 AND number = $2"
ACTIVE = "SELECT id FROM sprints WHERE workspace_id = $1 AND status = 'ACTIVE'"
FIRST_PLANNED = "SELECT id FROM sprints WHERE workspace_id = $1 AND status = 'PLANNED' ORDER BY number LIMIT 1"

GET = f"SELECT {COLUMNS} FROM {COUNTED} WHERE s.workspace_id = $1 AND s.id = $2"
LIST = f"""
    SELECT {COLUMNS} FROM {COUNTED}
     WHERE s.workspace_id = $1 AND ($2::integer IS NULL OR s.number < $2)
     ORDER BY s.number DESC LIMIT $3
"""

# Tasks enter a sprint under a shared lock on it, so while this lock is held none comes.
LOCK = "SELECT true FROM sprints WHERE workspace_id = $1 AND id = $2 FOR UPDATE"
# Sprints of a workspace are numbered, started and completed one after the other.
LOCK_WORKSPACE = "SELECT true FROM workspaces WHERE id = $1 FOR NO KEY UPDATE"

INSERT = """
    WITH numbered AS (
        UPDATE workspaces SET last_sprint_number = last_sprint_number + 1 WHERE id = $1 RETURNING last_sprint_number
    )
    INSERT INTO sprints (workspace_id, number, name, goal, starts_on, ends_on)
    SELECT $1, last_sprint_number, $2, $3, $4, $5 FROM numbered
    RETURNING id
"""
SAVE = """
    UPDATE sprints SET name = $3, goal = $4, starts_on = $5, ends_on = $6, version = version + 1,
                       updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2
"""
START = """
    UPDATE sprints SET status = 'ACTIVE', started_at = clock_timestamp(), version = version + 1,
                       updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2
"""
COMPLETE = """
    UPDATE sprints SET status = 'COMPLETED', completed_at = clock_timestamp(), version = version + 1,
                       updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2
"""
DELETE = "DELETE FROM sprints WHERE workspace_id = $1 AND id = $2"

# Waits for claims that are under way, and keeps new ones off: they skip locked rows.
LOCK_UNFINISHED = """
    SELECT id, lease_agent_id IS NOT NULL AS held FROM tasks
     WHERE workspace_id = $1 AND sprint_id = $2 AND status <> 'DONE' ORDER BY id FOR NO KEY UPDATE
"""
LOCK_ALL = """
    SELECT id, lease_agent_id IS NOT NULL AS held FROM tasks
     WHERE workspace_id = $1 AND sprint_id = $2 ORDER BY id FOR NO KEY UPDATE
"""
# In the order they had, after everything that is there already.
RESETTLE = """
    UPDATE tasks t SET sprint_id = $3, position = $4 + moved.place, version = version + 1,
                       updated_at = clock_timestamp()
      FROM (SELECT id, row_number() OVER (ORDER BY position, id) - 1 AS place FROM tasks
             WHERE workspace_id = $1 AND id = ANY($2::uuid[])) moved
     WHERE t.workspace_id = $1 AND t.id = moved.id
    RETURNING t.id, t.status
"""

# Whether a task waits is the one costly question here, so it is asked once for each task that could be handed out;
# OFFSET keeps PostgreSQL from asking it again in every sum.
PROGRESS = f"""
    SELECT s.id, s.number, s.name, s.status = 'ACTIVE' AS active, c.*
      FROM sprints s CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE NOT o.waits) AS claimable,
               count(*) FILTER (WHERE o.waits) AS waiting,
               count(*) FILTER (WHERE o.status = 'IN_PROGRESS' AND o.held) AS in_progress,
               count(*) FILTER (WHERE (o.status = 'BACKLOG' AND o.waits IS NULL)
                                   OR (o.status = 'IN_PROGRESS' AND NOT o.held)) AS assigned,
               count(*) FILTER (WHERE o.status = 'BLOCKED') AS blocked,
               count(*) FILTER (WHERE o.status = 'IN_REVIEW') AS in_review,
               count(*) FILTER (WHERE o.status = 'DONE') AS done
          FROM (SELECT t.status, t.lease_agent_id IS NOT NULL AS held,
                       CASE WHEN t.status = 'BACKLOG' AND t.assignee IS NULL THEN {WAITING} END AS waits
                  FROM tasks t WHERE t.workspace_id = s.workspace_id AND t.sprint_id = s.id OFFSET 0) o
      ) c
     WHERE s.workspace_id = $1 AND s.id = $2
"""


class Below(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the number of its last sprint."""

    number: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


async def find(db: Db, workspace_id: UUID, address: str) -> UUID:
    """The id of the sprint that `address` names: an id (not looked up), a number, or `active`.

    Raises:
        NotFound: it is none of these, or no sprint of this workspace is so called.
    """
    if UUID_TEXT.fullmatch(address):
        return UUID(address)
    sprint_id: UUID | None = None
    if address == "active":
        sprint_id = await active(db, workspace_id)
    elif address.isascii() and address.isdigit() and len(address) <= 10 and int(address) <= LARGEST_NUMBER:
        sprint_id = await db.fetchval(BY_NUMBER, workspace_id, int(address))
    if sprint_id is None:
        raise NotFound
    return sprint_id


async def active(db: Db, workspace_id: UUID) -> UUID | None:
    """The id of the workspace's active sprint."""
    sprint_id: UUID | None = await db.fetchval(ACTIVE, workspace_id)
    return sprint_id


async def first_planned(db: Db, workspace_id: UUID) -> UUID | None:
    """The id of the planned sprint with the lowest number."""
    sprint_id: UUID | None = await db.fetchval(FIRST_PLANNED, workspace_id)
    return sprint_id


async def get(db: Db, workspace_id: UUID, sprint_id: UUID) -> Sprint:
    """One sprint, or NotFound."""
    row = await db.fetchrow(GET, workspace_id, sprint_id)
    if row is None:
        raise NotFound
    return read(row)


async def lock(db: Db, workspace_id: UUID, sprint_id: UUID) -> Sprint:
    """One sprint, locked: nobody else changes it and no task enters it until the transaction ends. Or NotFound."""
    # Two statements: the counts must be read after the wait for the lock.
    if not await db.fetchval(LOCK, workspace_id, sprint_id):
        raise NotFound
    return await get(db, workspace_id, sprint_id)


async def lock_workspace(db: Db, workspace_id: UUID) -> None:
    """Wait for whoever starts or completes a sprint of this workspace, then be the only one who does."""
    await db.fetchval(LOCK_WORKSPACE, workspace_id)


async def listed(db: Db, workspace_id: UUID, *, below: int | None, limit: int) -> list[Sprint]:
    """At most `limit` sprints, newest first, with a number below that one."""
    return [read(row) for row in await db.fetch(LIST, workspace_id, below, limit)]


async def insert(db: Db, workspace_id: UUID, draft: SprintDraft) -> UUID:
    """Add a planned sprint with the next number."""
    sprint_id: UUID = await db.fetchval(INSERT, workspace_id, draft.name, draft.goal, draft.starts_on, draft.ends_on)
    return sprint_id


async def save(db: Db, sprint: Sprint) -> None:
    """Write what people may change of a locked sprint; its version grows."""
    await db.execute(SAVE, sprint.workspace_id, sprint.id, sprint.name, sprint.goal, sprint.starts_on, sprint.ends_on)


async def resettle(
    db: Db, workspace_id: UUID, task_ids: list[UUID], sprint_id: UUID | None, position: float
) -> list[Record]:
    """Put locked tasks into a sprint (None: the backlog), from `position` on; rows of id and status."""
    return await db.fetch(RESETTLE, workspace_id, task_ids, sprint_id, position)


async def progress(db: Db, workspace_id: UUID, sprint_id: UUID) -> SprintProgress | None:
    """What is left to do in the sprint, or None when it is not here."""
    row = await db.fetchrow(PROGRESS, workspace_id, sprint_id)
    if row is None:
        return None
    return SprintProgress(
        sprint_id=row["id"],
        number=row["number"],
        name=row["name"],
        active=row["active"],
        claimable=row["claimable"],
        waiting=row["waiting"],
        in_progress=row["in_progress"],
        assigned=row["assigned"],
        blocked=row["blocked"],
        in_review=row["in_review"],
        done=row["done"],
    )


def read(row: Record) -> Sprint:
    """The sprint of a row that has COLUMNS."""
    return Sprint(
        id=row["id"],
        workspace_id=row["workspace_id"],
        number=row["number"],
        name=row["name"],
        goal=row["goal"],
        status=SprintStatus(row["status"]),
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        tasks=TaskCounts(
            backlog=row["backlog"],
            in_progress=row["in_progress"],
            in_review=row["in_review"],
            done=row["done"],
            blocked=row["blocked"],
        ),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
