"""Histories with known times: what the tests of reports stand on. Written as the product writes them, only earlier."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from locus.server.db.pool import Pool

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def hour(number: float) -> datetime:
    """So many hours after the first sprint began."""
    return BEGAN + timedelta(hours=number)


@dataclass
class History:
    """A workspace whose past is written here, event by event, in hours since `BEGAN`."""

    pool: Pool
    workspace_id: UUID
    tasks: int = 0
    sprints: int = 0
    where: dict[UUID, UUID | None] = field(default_factory=dict)

    @classmethod
    async def begin(cls, pool: Pool) -> "History":
        organization = await pool.fetchval("INSERT INTO organizations (name) VALUES ('Test') RETURNING id")
        workspace = await pool.fetchval(
            "INSERT INTO workspaces (organization_id, name, prefix) VALUES ($1, 'Web', 'WEB') RETURNING id",
            organization,
        )
        return cls(pool, workspace)

    async def sprint(self, *, began: float | None = None, ended: float | None = None, name: str = "Sign-in") -> UUID:
        """A sprint that is planned, active from `began` on, or completed."""
        self.sprints += 1
        status = "PLANNED" if began is None else "ACTIVE" if ended is None else "COMPLETED"
        made: UUID = await self.pool.fetchval(
            "INSERT INTO sprints (workspace_id, number, name, status, started_at, completed_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            self.workspace_id,
            self.sprints,
            name,
            status,
            None if began is None else hour(began),
            None if ended is None else hour(ended),
        )
        return made

    async def task(self, sprint: UUID | None, *, at: float, title: str = "Task", **columns: Any) -> UUID:
        """A task that was made then, in the backlog of that sprint."""
        self.tasks += 1
        made: UUID = await self.pool.fetchval(
            "INSERT INTO tasks (workspace_id, number, sprint_id, title, position, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $2::int, $5, $5) RETURNING id",
            self.workspace_id,
            self.tasks,
            sprint,
            title,
            hour(at),
        )
        self.where[made] = sprint
        for name, value in columns.items():
            await self.pool.execute(f"UPDATE tasks SET {name} = $2 WHERE id = $1", made, value)
        await self.event("task.created", made, at=at, status="BACKLOG")
        return made

    async def becomes(self, task: UUID, status: str, *, at: float, kind: str = "task.status") -> None:
        """The task has another status from then on."""
        reason = "manual" if status == "BLOCKED" else None
        await self.pool.execute(
            "UPDATE tasks SET status = $2, blocked_reason = $3, updated_at = $4 WHERE id = $1",
            task,
            status,
            reason,
            hour(at),
        )
        await self.event(kind, task, at=at, status=status)

    async def moves(self, task: UUID, sprint: UUID | None, *, at: float) -> None:
        """The task is in another sprint from then on."""
        self.where[task] = sprint
        await self.pool.execute("UPDATE tasks SET sprint_id = $2 WHERE id = $1", task, sprint)
        status = await self.pool.fetchval("SELECT status FROM tasks WHERE id = $1", task)
        await self.event("task.moved", task, at=at, status=status)

    async def deleted(self, task: UUID, *, at: float) -> None:
        await self.event("task.deleted", task, at=at, status="BACKLOG")
        await self.pool.execute("DELETE FROM tasks WHERE id = $1", task)

    async def attempt(self, task: UUID, *, at: float, ended: float, fence: int = 1, **fields: Any) -> None:
        """An attempt that has ended; `usd`, `tokens` (None: nobody counted) and `evidence` say what it left."""
        numbers = {"provider": "claude", "input_tokens": fields.get("tokens", 0), "output_tokens": 10}
        if fields.get("usd") is not None:
            numbers["usd_micros"] = round(fields["usd"] * 1_000_000)
        await self.pool.execute(
            "INSERT INTO attempts (workspace_id, task_id, fence, agent_name, claimed_at, ended_at, outcome, evidence,"
            " numbers) VALUES ($1, $2, $3, 'builder', $4, $5, $6, $7, $8)",
            self.workspace_id,
            task,
            fence,
            hour(at),
            hour(ended),
            fields.get("outcome", "completed"),
            fields.get("evidence", []),
            numbers if fields.get("counted", True) else None,
        )

    async def event(self, kind: str, task: UUID | None, *, at: float, **detail: Any) -> None:
        await self.pool.execute(
            "INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail,"
            " created_at) VALUES ($1, $2, $3, $4, 'person', $5, 'Ada', $6, $7)",
            self.workspace_id,
            kind,
            task,
            self.where.get(task) if task else None,
            uuid4(),
            detail,
            hour(at),
        )
