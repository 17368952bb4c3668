"""The rows of tasks: find, read, lock, save, delete. The workspace comes first, so a foreign id finds nothing."""

import re
from uuid import UUID

from locus.server.db.pool import Db
from locus.server.errors import NotFound
from locus.server.tasks.rows import COLUMNS, read
from locus.wire.tasks import Task

LARGEST_NUMBER = 2_147_483_647  # of an integer column
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
KEY_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9]{0,9})-([1-9][0-9]{0,9})", re.ASCII)

FIND = """
    SELECT t.id FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE t.workspace_id = $1 AND w.prefix = $2 AND t.number = $3
"""

GET = f"""
    SELECT {COLUMNS} FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE t.workspace_id = $1 AND t.id = $2
"""

MANY = f"""
    SELECT {COLUMNS} FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE t.workspace_id = $1 AND t.id = ANY($2)
"""

# Locking and reading are two statements: one that has waited for a lock sees the row as it is then, but what belongs
# to it in other tables as it was before.
LOCK = "SELECT true FROM tasks WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE"

# By id, so that two requests that lock some of the same tasks wait for each other in one direction only.
LOCK_MANY = "SELECT true FROM tasks WHERE workspace_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"

# Deleting takes the stronger lock: nobody may refer to a row that goes away.
LOCK_TO_DELETE = "SELECT true FROM tasks WHERE workspace_id = $1 AND id = $2 FOR UPDATE"

NEXT_NUMBER = """
    UPDATE workspaces SET last_task_number = last_task_number + 1 WHERE id = $1 RETURNING last_task_number
"""

INSERT = """
    INSERT INTO tasks (workspace_id, number, sprint_id, parent_id, title, description, priority, role, labels, assignee,
                       due_on, checklist, position)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::priority, $8, $9, $10, $11, $12, $13)
    RETURNING id
"""

SAVE = """
    UPDATE tasks
       SET sprint_id = $3, parent_id = $4, title = $5, description = $6, status = $7, blocked_reason = $8,
           priority = $9::text::priority, role = $10, labels = $11, assignee = $12, due_on = $13, checklist = $14,
           position = $15, attempts = $16, commit_sha = $17, pull_request_url = $18,
           version = version + 1, updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = $2
"""

SET_DEPENDENCIES = """
    WITH gone AS (
        DELETE FROM task_dependencies WHERE workspace_id = $1 AND task_id = $2 AND depends_on_id <> ALL($3::uuid[])
    )
    INSERT INTO task_dependencies (workspace_id, task_id, depends_on_id)
    SELECT $1, $2, wanted FROM unnest($3::uuid[]) wanted ON CONFLICT DO NOTHING
"""

SET_DOCS = """
    WITH gone AS (
        DELETE FROM task_docs WHERE workspace_id = $1 AND task_id = $2 AND doc_id <> ALL($3::uuid[])
    )
    INSERT INTO task_docs (workspace_id, task_id, doc_id)
    SELECT $1, $2, wanted FROM unnest($3::uuid[]) wanted ON CONFLICT DO NOTHING
"""

# Who loses a dependency or a parent with a task. Locked by id, as everywhere.
BEREAVED = """
    SELECT t.id, t.parent_id IS NOT DISTINCT FROM $2 AS is_child,
           EXISTS (SELECT 1 FROM task_dependencies td
                    WHERE td.workspace_id = $1 AND td.task_id = t.id AND td.depends_on_id = $2) AS waits
      FROM tasks t
     WHERE t.workspace_id = $1
       AND (t.parent_id = $2 OR t.id IN (SELECT td.task_id FROM task_dependencies td
                                          WHERE td.workspace_id = $1 AND td.depends_on_id = $2))
     ORDER BY t.id FOR NO KEY UPDATE OF t
"""
BEREAVE = """
    UPDATE tasks SET parent_id = NULLIF(parent_id, $2), version = version + 1, updated_at = clock_timestamp()
     WHERE workspace_id = $1 AND id = ANY($3)
"""

DELETE = "DELETE FROM tasks WHERE workspace_id = $1 AND id = $2"

