"""A furnished workspace that has a past: two finished sprints, and days of work in the one that is active."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
from tests.support.people import somebody
from tests.support.server import RunningServer
from tests.support.showroom import Showroom, attempt

from locus.wire.workspaces import MemberRole, Purpose

EARLIER = (
    (
        "Foundations",
        17,
        12,
        (
            "Project skeleton and checks",
            "Accounts with an address",
            "Mail goes out by a queue",
            "A page says what is up",
        ),
    ),
    (
        "First pages",
        11,
        5,
        (
            "Design tokens, light and dark",
            "The sign-in page",
            "Errors are pages that help",
            "Keyboard focus is always visible",
            "A profile with a name",
            "Time zones in one place",
        ),
    ),
)
PLAN = {
    "name": "Find people and teams",
    "goal": "Members find each other by name, and teams by what they own.",
    "tasks": [
        {"ref": "index", "title": "Keep an index of names and teams", "role": "BACKEND", "complexity": 3},
        {
            "ref": "api",
            "title": "Answer searches in 50 ms",
            "depends_on": ["index"],
            "role": "BACKEND",
            "priority": "HIGH",
            "checklist": [{"text": "A slow search fails the test", "check": "unit", "red_first": True}],
        },
        {"ref": "page", "title": "A field that finds while one types", "depends_on": ["api"], "role": "FRONTEND"},
        {"ref": "keys", "title": "Reach it from the palette", "depends_on": ["page"], "role": "FRONTEND"},
        {"ref": "docs", "title": "Say in the help what is searched", "depends_on": ["api"]},
    ],
    "risks": [
        {
            "description": "Names in other scripts are not found",
            "mitigation": "Test with twelve of them before the page is made",
            "severity": "MEDIUM",
        }
    ],
}
DOCS = (("Who may do what", "GENERAL", "Decisions"), ("Mail that arrives", "TECH_SPEC", "Specifications"))
TEXT = """\
A person signs in with a code that goes to their address. There is no password to lose.

## The code

- eight characters, without those that look alike
- good for ten minutes, for one browser, for five tries
- kept as a hash

| Step | What is kept |
|---|---|
| asked for | hash of the code, hash of the browser's secret |
| used | a session, as a hash |

