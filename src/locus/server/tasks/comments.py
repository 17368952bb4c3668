"""Comments: what people say about a task, oldest first. The author is whoever sent it, never a field of the request."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.errors import Invalid, NotFound
from locus.server.events.log import Actor, record
from locus.wire.events import ActorKind, EventDetail, EventKind
from locus.wire.tasks import AuthorKind, Comment, CommentDraft, CommentKind, Task

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class After(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the time of its last comment, in microseconds since 1970, and its id."""

    at: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    id: UUID

    @classmethod
    def the(cls, comment: Comment) -> "After":
        return cls((comment.created_at - EPOCH) // timedelta(microseconds=1), comment.id)


COLUMNS = "c.id, c.task_id, c.author_kind, c.author_name, c.kind, c.text, c.created_at"

INSERT = f"""
    INSERT INTO comments AS c (workspace_id, task_id, author_kind, author_id, author_name, kind, text)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING {COLUMNS}
"""

LIST = f"""
    SELECT {COLUMNS} FROM comments c
     WHERE c.workspace_id = $1 AND c.task_id = $2
       AND ($3::timestamptz IS NULL OR (c.created_at, c.id) > ($3, $4))
     ORDER BY c.created_at, c.id LIMIT $5
"""

EXISTS = "SELECT true FROM tasks WHERE workspace_id = $1 AND id = $2"
# Comments on one task are written one after the other, so that their times are the order of their commits and a
# reader who turns pages misses none.
LOCK = """
    SELECT t.sprint_id FROM tasks t WHERE t.workspace_id = $1 AND t.id = $2 FOR NO KEY UPDATE
"""


async def add(db: Db, workspace_id: UUID, actor: Actor, task_id: UUID, draft: CommentDraft) -> Comment:
    """Add a comment.

    Raises:
        NotFound: there is no such task here.
        Invalid: it says nothing.
    """
    if not draft.text.strip():
        raise Invalid.field("text", "must say something")
    row = await db.fetchrow(LOCK, workspace_id, task_id)
    if row is None:
        raise NotFound
    return await _write(db, workspace_id, actor, task_id, row["sprint_id"], CommentKind.COMMENT, draft.text)


async def write(db: Db, actor: Actor, task: Task, kind: CommentKind, text: str) -> Comment:
    """Write a comment on a locked task, with its event."""
    return await _write(db, task.workspace_id, actor, task.id, task.sprint_id, kind, text)


async def listed(db: Db, workspace_id: UUID, task_id: UUID, *, after: After | None, limit: int) -> list[Comment]:
    """At most `limit` comments, oldest first, after the place where the page before ended.

    Raises:
        NotFound: there is no such task here.
    """
    since = None if after is None else EPOCH + timedelta(microseconds=after.at)
    rows = await db.fetch(LIST, workspace_id, task_id, since, None if after is None else after.id, limit)
    if not rows and not await db.fetchval(EXISTS, workspace_id, task_id):
        raise NotFound
    return [_read(row) for row in rows]


async def _write(
    db: Db, workspace_id: UUID, actor: Actor, task_id: UUID, sprint_id: UUID | None, kind: CommentKind, text: str
) -> Comment:
    author = AuthorKind.WORKER if actor.kind is ActorKind.WORKER else AuthorKind.PERSON
    row = await db.fetchrow(INSERT, workspace_id, task_id, author.value, actor.id, actor.name, kind.value, text)
    assert row is not None
    comment = _read(row)
    detail = EventDetail(comment_id=comment.id, comment_kind=kind)
    await record(db, workspace_id, EventKind.COMMENT_ADDED, actor, task_id=task_id, sprint_id=sprint_id, detail=detail)
    return comment


def _read(row: Record) -> Comment:
    return Comment(
        id=row["id"],
        task_id=row["task_id"],
        author_kind=AuthorKind(row["author_kind"]),
        author_name=row["author_name"],
        kind=CommentKind(row["kind"]),
        text=row["text"],
        created_at=row["created_at"],
    )
