"""The evidence matrix of a sprint: each task, each check, and what the last attempt that ran it has shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from asyncpg import Record

from locus.server.db.pool import Db
from locus.server.tasks.attempts import EVIDENCE
from locus.server.tasks.rows import CHECKLIST
from locus.wire.reports import CellState, EvidenceCell, EvidenceMatrix, EvidenceRow
from locus.wire.tasks import Status
from locus.wire.work import Evidence

MOST = 500  # tasks of a sprint that the matrix shows

# Evidence is of one commit: only the last attempt that has any counts, never a mixture of several.
LIST = """
    SELECT t.id, w.prefix || '-' || t.number AS key, t.title, t.status, t.commit_sha, t.checklist, w.required_checks,
           (SELECT a.evidence FROM attempts a
             WHERE a.workspace_id = t.workspace_id AND a.task_id = t.id AND a.evidence <> '[]'
             ORDER BY a.fence DESC LIMIT 1) AS evidence
      FROM tasks t JOIN workspaces w ON w.id = t.workspace_id
     WHERE t.workspace_id = $1 AND t.sprint_id = $2
     ORDER BY t.priority, t.position, t.id LIMIT $3
"""


@dataclass(frozen=True)
class Shown:
    """What one task asks for and what it has."""

    row: Record
    wanted: frozenset[str]
    evidence: dict[str, Evidence]


async def of_sprint(db: Db, workspace_id: UUID, sprint_id: UUID) -> EvidenceMatrix:
    """The matrix of a sprint's tasks, in the order of dispatch."""
    shown = [_shown(row) for row in await db.fetch(LIST, workspace_id, sprint_id, MOST)]
    checks = sorted({name for one in shown for name in (*one.wanted, *one.evidence)})
    return EvidenceMatrix(checks=checks, rows=[_row(one, checks) for one in shown])


def _shown(row: Record) -> Shown:
    items = CHECKLIST.decode(row["checklist"])
    wanted = frozenset(item.check for item in items if item.check is not None) | frozenset(row["required_checks"])
    found = EVIDENCE.decode(row["evidence"] or msgspec.Raw(b"[]"))
    return Shown(row, wanted, {one.check: one for one in found})


def _row(one: Shown, checks: Sequence[str]) -> EvidenceRow:
    return EvidenceRow(
        task_id=one.row["id"],
        key=one.row["key"],
        title=one.row["title"],
        status=Status(one.row["status"]),
        commit=one.row["commit_sha"],
        cells=[cell(one.evidence.get(name), asked=name in one.wanted) for name in checks],
    )


def cell(evidence: Evidence | None, *, asked: bool) -> EvidenceCell:
    """What the matrix says of one check."""
    if evidence is None:
        return EvidenceCell(state=CellState.MISSING if asked else CellState.NOT_ASKED)
    return EvidenceCell(
        state=CellState.PASSED if evidence.passed else CellState.FAILED,
        tests=evidence.tests,
        duration_ms=evidence.duration_ms,
        red_first=evidence.red_first,
    )
