"""Attempts: what each claim of a task came to, newest first."""

from typing import Annotated
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.errors import NotFound
from locus.server.tasks.comments import EXISTS
from locus.wire.work import Attempt, Evidence, FailReason, Numbers, OutcomeKind, ReleaseReason

LIST = """
    SELECT task_id, fence, agent_id, agent_name, claimed_at, ended_at, outcome, reason, commit_sha, branch, evidence,
           numbers, summary
      FROM attempts
     WHERE workspace_id = $1 AND task_id = $2 AND ($3::integer IS NULL OR fence < $3)
     ORDER BY fence DESC LIMIT $4
"""


class Below(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the fence of its last attempt."""

    fence: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]


EVIDENCE = msgspec.json.Decoder(list[Evidence])
NUMBERS = msgspec.json.Decoder(Numbers)


async def listed(db: Db, workspace_id: UUID, task_id: UUID, *, below: int | None, limit: int) -> list[Attempt]:
    """At most `limit` ended attempts, newest first, with a fence below that one.

    Raises:
        NotFound: there is no such task here.
    """
    rows = await db.fetch(LIST, workspace_id, task_id, below, limit)
    if not rows and not await db.fetchval(EXISTS, workspace_id, task_id):
        raise NotFound
    return [read(row) for row in rows]


def read(row: Record) -> Attempt:
    """The attempt of a row."""
    outcome, said = OutcomeKind(row["outcome"]), row["reason"]
    released = outcome is OutcomeKind.RELEASED
    return Attempt(
        task_id=row["task_id"],
        fence=row["fence"],
        agent_id=row["agent_id"],
        agent_name=row["agent_name"],
        claimed_at=row["claimed_at"],
        ended_at=row["ended_at"],
        outcome=outcome,
        fail_reason=FailReason(said) if said and not released else None,
        release_reason=ReleaseReason(said) if said and released else None,
        commit=row["commit_sha"],
        branch=row["branch"],
        evidence=EVIDENCE.decode(row["evidence"]),
        numbers=None if row["numbers"] is None else NUMBERS.decode(row["numbers"]),
        summary=row["summary"],
    )