# Which checks our supervisor saw green on the commit that is in review now.
PROVEN = """
    SELECT DISTINCT e ->> 'check' AS name
      FROM tasks t
      JOIN attempts a ON a.workspace_id = t.workspace_id AND a.task_id = t.id
     CROSS JOIN LATERAL jsonb_array_elements(a.evidence) e
     WHERE t.workspace_id = $1 AND t.id = $2 AND t.status = 'IN_REVIEW' AND a.outcome = 'completed'
       AND (e ->> 'passed')::boolean AND e ->> 'commit' = t.commit_sha
"""


async def find(db: Db, workspace_id: UUID, address: str) -> UUID:
    """The id of the task that `address` names: an id (not looked up) or a key like AUTH-12 in any case of letters.

    Raises:
        NotFound: it is neither, or no task of this workspace has that key.
    """
    if UUID_TEXT.fullmatch(address):
        return UUID(address)
    key = KEY_TEXT.fullmatch(address)
    if key is None or int(key[2]) > LARGEST_NUMBER:
        raise NotFound
    task_id: UUID | None = await db.fetchval(FIND, workspace_id, key[1].upper(), int(key[2]))
    if task_id is None:
        raise NotFound
    return task_id


async def get(db: Db, workspace_id: UUID, task_id: UUID) -> Task:
    """One task, or NotFound."""
    row = await db.fetchrow(GET, workspace_id, task_id)
    if row is None:
        raise NotFound
    return read(row)


async def lock(db: Db, workspace_id: UUID, task_id: UUID) -> Task:
    """One task, locked against every other writer until the transaction ends, or NotFound."""
    await db.fetchval(LOCK, workspace_id, task_id)
    return await get(db, workspace_id, task_id)


async def lock_to_delete(db: Db, workspace_id: UUID, task_id: UUID) -> Task:
    """Like `lock`, and nobody may begin to refer to the task either."""
    await db.fetchval(LOCK_TO_DELETE, workspace_id, task_id)
    return await get(db, workspace_id, task_id)


async def lock_many(db: Db, workspace_id: UUID, task_ids: list[UUID]) -> dict[UUID, Task]:
    """Those of `task_ids` that are here, locked."""
    await db.fetch(LOCK_MANY, workspace_id, task_ids)
    return {row["id"]: read(row) for row in await db.fetch(MANY, workspace_id, task_ids)}


async def many(db: Db, workspace_id: UUID, task_ids: list[UUID]) -> list[Task]:
    """Those of `task_ids` that are here, in that order."""
    found = {row["id"]: read(row) for row in await db.fetch(MANY, workspace_id, task_ids)}
    return [found[task_id] for task_id in task_ids if task_id in found]


async def save(db: Db, task: Task) -> None:
    """Write what people may change of a locked task; its version grows."""
    await db.execute(
        SAVE,
        task.workspace_id,
        task.id,
        task.sprint_id,
        task.parent_id,
        task.title,
        task.description,
        task.status.value,
        None if task.blocked_reason is None else task.blocked_reason.value,
        task.priority.value,
        None if task.role is None else task.role.value,
        task.labels,
        task.assignee,
        task.due_on,
        task.checklist,
        task.position,
        task.attempts,
        task.commit,
        task.pull_request_url,
    )


async def set_dependencies(db: Db, workspace_id: UUID, task_id: UUID, depends_on: list[UUID]) -> None:
    """Make `depends_on` the tasks that this one waits for."""
    await db.execute(SET_DEPENDENCIES, workspace_id, task_id, depends_on)


async def set_docs(db: Db, workspace_id: UUID, task_id: UUID, doc_ids: list[UUID]) -> None:
    """Make `doc_ids` the docs that belong to the task."""
    await db.execute(SET_DOCS, workspace_id, task_id, doc_ids)


async def delete(db: Db, workspace_id: UUID, task_id: UUID) -> dict[UUID, list[str]]:
    """Delete a locked task; returns the tasks that referred to it, with the names of the fields that did."""
    rows = await db.fetch(BEREAVED, workspace_id, task_id)
    await db.execute(BEREAVE, workspace_id, task_id, [row["id"] for row in rows])
    await db.execute(DELETE, workspace_id, task_id)
    return {row["id"]: ["depends_on"] * row["waits"] + ["parent_id"] * row["is_child"] for row in rows}


async def proven(db: Db, workspace_id: UUID, task_id: UUID) -> frozenset[str]:
    """The names of the checks that were green for the commit in review; none when nothing is in review."""
    return frozenset(row["name"] for row in await db.fetch(PROVEN, workspace_id, task_id))
