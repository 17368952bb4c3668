"""Claims that were asked for: written down before the request, so that the same one can be repeated after a crash."""

import time
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from locus.local.journal.database import Database, lives

FORGET = "DELETE FROM claims WHERE key = ?"


class HeldChange(Struct, frozen=True):
    """A change that a person lets through: the task, the fence of the attempt that made it, and where it is kept."""

    task_id: UUID
    task: str
    fence: int
    ref: str
    commit: str
    git_dir: str


class OpenClaim(Struct, frozen=True, kw_only=True):
    """A claim whose answer nobody may have read. `held` is the change it was for, `key` its Idempotency-Key."""

    key: str
    workspace_id: UUID
    root: Path
    agent_id: UUID
    sprint_id: UUID | None = None
    held: HeldChange | None = None


class Claims:
    """The claims of all workers of one user on one machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, claim: OpenClaim) -> None:
        """Write down a claim that is about to be asked for."""
        self._database.write(
            (
                "INSERT INTO claims (key, workspace_id, root, agent_id, sprint_id, held, pid, pid_started, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                claim.key,
                str(claim.workspace_id),
                str(claim.root),
                str(claim.agent_id),
                None if claim.sprint_id is None else str(claim.sprint_id),
                packed(claim.held),
                self._database.pid,
                self._database.pid_started,
                time.time(),
            )
        )

    def end(self, key: str) -> None:
        """The claim got nothing, or what it got was given back."""
        self._database.write((FORGET, key))

    def left_behind(self) -> list[OpenClaim]:
        """The claims whose worker is gone, oldest first."""
        rows = self._database.rows("SELECT * FROM claims ORDER BY updated")
        return [
            OpenClaim(
                key=row["key"],
                workspace_id=UUID(row["workspace_id"]),
                root=Path(row["root"]),
                agent_id=UUID(row["agent_id"]),
                sprint_id=None if row["sprint_id"] is None else UUID(row["sprint_id"]),
                held=unpacked(row["held"]),
            )
            for row in rows
            if not lives(row["pid"], row["pid_started"])
        ]


def packed(held: HeldChange | None) -> bytes | None:
    """A held change as it lies in the file."""
    return None if held is None else msgspec.json.encode(held)


def unpacked(held: bytes | None) -> HeldChange | None:
    """The held change of a row."""
    return None if held is None else msgspec.json.decode(held, type=HeldChange)
