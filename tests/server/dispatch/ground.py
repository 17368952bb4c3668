"""A workspace with a sprint and workers, straight in the database: what the tests of dispatch stand on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import msgspec

from locus.server.db.pool import Pool
from locus.server.dispatch import claims
from locus.server.dispatch.claims import Ask, Granted, Reply
from locus.server.dispatch.leases import Holder
from locus.server.events.log import Log
from locus.server.settings import Timing
from locus.server.tasks import store
from locus.wire.agents import ProviderName
from locus.wire.tasks import Task
from locus.wire.work import Completion, Evidence, FailReason, Failure, Numbers, Release, ReleaseReason

SHA = "a" * 40
NUMBERS = Numbers(provider=ProviderName.COMMAND)
TIMING = Timing()


@dataclass(frozen=True)
class Worker:
    """An agent and the key that registered it."""

    agent_id: UUID
    key_id: UUID

    def ask(self, key: str | None = None) -> Ask:
        return Ask(self.agent_id, self.key_id, None if key is None else f"{self.key_id}:{key}")


@dataclass
class Ground:
    """One workspace with one active sprint. Tasks and agents are made as tests need them."""

    pool: Pool
    workspace_id: UUID
    sprint_id: UUID
    made: int = 0
    log: Log = field(init=False)

    def __post_init__(self) -> None:
        self.log = Log(self.pool)

    async def sprint(self, status: str = "PLANNED", number: int = 2) -> UUID:
        return await self.pool.fetchval(
            "INSERT INTO sprints (workspace_id, number, name, status) VALUES ($1, $2, 'Sprint', $3) RETURNING id",
            self.workspace_id,
            number,
            status,
        )

    async def worker(self, key_id: UUID | None = None, *, workspace_id: UUID | None = None) -> Worker:
        key_id = key_id or uuid4()
        agent_id = await self.pool.fetchval(
            """
            INSERT INTO agents (workspace_id, key_id, name, host_class, os_family, provider, locus_version)
            VALUES ($1, $2, 'builder', 'ci', 'linux', 'command', '1') RETURNING id
            """,
            workspace_id or self.workspace_id,
            key_id,
        )
        return Worker(agent_id, key_id)

    async def task(
        self,
        *,
        sprint_id: UUID | None = None,
        priority: str = "MEDIUM",
        position: float | None = None,
        status: str = "BACKLOG",
        assignee: str | None = None,
        after: Sequence[UUID] = (),
        checks: Sequence[str] = (),
        attempts: int = 0,
    ) -> UUID:
        """A task at the end of the sprint, waiting for the tasks `after`, with an item for each of `checks`."""
        self.made += 1
        items = [{"id": name, "text": name, "done": False, "check": name} for name in checks]
        task_id = await self.pool.fetchval(
            """
            INSERT INTO tasks (workspace_id, number, sprint_id, title, priority, position, status, assignee, checklist,
                               attempts, blocked_reason)
            VALUES ($1, $2, $3, 'Task', $4::text::priority, $5, $6, $7, $8, $9,
                    CASE $6 WHEN 'BLOCKED' THEN 'manual' END) RETURNING id
            """,
            self.workspace_id,
            self.made,
            sprint_id or self.sprint_id,
            priority,
            float(self.made) if position is None else position,
            status,
            assignee,
            items,
            attempts,
        )
        for needed in after:
            await self.pool.execute(
                "INSERT INTO task_dependencies VALUES ($1, $2, $3)", self.workspace_id, task_id, needed
            )
        return task_id

    async def claim(self, worker: Worker, key: str | None = None, sprint_id: UUID | None = None) -> Reply:
        [reply] = await self.claim_all([worker.ask(key)], sprint_id)
        return reply

    async def claim_all(self, asks: Sequence[Ask], sprint_id: UUID | None = None) -> list[Reply]:
        return await claims.claim(self.pool, self.workspace_id, sprint_id, asks, timing=TIMING)

    async def granted(self, worker: Worker, key: str | None = None) -> Granted:
        """A claim that must get something."""
        reply = await self.claim(worker, key)
        assert isinstance(reply, Granted), reply
        return reply

    def holder(self, granted: Granted, worker: Worker, *, fence: int | None = None) -> Holder:
        return Holder(self.workspace_id, granted.lease.task_id, fence or granted.lease.fence, worker.key_id)

    async def run_out(self, task_id: UUID) -> None:
        """Let so much time pass that the task's lease has ended."""
        await self.pool.execute(
            """
            UPDATE tasks SET lease_expires_at = clock_timestamp() - interval '1 millisecond'
             WHERE workspace_id = $1 AND id = $2 AND lease_expires_at IS NOT NULL
            """,
            self.workspace_id,
            task_id,
        )

    async def read(self, task_id: UUID) -> Task:
        return await store.get(self.pool, self.workspace_id, task_id)

    async def everything(self) -> list[Any]:
        """All that dispatch may write, to show that a refusal has written nothing. Events are numbered by others."""
        rows = await self.pool.fetch(
            " UNION ALL ".join(
                f"SELECT '{table}' AS name, (to_jsonb(x) - 'seq' - 'hash')::text AS row FROM {table} x"
                " WHERE workspace_id = $1"
                for table in ("tasks", "attempts", "events", "agents")
            )
            + " ORDER BY name, row",
            self.workspace_id,
        )
        return [row["row"] for row in rows]

    async def kinds(self, task_id: UUID) -> list[str]:
        """The kinds of the task's events, in order."""
        found = await self.pool.fetch(
            "SELECT kind FROM events WHERE workspace_id = $1 AND task_id = $2 ORDER BY id", self.workspace_id, task_id
        )
        return [row["kind"] for row in found]


async def ground(pool: Pool) -> Ground:
    """New ground, with nothing on it."""
    organization = await pool.fetchval("INSERT INTO organizations (name) VALUES ('Test') RETURNING id")
    workspace_id = await pool.fetchval(
        "INSERT INTO workspaces (organization_id, name, prefix) VALUES ($1, 'Web', 'WEB') RETURNING id", organization
    )
    made = Ground(pool, workspace_id, UUID(int=0))
    made.sprint_id = await made.sprint("ACTIVE", 1)
    return made


def evidence(check: str = "tests", *, passed: bool = True, commit: str = SHA, tests: int | None = None) -> Evidence:
    return Evidence(
        check=check,
        passed=passed,
        exit_code=0 if passed else 1,
        duration_ms=10,
        output_sha256="0" * 64,
        commit=commit,
        tests=tests,
    )


def completion(fence: int, *checks: str, commit: str = SHA, **fields: Any) -> Completion:
    """A report that these checks are green."""
    made = Completion(
        fence=fence,
        commit=commit,
        branch="locus/sprint-1",
        evidence=[evidence(check, commit=commit) for check in checks],
        numbers=NUMBERS,
    )
    return msgspec.structs.replace(made, **fields)


def failure(fence: int, reason: FailReason = FailReason.AGENT_FAILED, *red: str) -> Failure:
    return Failure(
        fence=fence, reason=reason, numbers=NUMBERS, evidence=[evidence(check, passed=False) for check in red]
    )


def giving_back(fence: int) -> Release:
    return Release(fence=fence, reason=ReleaseReason.INTERRUPTED, numbers=NUMBERS)
