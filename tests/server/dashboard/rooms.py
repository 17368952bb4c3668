"""Workspaces for the tests of pages: one in the middle of a sprint, and one that is still empty."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from tests.server.sprints import histories
from tests.server.sprints.histories import History
from tests.support.server import RunningServer

from locus.wire.workspaces import Workspace


def evidence(check: str, *, passed: bool = True) -> dict[str, object]:
    return {
        "check": check,
        "passed": passed,
        "exit_code": 0 if passed else 1,
        "duration_ms": 1500,
        "output_sha256": "0" * 64,
        "commit": "a" * 40,
        "tests": 41,
        "red_first": True,
    }


def hours_ago(hours: float) -> float:
    """The hour of histories that was so long ago."""
    return (datetime.now(UTC) - timedelta(hours=hours) - histories.BEGAN).total_seconds() / 3600


async def busy(server: RunningServer, prefix: str = "BUSY", *, more: int = 0) -> Workspace:
    """A workspace with a completed, an active and a planned sprint, agents, docs and evidence.

    Args:
        more: tasks, docs and agents beside these.
    """
    made = await empty(server, prefix, name="Busy")
    past = History(server.pool, made.id)
    await server.pool.execute("UPDATE workspaces SET required_checks = '{unit}' WHERE id = $1", made.id)
    before = await past.sprint(began=hours_ago(90), ended=hours_ago(50), name="Before")
    for number in range(6):
        task = await past.task(before, at=hours_ago(95), title=f"Old task {number}")
        await past.attempt(task, at=hours_ago(80 - number), ended=hours_ago(79 - number), usd=0.5, tokens=1000)
        await past.becomes(task, "DONE", at=hours_ago(78 - 3 * number))
    now = await past.sprint(began=hours_ago(40), name="Now")
    for number, status in enumerate(("DONE", "IN_REVIEW", "BLOCKED", "BACKLOG", "BACKLOG")):
        task = await past.task(now, at=hours_ago(45), title=f"Task of now {number}", labels=["auth"])
        if status != "BACKLOG":
            proof = [evidence("unit", passed=status != "BLOCKED")]
            await past.attempt(task, at=hours_ago(30), ended=hours_ago(29), usd=1.0, tokens=5000, evidence=proof)
            await past.becomes(task, status, at=hours_ago(28))
    planned = await past.sprint(name="Next")
    await past.task(planned, at=hours_ago(2), title="Task of the next sprint")
    for number in range(2 + more):
        await past.task(None, at=hours_ago(1), title=f"Unplanned task {number}")
    for number in range(1 + more):
        await plan(server, made.id, f"Plan {number}")
        doc = await server.pool.fetchval(
            "INSERT INTO docs (workspace_id, title, text, group_name) VALUES ($1, $2, '# Why', 'Decisions')"
            " RETURNING id",
            made.id,
            f"Doc {number}",
        )
        await server.pool.execute(
            "INSERT INTO doc_versions SELECT workspace_id, id, version, title, kind, text, 'Ada', updated_at FROM docs"
            " WHERE id = $1",
            doc,
        )
        await agent(server, made.id, f"otter-{number}")
    await server.pool.execute(
        "UPDATE workspaces SET last_task_number = $2, last_sprint_number = $3 WHERE id = $1",
        made.id,
        past.tasks,
        past.sprints,
    )
    return made


async def plan(server: RunningServer, workspace_id: UUID, name: str, **fields: object) -> UUID:
    """A plan that waits for a decision, of three tasks; `fields` of it are others."""
    tasks = [
        {"ref": "model", "title": "Keep an index", "description": "Where: `shop.py`", "role": "BACKEND"},
        {"ref": "api", "title": "Answer searches", "depends_on": ["model"], "complexity": 3, "labels": ["api"]},
        {
            "ref": "page",
            "title": "A page with a field that finds what people look for",
            "depends_on": ["model", "api"],
            "estimate_minutes": 90,
            "priority": "HIGH",
            "checklist": [{"text": "Tests are green", "check": "unit", "red_first": True}],
        },
    ]
    risks = [{"description": "It is slow", "mitigation": "Measure with 10,000 things", "severity": "HIGH"}]
    draft = {"name": name, "goal": "People find **things**.", "tasks": tasks, "risks": risks, **fields}
    async with server.client(await server.key()) as client:
        body = {"id": str(uuid4()), "plan": draft}
        answer = await client.post(f"/api/v1/workspaces/{workspace_id}/plans", json=body)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def agent(server: RunningServer, workspace_id: UUID, name: str, task_id: UUID | None = None) -> UUID:
    """An agent that lives, and holds the task if there is one."""
    made: UUID = await server.pool.fetchval(
        "INSERT INTO agents (workspace_id, key_id, name, host_class, os_family, provider, locus_version, state)"
        " VALUES ($1, $2, $3, 'laptop', 'linux', 'claude', '0.1.0', 'idle') RETURNING id",
        workspace_id,
        uuid4(),
        name,
    )
    if task_id is not None:
        await server.pool.execute(
            "UPDATE tasks SET status = 'IN_PROGRESS', attempts = 1, fence = 1, phase = 'agent', lease_agent_id = $2,"
            " claimed_at = clock_timestamp(), lease_expires_at = clock_timestamp() + interval '3 minutes'"
            " WHERE id = $1",
            task_id,
            made,
        )
    return made


async def empty(server: RunningServer, prefix: str = "EMPTY", *, name: str = "Empty") -> Workspace:
    """A new workspace, made over the wire: whoever is signed in may enter it at once."""
    async with server.client(await server.key()) as client:
        answer = await client.post("/api/v1/workspaces", json={"name": name, "prefix": prefix})
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Workspace)


async def places(server: RunningServer, workspace: Workspace) -> list[str]:
    """The address of every page of ours in a workspace that is not empty."""
    doc = await server.pool.fetchval("SELECT id FROM docs WHERE workspace_id = $1 LIMIT 1", workspace.id)
    proposed = await server.pool.fetchval("SELECT id FROM plans WHERE workspace_id = $1 LIMIT 1", workspace.id)
    worker = await server.pool.fetchval("SELECT id FROM agents WHERE workspace_id = $1 LIMIT 1", workspace.id)
    return [
        *BARE,
        "/sprints/2",
        "/sprints/3",
        f"/docs/{doc}",
        f"/docs/{doc}/edit",
        f"/docs/{doc}/history",
        f"/docs/{doc}/history/1",
        f"/agents/{worker}",
        f"/plans/{proposed}",
        "/search?text=task",
        "/activity?topic=task&by=person&at=3",
    ]


BARE = ["", "/backlog", "/sprints", "/plans", "/docs", "/docs/new", "/agents", "/activity", "/settings", "/search"]
