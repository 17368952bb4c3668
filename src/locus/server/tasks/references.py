"""What a task may point at: sprint, parent, dependencies, docs. A foreign id and a missing one get the same refusal."""

from collections.abc import Container, Sequence
from uuid import UUID

from locus.server.db.pool import Db
from locus.server.errors import Conflict, Invalid
from locus.server.tasks import rules
from locus.wire.problems import FieldProblem

# One at a time may change what tasks point at, or where they stand, in a workspace: two edits that are each fine
# could make a cycle together. Taken before any row is locked.
STRUCTURE = "SELECT pg_advisory_xact_lock(hashtextextended('locus.tasks.structure:' || $1::uuid, 0))"

# SHARE keeps the sprint from being completed or deleted until this transaction has put its task there.
SPRINT = "SELECT status FROM sprints WHERE workspace_id = $1 AND id = $2 FOR SHARE"

# KEY SHARE keeps the rows from being deleted until the reference has been written.
TASKS = "SELECT id FROM tasks WHERE workspace_id = $1 AND id = ANY($2) ORDER BY id FOR KEY SHARE"
DOCS = "SELECT id FROM docs WHERE workspace_id = $1 AND id = ANY($2) ORDER BY id FOR KEY SHARE"

# Everything the task waits for, directly or not: each of those tasks once, however many ways lead to it.
UPSTREAM = """
    WITH RECURSIVE upstream (id) AS (
        SELECT depends_on_id FROM task_dependencies WHERE workspace_id = $1 AND task_id = $2
        UNION
        SELECT td.depends_on_id FROM upstream
          JOIN task_dependencies td ON td.workspace_id = $1 AND td.task_id = upstream.id
    )
    SELECT id FROM upstream
"""
EDGES = """
    SELECT task_id, depends_on_id FROM task_dependencies
     WHERE workspace_id = $1 AND task_id = ANY($2) AND depends_on_id = ANY($2)
"""
ANCESTORS = """
    WITH RECURSIVE ancestors (id) AS (
        SELECT $2::uuid
        UNION
        SELECT t.parent_id FROM ancestors JOIN tasks t ON t.workspace_id = $1 AND t.id = ancestors.id
         WHERE t.parent_id IS NOT NULL
    )
    SELECT id FROM ancestors
"""
KEYS = """
    SELECT t.id, w.prefix || '-' || t.number AS key FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE t.workspace_id = $1 AND t.id = ANY($2)
"""


async def lock_structure(db: Db, workspace_id: UUID) -> None:
    """Wait for whoever changes the order or the links of this workspace's tasks, then be the only one who does."""
    await db.execute(STRUCTURE, workspace_id)


async def check_sprint(db: Db, workspace_id: UUID, sprint_id: UUID | None) -> None:
    """Refuse a sprint that is not here, or that is over."""
    if sprint_id is None:
        return
    status = await db.fetchval(SPRINT, workspace_id, sprint_id)
    if status is None:
        raise Invalid.field("sprint_id", "is no sprint of this workspace")
    if status == "COMPLETED":
        raise Conflict("This sprint is completed. Choose another one, or the backlog.", code="sprint_completed")


async def check_parent(db: Db, workspace_id: UUID, task_id: UUID | None, parent_id: UUID | None) -> None:
    """Refuse a parent that is not here, is the task itself (`task_id`; None: a new one) or descends from it."""
    if parent_id is None:
        return
    if not await db.fetch(TASKS, workspace_id, [parent_id]):
        raise Invalid.field("parent_id", "is no task of this workspace")
    if task_id is None:
        return
    above = [row["id"] for row in await db.fetch(ANCESTORS, workspace_id, parent_id)]
    if task_id in above:
        named = " under ".join(await _keys(db, workspace_id, above[: above.index(task_id) + 1]))
        raise Conflict(f"A task cannot be under itself: {named}.", code="parent_cycle")


async def check_tasks(db: Db, workspace_id: UUID, field: str, task_ids: list[UUID]) -> None:
    """Refuse ids in `field` that are no tasks of this workspace, or that come twice."""
    await _check_all(db, TASKS, workspace_id, field, task_ids, "task")


async def check_docs(db: Db, workspace_id: UUID, doc_ids: list[UUID]) -> None:
    """Refuse doc ids that are not this workspace's, or that come twice."""
    await _check_all(db, DOCS, workspace_id, "doc_ids", doc_ids, "doc")


async def check_acyclic(db: Db, workspace_id: UUID, task_id: UUID) -> None:
    """Refuse the dependencies just written when the task waits for itself through them; the structure is locked."""
    upstream = [row["id"] for row in await db.fetch(UPSTREAM, workspace_id, task_id)]
    if task_id not in upstream:
        return
    edges = [(row["task_id"], row["depends_on_id"]) for row in await db.fetch(EDGES, workspace_id, upstream)]
    named = " waits for ".join(await _keys(db, workspace_id, rules.cycle(edges, task_id)))
    raise Conflict(f"These tasks would wait for each other for ever: {named}.", code="dependency_cycle")


def check_unlike(field: str, values: Sequence[str | UUID]) -> None:
    """Refuse a list in which a value comes twice."""
    seen: set[str | UUID] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise Invalid.field(f"{field}.{index}", "is in the list already")
        seen.add(value)


def check_here(here: Container[UUID], field: str, ids: list[UUID], what: str) -> None:
    """Refuse the ids of `field` that are not `here`, naming each; `what` is what they should be."""
    missing = [index for index, one in enumerate(ids) if one not in here]
    if missing:
        message = f"is no {what} of this workspace"
        raise Invalid(
            f"{field}.{missing[0]}: {message}",
            errors=[FieldProblem(field=f"{field}.{index}", message=message) for index in missing],
        )


async def _check_all(db: Db, statement: str, workspace_id: UUID, field: str, ids: list[UUID], what: str) -> None:
    if not ids:
        return
    check_unlike(field, ids)
    here = {row["id"] for row in await db.fetch(statement, workspace_id, ids)}
    check_here(here, field, ids, what)


async def _keys(db: Db, workspace_id: UUID, task_ids: list[UUID]) -> list[str]:
    keys = {row["id"]: str(row["key"]) for row in await db.fetch(KEYS, workspace_id, task_ids)}
    return [keys[task_id] for task_id in task_ids]
