"""What docs were before, and which tasks name them."""

from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from locus.server.db.pool import Db
from locus.wire.docs import DocKind, DocVersion, OldDoc
from locus.wire.tasks import Status

LIST = """
    SELECT version, title, kind, author_name, created_at FROM doc_versions
     WHERE workspace_id = $1 AND doc_id = $2 AND ($3::integer IS NULL OR version < $3)
     ORDER BY version DESC LIMIT $4
"""
GET = """
    SELECT version, title, kind, text, author_name, created_at FROM doc_versions
     WHERE workspace_id = $1 AND doc_id = $2 AND version = $3
"""
TASKS = """
    SELECT t.id, w.prefix || '-' || t.number AS key, t.title, t.status
      FROM task_docs td
      JOIN tasks t ON t.workspace_id = td.workspace_id AND t.id = td.task_id
      JOIN workspaces w ON w.id = t.workspace_id
     WHERE td.workspace_id = $1 AND td.doc_id = $2
     ORDER BY t.number DESC LIMIT 100
"""


class NamedIn(Struct, frozen=True):
    """A task that names a doc."""

    id: UUID
    key: str
    title: str
    status: Status


async def listed(db: Db, workspace_id: UUID, doc_id: UUID, *, below: int | None = None, limit: int) -> list[DocVersion]:
    """At most `limit` versions with a number below that one, the newest first."""
    return [
        DocVersion(
            version=row["version"],
            title=row["title"],
            kind=DocKind(row["kind"]),
            author_name=row["author_name"],
            created_at=row["created_at"],
        )
        for row in await db.fetch(LIST, workspace_id, doc_id, below, limit)
    ]


async def get(db: Db, workspace_id: UUID, doc_id: UUID, version: int) -> OldDoc | None:
    """What the doc was after that edit; None when nobody knows any more."""
    row: Record | None = await db.fetchrow(GET, workspace_id, doc_id, version)
    if row is None:
        return None
    return OldDoc(
        version=row["version"],
        title=row["title"],
        kind=DocKind(row["kind"]),
        text=row["text"],
        author_name=row["author_name"],
        created_at=row["created_at"],
    )


async def tasks(db: Db, workspace_id: UUID, doc_id: UUID) -> list[NamedIn]:
    """The tasks that name the doc, the newest first."""
    rows = await db.fetch(TASKS, workspace_id, doc_id)
    return [NamedIn(row["id"], row["key"], row["title"], Status(row["status"])) for row in rows]
