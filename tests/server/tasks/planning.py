"""What the tests of tasks and sprints share: requests as a person makes them; an agent's part straight from SQL."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import msgspec
from tests.support.server import RunningServer

from locus.server.db.pool import Db
from locus.wire.base import Page
from locus.wire.events import Event, EventDetail
from locus.wire.problems import Problem
from locus.wire.sprints import Sprint
from locus.wire.tasks import Comment, Task

T = TypeVar("T")

SHA = "a" * 40
BRANCH = "locus/sprint-1"


def told(response: httpx.Response, kind: type[T], status: int = 200) -> T:
    """The body of an answer that must have this status."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    return msgspec.json.decode(response.content, type=kind)


def refused(response: httpx.Response, status: int, code: str | None = None, field: str | None = None) -> Problem:
    """The problem in an answer that must be this refusal."""
    problem = told(response, Problem, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert problem.status == status
    if code is not None:
        assert problem.code == code, problem
    if field is not None:
        assert [error.field for error in problem.errors] == [field], problem
    return problem


@dataclass(frozen=True)
class Planner:
    """A person with a key: each method is one request that must succeed."""

    server: RunningServer
    api: httpx.AsyncClient

    def path(self, rest: str = "") -> str:
        return self.server.path(rest)

    async def task(self, title: str = "Refuse bad e-mail addresses", **fields: Any) -> Task:
        body = msgspec.json.encode({"title": title, **fields})
        return told(await self.post("/tasks", body), Task, 201)

    async def tasks(self, count: int, **fields: Any) -> list[Task]:
        return [await self.task(f"Task {number}", **fields) for number in range(count)]

    async def read(self, task: Task) -> Task:
        return told(await self.api.get(self.path(f"/tasks/{task.id}")), Task)

    async def edit(self, task: Task, if_match: str = "*", **fields: Any) -> httpx.Response:
        return await self.api.patch(
            self.path(f"/tasks/{task.id}"),
            content=msgspec.json.encode(fields),
            headers={"If-Match": if_match, "Content-Type": "application/json"},
        )

    async def status(self, task: Task, status: str, **fields: Any) -> httpx.Response:
        return await self.post(f"/tasks/{task.id}/status", msgspec.json.encode({"status": status, **fields}))

    async def move(self, tasks: list[Task], **fields: Any) -> httpx.Response:
        body = {"task_ids": [task.id for task in tasks], **fields}
        return await self.post("/tasks/move", msgspec.json.encode(body))

    async def sprint(self, name: str = "Sign-in", *, start: bool = False, **fields: Any) -> Sprint:
        made = told(await self.post("/sprints", msgspec.json.encode({"name": name, **fields})), Sprint, 201)
        if start:
            return told(await self.api.post(self.path(f"/sprints/{made.id}/start")), Sprint)
        return made

    async def complete(self, sprint: Sprint, **fields: Any) -> httpx.Response:
        return await self.post(f"/sprints/{sprint.id}/complete", msgspec.json.encode(fields))

    async def page(self, **query: Any) -> Page[Task]:
        return told(await self.api.get(self.path("/tasks"), params=query), Page[Task])

    async def keys(self, **query: Any) -> list[str]:
        """The keys of a list that fits on one page."""
        return [task.key for task in (await self.page(limit=200, **query)).items]

    async def comments(self, task: Task) -> list[Comment]:
        return told(await self.api.get(self.path(f"/tasks/{task.id}/comments")), Page[Comment]).items

    async def post(self, rest: str, body: bytes, **headers: str) -> httpx.Response:
        return await self.api.post(
            self.path(rest), content=body, headers={"Content-Type": "application/json", **headers}
        )

    async def events(self, task: Task | None = None) -> list[Event]:
        """What was recorded, oldest first; of one task, or of the workspace."""
        rows = await self.server.pool.fetch(
            "SELECT id, workspace_id, kind, task_id, sprint_id, actor_kind, actor_name, detail, created_at FROM events"
            " WHERE workspace_id = $1 AND ($2::uuid IS NULL OR task_id = $2) ORDER BY id",
            self.server.workspace.id,
            task.id if task else None,
        )
        return [
            msgspec.convert(
                {**dict(row), "seq": row["id"], "detail": msgspec.json.decode(row["detail"], type=EventDetail)},
                Event,
                from_attributes=True,
            )
            for row in rows
        ]


async def held(db: Db, task: Task) -> UUID:
    """Let an agent hold the task, as a claim leaves it; returns the agent's id."""
    agent_id: UUID = await db.fetchval(
        "INSERT INTO agents (workspace_id, key_id, name, host_class, os_family, provider, locus_version)"
        " VALUES ($1, $2, 'Ada', 'laptop', 'linux', 'claude', '0.1.0') RETURNING id",
        task.workspace_id,
        uuid4(),
    )
    await db.execute(
        "UPDATE tasks SET status = 'IN_PROGRESS', attempts = attempts + 1, fence = fence + 1, phase = 'agent',"
        " lease_agent_id = $3, lease_expires_at = clock_timestamp() + interval '3 minutes', version = version + 1"
        " WHERE workspace_id = $1 AND id = $2",
        task.workspace_id,
        task.id,
        agent_id,
    )
    return agent_id


async def handed_in(db: Db, task: Task, *, green: tuple[str, ...] = (), red: tuple[str, ...] = ()) -> None:
    """Let the task be in review with a commit, as a completion with this evidence leaves it."""
    evidence = [
        {
            "check": check,
            "passed": check in green,
            "exit_code": 0 if check in green else 1,
            "duration_ms": 5,
            "output_sha256": "0" * 64,
            "commit": SHA,
        }
        for check in (*green, *red)
    ]
    await db.execute(
        "UPDATE tasks SET status = 'IN_REVIEW', attempts = 1, fence = fence + 1, commit_sha = $3, branch = $4,"
        " lease_agent_id = NULL, lease_expires_at = NULL, phase = NULL WHERE workspace_id = $1 AND id = $2",
        task.workspace_id,
        task.id,
        SHA,
        BRANCH,
    )
    await db.execute(
        "INSERT INTO attempts (workspace_id, task_id, fence, agent_name, claimed_at, outcome, commit_sha, branch,"
        " evidence) SELECT workspace_id, id, fence, 'Ada', clock_timestamp(), 'completed', $3, $4, $5 FROM tasks"
        " WHERE workspace_id = $1 AND id = $2",
        task.workspace_id,
        task.id,
        SHA,
        BRANCH,
        evidence,
    )


async def until_somebody_waits(db: Db) -> None:
    """Return as soon as a session of this database waits for a lock; fail after five seconds."""
    async with asyncio.timeout(5):
        while not await db.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
