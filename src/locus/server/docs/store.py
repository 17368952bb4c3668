"""Docs in the database. Every change leaves a version behind."""

from datetime import datetime
from uuid import UUID

from asyncpg import Record

from locus.server.db.pool import Db
from locus.wire.docs import Doc, DocDraft, DocGroup, DocKind, DocRef

VERSIONS = 100  # of a doc that are kept, the newest

COLUMNS = "id, workspace_id, title, kind, group_name, text, version, created_at, updated_at"
# strpos and not LIKE: what a person types has no wildcards.
LIST = """
    SELECT id, title, kind, group_name, version, updated_at, created_at FROM docs
     WHERE workspace_id = $1
       AND ($2::text IS NULL OR kind = $2)
       AND ($3::text IS NULL OR strpos(lower(title), lower($3)) > 0 OR strpos(lower(text), lower($3)) > 0)
       AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5::uuid))
       AND ($7::text IS NULL OR group_name = $7)
     ORDER BY created_at DESC, id DESC LIMIT $6
"""
# For a statement in which `changed` are the rows after a change, $1 is the workspace and {author} who made it.
KEPT = f"""
    kept AS (
        INSERT INTO doc_versions (workspace_id, doc_id, version, title, kind, text, author_name, created_at)
        SELECT workspace_id, id, version, title, kind, text, {{author}}, updated_at FROM changed
    ), forgotten AS (
        DELETE FROM doc_versions v USING changed c
         WHERE v.workspace_id = c.workspace_id AND v.doc_id = c.id AND v.version <= c.version - {VERSIONS}
    )
"""
CREATE = f"""
    WITH changed AS (
        INSERT INTO docs (workspace_id, title, kind, group_name, text) VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}
    ), {KEPT.format(author="$6")}
    SELECT * FROM changed
"""
GET = f"SELECT {COLUMNS} FROM docs WHERE workspace_id = $1 AND id = $2"
EDIT = f"""
    WITH changed AS (
        UPDATE docs SET title = coalesce($4, title), kind = coalesce($5, kind), text = coalesce($6, text),
               group_name = coalesce($7, group_name), version = version + 1, updated_at = clock_timestamp()
         WHERE workspace_id = $1 AND id = $2 AND ($3::integer IS NULL OR version = $3)
        RETURNING {COLUMNS}
    ), {KEPT.format(author="$8")}
    SELECT * FROM changed
"""
DELETE = """
    DELETE FROM docs WHERE workspace_id = $1 AND id = $2 AND ($3::integer IS NULL OR version = $3) RETURNING title
"""
GROUPS = """
    SELECT group_name, count(*) AS docs FROM docs WHERE workspace_id = $1
     GROUP BY group_name ORDER BY group_name = '', lower(group_name), group_name
"""
IN_GROUP = "SELECT id FROM docs WHERE workspace_id = $1 AND group_name = $2 ORDER BY id FOR NO KEY UPDATE"


def doc_of(row: Record) -> Doc:
    return Doc(
        id=row["id"],
        workspace_id=row["workspace_id"],
        title=row["title"],
        kind=DocKind(row["kind"]),
        group=row["group_name"],
        text=row["text"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


async def page(
    db: Db,
    workspace_id: UUID,
    *,
    kind: DocKind | None = None,
    text: str | None = None,
    group: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[tuple[DocRef, datetime]]:
    """Docs without their text and when each was made, the newest first; `text` is looked for in title and text."""
    rows = await db.fetch(LIST, workspace_id, kind and kind.value, text, *(after or (None, None)), limit, group)
    return [
        (
            DocRef(
                id=row["id"],
                title=row["title"],
                kind=DocKind(row["kind"]),
                group=row["group_name"],
                version=row["version"],
                updated_at=row["updated_at"],
            ),
            row["created_at"],
        )
        for row in rows
    ]


async def groups(db: Db, workspace_id: UUID) -> list[DocGroup]:
    """The groups by name, the docs that are in none last."""
    return [DocGroup(name=row["group_name"], docs=row["docs"]) for row in await db.fetch(GROUPS, workspace_id)]


async def lock_group(db: Db, workspace_id: UUID, group: str) -> list[UUID]:
    """The docs of a group, locked."""
    return [row["id"] for row in await db.fetch(IN_GROUP, workspace_id, group)]


async def create(db: Db, workspace_id: UUID, draft: DocDraft, *, author: str) -> Doc:
    row = await db.fetchrow(CREATE, workspace_id, draft.title, draft.kind.value, draft.group, draft.text, author)
    assert row is not None
    return doc_of(row)


async def get(db: Db, workspace_id: UUID, doc_id: UUID) -> Doc | None:
    row = await db.fetchrow(GET, workspace_id, doc_id)
    return doc_of(row) if row else None


async def edit(
    db: Db,
    workspace_id: UUID,
    doc_id: UUID,
    *,
    version: int | None,
    title: str | None = None,
    kind: DocKind | None = None,
    text: str | None = None,
    group: str | None = None,
    author: str,
) -> Doc | None:
    """Change what is not None; None when there is no such doc of that version (None: any)."""
    row = await db.fetchrow(EDIT, workspace_id, doc_id, version, title, kind and kind.value, text, group, author)
    return doc_of(row) if row else None


async def delete(db: Db, workspace_id: UUID, doc_id: UUID, *, version: int | None) -> str | None:
    """Delete a doc and tell its title; None when there is none of that version."""
    title = await db.fetchval(DELETE, workspace_id, doc_id, version)
    return None if title is None else str(title)
