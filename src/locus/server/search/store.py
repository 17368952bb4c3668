"""What a search finds, in one statement: an exact key first, then what begins with the words, then what has them."""

from uuid import UUID

from locus.server.db.pool import Db
from locus.wire.reports import Found, FoundKind

AROUND = 60  # characters that an excerpt shows before and after the words

# position() and not LIKE: what people type has no wildcards. $2 are the words in small letters.
FIND = f"""
    WITH found AS (
        (SELECT 'task' AS kind, t.id, t.title, w.prefix || '-' || t.number AS key, NULL::int AS number, t.status,
                t.description AS body,
                CASE WHEN lower(w.prefix || '-' || t.number) = $2 OR t.number::text = $2 THEN 0
                     WHEN starts_with(lower(t.title), $2) THEN 1
                     WHEN position($2 IN lower(t.title)) > 0 THEN 2
                     WHEN starts_with(lower(w.prefix || '-' || t.number), $2) THEN 3 ELSE 4 END AS rank,
                t.updated_at AS at
           FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
          WHERE t.workspace_id = $1
            AND (position($2 IN lower(t.title)) > 0 OR position($2 IN lower(w.prefix || '-' || t.number)) > 0
                 OR t.number::text = $2 OR position($2 IN lower(t.description)) > 0)
          ORDER BY rank, at DESC LIMIT $3)
         UNION ALL
        (SELECT 'doc', d.id, d.title, NULL, NULL, NULL, d.text,
                CASE WHEN starts_with(lower(d.title), $2) THEN 1 WHEN position($2 IN lower(d.title)) > 0 THEN 2
                     ELSE 4 END AS rank, d.updated_at AS at
           FROM docs d
          WHERE d.workspace_id = $1 AND (position($2 IN lower(d.title)) > 0 OR position($2 IN lower(d.text)) > 0)
          ORDER BY rank, at DESC LIMIT $3)
         UNION ALL
        (SELECT 'sprint', s.id, s.name, NULL, s.number, s.status, s.goal,
                CASE WHEN s.number::text = $2 THEN 1 WHEN starts_with(lower(s.name), $2) THEN 1
                     WHEN position($2 IN lower(s.name)) > 0 THEN 2 ELSE 4 END AS rank, s.updated_at AS at
           FROM sprints s
          WHERE s.workspace_id = $1
            AND (position($2 IN lower(s.name)) > 0 OR s.number::text = $2 OR position($2 IN lower(s.goal)) > 0)
          ORDER BY rank, at DESC LIMIT $3)
    )
    SELECT kind, id, title, key, number, status,
           CASE WHEN rank < 4 THEN '' ELSE
                substr(body, greatest(1, position($2 IN lower(body)) - {AROUND}), length($2) + 2 * {AROUND}) END
             AS excerpt
      FROM found ORDER BY rank, at DESC LIMIT $3
"""


async def find(db: Db, workspace_id: UUID, words: str, *, limit: int = 20) -> list[Found]:
    """At most `limit` tasks, docs and sprints that have the words, the best matches first; none for no words."""
    wanted = " ".join(words.lower().split())
    if not wanted:
        return []
    return [
        Found(
            kind=FoundKind(row["kind"]),
            id=row["id"],
            title=row["title"],
            key=row["key"],
            number=row["number"],
            status=row["status"],
            excerpt=" ".join(row["excerpt"].split()),
        )
        for row in await db.fetch(FIND, workspace_id, wanted, limit)
    ]
