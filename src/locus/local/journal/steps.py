"""The journal: one SQLite file, a row for each attempt, written to the disk before the step that it announces is taken.

A row leaves when its attempt has ended for everybody: the server knows how, or does not want to know any more. The
report to the server lies in the same row, so that it cannot be lost between the work and the answer.
"""

import sqlite3
import time
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from msgspec import Struct
from msgspec.structs import fields

from locus.local.journal.claims import FORGET, Claims, HeldChange, packed, unpacked
from locus.local.journal.database import Database, lives


class Step(StrEnum):
    """How far an attempt has certainly come."""

    CLAIMED = "claimed"
    PREPARED = "prepared"  # the tree is clean at `base`; from here on there may be work in it
    COMMITTED = "committed"  # `made` exists, and `report` says what it proves; it may be on the remote
    OVER = "over"  # it has ended here, and `report` says how


class ReportKind(StrEnum):
    COMPLETE = "complete"
    FAIL = "fail"
    RELEASE = "release"


class Report(Struct, frozen=True):
    """What the server is to be told, as it will be sent."""

    kind: ReportKind
    body: bytes


class Entry(Struct, frozen=True, kw_only=True):
    """One attempt as the journal knows it.

    `slot` is None for a run in the user's own checkout, `held` the change that a person lets through with it;
    `at_agent` is true while its agent runs.
    """

    marker: str
    workspace_id: UUID
    task_id: UUID
    key: str
    fence: int
    root: Path
    slot: str | None
    branch: str
    step: Step = Step.CLAIMED
    base: str | None = None
    made: str | None = None
    report: Report | None = None
    held: HeldChange | None = None
    at_agent: bool = False
    pid: int = 0
    pid_started: float = 0.0

    @property
    def worker_lives(self) -> bool:
        """Whether the worker that wrote this still runs."""
        return lives(self.pid, self.pid_started)


class Journal:
    """The journal of all workers of one user on one machine. Every method has reached the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self.claims = Claims(self._database)

    def begin(self, entry: Entry, *, claim: str | None = None) -> None:
        """Write down what the claim with the key `claim` got, before anything is done about it."""
        self._database.write(
            (
                "INSERT INTO attempts (marker, workspace_id, task_id, key, fence, root, slot, branch, held, pid,"
                " pid_started, step, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                entry.marker,
                str(entry.workspace_id),
                str(entry.task_id),
                entry.key,
                entry.fence,
                str(entry.root),
                entry.slot,
                entry.branch,
                packed(entry.held),
                self._database.pid,
                self._database.pid_started,
                entry.step.value,
                time.time(),
            ),
            (FORGET, claim),
        )

    def prepared(self, marker: str, *, base: str) -> None:
        """The tree is clean at `base`, and the agent may begin."""
        self._write("UPDATE attempts SET step = ?, base = ? WHERE marker = ?", Step.PREPARED.value, base, marker)

    def at_agent(self, marker: str, runs: bool) -> None:
        """The agent is about to run, or neither it nor anything it left runs any more."""
        self._write("UPDATE attempts SET at_agent = ? WHERE marker = ?", int(runs), marker)

    def committed(self, marker: str, *, base: str, made: str, report: Report) -> None:
        """The commit `made` is about to be pushed; `report` is what to tell the server once it is there."""
        self._write(
            "UPDATE attempts SET step = ?, base = ?, made = ?, report_kind = ?, report = ? WHERE marker = ?",
            Step.COMMITTED.value,
            base,
            made,
            report.kind.value,
            report.body,
            marker,
        )

    def over(self, marker: str, report: Report) -> None:
        """The attempt has ended here; the server is yet to be told."""
        self._write(
            "UPDATE attempts SET step = ?, report_kind = ?, report = ? WHERE marker = ?",
            Step.OVER.value,
            report.kind.value,
            report.body,
            marker,
        )

    def end(self, marker: str) -> None:
        """Nothing is left to do about this attempt."""
        self._write("DELETE FROM attempts WHERE marker = ?", marker)

    def killed(self, task_id: UUID) -> int:
        """A worker was killed beside the agent that did this task; returns how often that was since it last ended."""
        self._write(
            "INSERT INTO kills (task_id, count) VALUES (?, 1) ON CONFLICT (task_id) DO UPDATE SET count = count + 1",
            str(task_id),
        )
        (row,) = self._database.rows("SELECT count FROM kills WHERE task_id = ?", str(task_id))
        return int(row["count"])

    def ended(self, task_id: UUID) -> None:
        """An attempt at this task has come to an end of its own, so earlier kills count no more."""
        self._write("DELETE FROM kills WHERE task_id = ?", str(task_id))

    def left_behind(self) -> list[Entry]:
        """The attempts whose worker is gone, oldest first."""
        rows = self._database.rows("SELECT * FROM attempts ORDER BY updated")
        return [entry for entry in map(_entry, rows) if not entry.worker_lives]

    def _write(self, statement: str, *values: object) -> None:
        self._database.write((statement, *values))


def _entry(row: sqlite3.Row) -> Entry:
    named = {field.name for field in fields(Entry)} & set(row.keys())
    values = {name: row[name] for name in named - {"report", "held"}}
    report = Report(ReportKind(row["report_kind"]), row["report"]) if row["report"] is not None else None
    return Entry(
        **{
            **values,
            "workspace_id": UUID(row["workspace_id"]),
            "task_id": UUID(row["task_id"]),
            "root": Path(row["root"]),
            "step": Step(row["step"]),
            "report": report,
            "held": unpacked(row["held"]),
            "at_agent": bool(row["at_agent"]),
        }
    )