```python
assert sign_in(code, browser=other) is None
```
"""
Told = tuple[datetime, UUID, str, str]  # when, about which task, what kind of event, its status then

SPRINT = 3.2  # days that the active one has lasted
# When tasks of the active sprint were begun, could be reviewed, and were accepted, in days after its start.
WORK = {
    "DONE": ((0.15, 0.2, 0.35), (0.9, 1.0, 1.2), (1.9, 2.0, 2.3)),
    "IN_REVIEW": ((2.5, 2.6, None), (2.95, 3.05, None)),
    "BLOCKED": ((1.4, None, None),),
    "IN_PROGRESS": ((3.1, None, None), (3.15, None, None)),
}


async def before(server: RunningServer) -> None:
    """Let two sprints have been completed, in a workspace that is still empty."""
    now = datetime.now(UTC)
    for number, (name, from_, to, titles) in enumerate(EARLIER, start=1):
        await _finished(server, number, name, now - timedelta(days=from_), now - timedelta(days=to), titles)


async def age(server: RunningServer, room: Showroom) -> None:
    """Let what `room` describes have come about in the course of days."""
    workspace, began = server.workspace.id, datetime.now(UTC) - timedelta(days=SPRINT)
    planned = began - timedelta(hours=2)
    await server.pool.execute("UPDATE sprints SET started_at = $2 WHERE id = $1", room.sprint_id, began)
    async with server.pool.acquire() as db, db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")  # nobody changes events otherwise
        await db.execute(
            "UPDATE events SET created_at = $2 WHERE workspace_id = $1 AND created_at > $2", workspace, planned
        )
    await server.pool.execute("UPDATE tasks SET created_at = $2 WHERE id = ANY($1)", [*room.ids.values()], planned)
    told: list[Told] = []
    for status, times in WORK.items():
        for key, (begun, reviewed, accepted) in zip(room.keys[status], times, strict=True):
            task, ended = room.ids[key], reviewed or begun + 0.1
            steps = [("task.claimed", "IN_PROGRESS", begun), ("task.completed", "IN_REVIEW", reviewed)]
            steps += [("task.status", "DONE", accepted)]
            steps += [("task.failed", "BLOCKED", ended)] if status == "BLOCKED" else []
            told += [(began + timedelta(days=day), task, kind, now) for kind, now, day in steps if day is not None]
            await server.pool.execute(
                "UPDATE attempts SET claimed_at = $2, ended_at = $3 WHERE task_id = $1 AND ended_at IS NOT NULL",
                task,
                began + timedelta(days=begun),
                began + timedelta(days=ended),
            )
    await _tell(server, room.sprint_id, told)


async def _finished(
    server: RunningServer, number: int, name: str, began: datetime, ended: datetime, titles: tuple[str, ...]
) -> None:
    workspace, planned = server.workspace.id, began - timedelta(hours=1)
    sprint: UUID = await server.pool.fetchval(
        "INSERT INTO sprints (workspace_id, number, name, status, started_at, completed_at)"
        " VALUES ($1, $2, $3, 'COMPLETED', $4, $5) RETURNING id",
        workspace,
        number,
        name,
        began,
        ended,
    )
    told: list[Told] = []
    for place, title in enumerate(titles, start=1):
        at = began + (ended - began) * place / (len(titles) + 0.5)
        task: UUID = await server.pool.fetchval(
            "INSERT INTO tasks (workspace_id, number, sprint_id, title, position, status, created_at, updated_at)"
            " SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4::int, 'DONE', $5, $6 FROM tasks"
            " WHERE workspace_id = $1 RETURNING id",
            workspace,
            sprint,
            title,
            place,
            planned,
            at,
        )
        told.append((planned, task, "task.created", "BACKLOG"))
        told.append((at - timedelta(hours=3), task, "task.completed", "IN_REVIEW"))
        told.append((at, task, "task.status", "DONE"))
        await attempt(server, workspace, task, fence=1, outcome="completed", minutes=4 + place)
        await server.pool.execute(
            "UPDATE attempts SET claimed_at = $2, ended_at = $3 WHERE task_id = $1",
            task,
            at - timedelta(hours=4),
            at - timedelta(hours=3),
        )
    await _tell(server, sprint, told)
    await server.pool.execute(
        "UPDATE workspaces SET last_task_number = (SELECT max(number) FROM tasks WHERE workspace_id = $1),"
        " last_sprint_number = $2 WHERE id = $1",
        workspace,
        number,
    )


async def _tell(server: RunningServer, sprint: UUID, told: list[Told]) -> None:
    """Write events, in the order in which they happened."""
    for at, task, kind, status in sorted(told):
        by_agent = kind in ("task.claimed", "task.completed", "task.failed")
        await server.pool.execute(
            "INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_id, actor_name, detail,"
            " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            server.workspace.id,
            kind,
            task,
            sprint,
            "worker" if by_agent else "person",
            uuid4(),
            "claude-1" if by_agent else "Ada",
            {"status": status},
            at,
        )


async def beside(server: RunningServer, api: httpx.AsyncClient) -> tuple[UUID, UUID]:
    """What the other pages show: a plan and a doc, whose ids are returned, people and keys."""
    workspace = server.workspace.id
    answer = await api.post(server.path("/plans"), json={"id": str(uuid4()), "plan": PLAN})
    assert answer.status_code == 201, answer.text
    for title, kind, group in DOCS:
        made = await api.post(
            server.path("/docs"), json={"title": title, "kind": kind, "group": group, "text": f"# {title}"}
        )
        assert made.status_code == 201, made.text
    doc = await server.pool.fetchval(
        "SELECT id FROM docs WHERE workspace_id = $1 ORDER BY created_at LIMIT 1", workspace
    )
    await api.patch(server.path(f"/docs/{doc}"), json={"text": TEXT}, headers={"If-Match": "*"})
    for name, role in (("Grace", MemberRole.ADMIN), ("Linus", MemberRole.MEMBER), ("Mia", MemberRole.VIEWER)):
        await somebody(server, role, name=name)
    await api.post(
        "/w/WEB/settings/members/invite", data={"email": "edsger@example.org", "role": "MEMBER"}, follow_redirects=True
    )
    await server.key(Purpose.WORKER, workspace=server.workspace, days=90, name="worker on the build machine")
    await server.key(Purpose.READ, workspace=server.workspace, days=30, name="status display")
    return UUID(answer.json()["id"]), doc
