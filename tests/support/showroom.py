"""A workspace as it looks in the middle of a sprint: for screenshots, and for tests that need a full board."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.support.server import RunningServer

SHA = "3f6c1d9a0b7e45218c9d3e5f7a1b2c4d6e8f0a12"
CHECKS = ("unit", "lint", "types")
TITLES = {
    "DONE": [
        ("Sign in by an e-mail code", "HIGH", "BACKEND", ["auth"]),
        ("Store only the hash of a session", "HIGH", "BACKEND", ["auth", "security"]),
        ("Rate limits for sign-in, per address and person", "MEDIUM", "BACKEND", ["auth"]),
    ],
    "IN_REVIEW": [
        ("Refuse e-mail addresses that cannot exist", "HIGH", "BACKEND", ["auth"]),
        ("Show the sessions of a person, newest first", "MEDIUM", "FRONTEND", ["ui"]),
    ],
    "BLOCKED": [("Rotate the signing keys each night", "MEDIUM", "BACKEND", ["ops"])],
    "IN_PROGRESS": [
        ("Sign out everywhere with one button", "HIGH", "FRONTEND", ["auth", "ui"]),
        ("Invitations that are bound to their address", "MEDIUM", "BACKEND", ["auth"]),
    ],
    "BACKLOG": [
        ("Audit log of everything that members do", "HIGH", "BACKEND", ["security"]),
        ("Explain in the mail why it was sent", "MEDIUM", None, ["mail"]),
        ("A page for the danger zone", "MEDIUM", "FRONTEND", ["ui"]),
        ("Names with accents in invitations", "LOW", "QA", []),
    ],
}
DESCRIPTION = """\
People paste addresses like `ada@` and wonder why no mail comes. Say so **before** we try to send.

- one `@`, something on both sides, a dot in the domain
- the message names what is wrong, in plain words

```python
assert refused("ada@").reason == "has no domain"
```

See the [RFC](https://www.rfc-editor.org/rfc/rfc5321) for what we do *not* need.
"""


@dataclass(frozen=True)
class Showroom:
    """The keys of its tasks by status, and its sprint."""

    keys: dict[str, list[str]]
    ids: dict[str, UUID]
    sprint_id: UUID


async def furnish(server: RunningServer, api: httpx.AsyncClient) -> Showroom:
    """Fill the server's workspace."""
    workspace_id = server.workspace.id

    async def post(rest: str, **body: Any) -> Any:
        answer = await api.post(server.path(rest), json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    await api.patch(server.path(), json={"name": "Sign-in service"}, headers={"If-Match": "*"})
    sprint = await post("/sprints", name="Sign-in", goal="People sign in without a password.")
    await post(f"/sprints/{sprint['id']}/start")
    await post("/sprints", name="Teams")
    doc = await post("/docs", title="How people sign in", kind="TECH_SPEC", text="# Sign-in\n\nA code by mail.")
    keys: dict[str, list[str]] = {}
    ids: dict[str, UUID] = {}
    for status, titles in TITLES.items():
        for title, priority, role, labels in titles:
            task = await post(
                "/tasks",
                title=title,
                priority=priority,
                role=role,
                labels=labels,
                sprint_id=sprint["id"],
                description=DESCRIPTION if "Refuse" in title else "",
                checklist=[
                    {"text": "Unit tests cover it", "check": "unit", "red_first": True},
                    {"text": "No new warnings", "check": "lint"},
                    {"text": "The message reads well aloud"},
                ],
                doc_ids=[doc["id"]] if "Refuse" in title else [],
            )
            keys.setdefault(status, []).append(task["key"])
            ids[task["key"]] = UUID(task["id"])
    for key, needed in zip(keys["BACKLOG"][1:3], (keys["IN_PROGRESS"][0], keys["BACKLOG"][0]), strict=True):
        answer = await api.patch(
            server.path(f"/tasks/{key}"), json={"depends_on": [str(ids[needed])]}, headers={"If-Match": "*"}
        )
        assert answer.status_code == 200, answer.text
    first = keys["IN_REVIEW"][0]
    answer = await api.patch(
        server.path(f"/tasks/{first}"), json={"depends_on": [str(ids[keys["DONE"][0]])]}, headers={"If-Match": "*"}
    )
    await api.patch(
        server.path(f"/tasks/{keys['BACKLOG'][2]}"),
        json={"depends_on": [str(ids[first]), str(ids[keys["BACKLOG"][0]])]},
        headers={"If-Match": "*"},
    )
    await post(f"/tasks/{first}/comments", text="The message should say *which* part is wrong, not only that one is.")
    for index, key in enumerate([*keys["DONE"], *keys["IN_REVIEW"]]):
        await attempt(server, workspace_id, ids[key], fence=1, outcome="completed", minutes=5 + 3 * index)
        status = "DONE" if key in keys["DONE"] else "IN_REVIEW"
        await server.pool.execute(
            "UPDATE tasks SET status = $3, attempts = 1, fence = 1, commit_sha = $4, branch = 'locus/sprint-1',"
            " pull_request_url = 'https://github.com/acme/sign-in/pull/12', version = version + 1,"
            " checklist = jsonb_set(jsonb_set(checklist, '{0,done}', 'true'), '{1,done}', 'true')"
            " WHERE workspace_id = $1 AND id = $2",
            workspace_id,
            ids[key],
            status,
            SHA,
        )
    await attempt(server, workspace_id, ids[first], fence=2, outcome="completed", minutes=4)
    await server.pool.execute(
        "UPDATE attempts SET outcome = 'failed', reason = 'checks_failed', commit_sha = NULL,"
        " evidence = jsonb_set(evidence, '{0,passed}', 'false') WHERE workspace_id = $1 AND task_id = $2 AND fence = 1",
        workspace_id,
        ids[first],
    )
    await server.pool.execute("UPDATE tasks SET fence = 2, attempts = 2 WHERE id = $1", ids[first])
    blocked = ids[keys["BLOCKED"][0]]
    await attempt(server, workspace_id, blocked, fence=1, outcome="failed", minutes=7, reason="policy")
    await server.pool.execute(
        "UPDATE tasks SET status = 'BLOCKED', blocked_reason = 'policy', attempts = 1, fence = 1,"
        " version = version + 1 WHERE workspace_id = $1 AND id = $2",
        workspace_id,
        blocked,
    )
    for (name, provider, phase), key in zip(
        (("claude-1", "claude", "checks"), ("codex-2", "codex", "agent")), keys["IN_PROGRESS"], strict=True
    ):
        await at_work(server, workspace_id, ids[key], name=name, provider=provider, phase=phase)
    return Showroom(keys, ids, UUID(sprint["id"]))


async def attempt(
    server: RunningServer,
    workspace_id: UUID,
    task_id: UUID,
    *,
    fence: int,
    outcome: str,
    minutes: int,
    reason: str | None = None,
) -> None:
    """Let a task have had an attempt that ended a while ago."""
    ended = datetime.now(UTC) - timedelta(minutes=90 - 20 * fence)
    evidence = [
        {
            "check": check,
            "passed": True,
            "exit_code": 0,
            "duration_ms": 900 * (index + 1),
            "output_sha256": "0" * 64,
            "commit": SHA,
            "tests": 41 if check == "unit" else None,
            "red_first": True if check == "unit" else None,
        }
        for index, check in enumerate(CHECKS)
    ]
    numbers = {
        "provider": "claude",
        "model": "claude-opus-4-5",
        "files": 3,
        "lines_added": 84,
        "lines_removed": 12,
        "turns": 18,
        "input_tokens": 48_200 * minutes,
        "output_tokens": 2_900 * minutes,
        "usd_micros": 140_000 * minutes,
        "agent_ms": minutes * 42_000,
        "checks_ms": minutes * 11_000,
        "total_ms": minutes * 60_000,
    }
    await server.pool.execute(
        "INSERT INTO attempts (workspace_id, task_id, fence, agent_name, claimed_at, ended_at, outcome, reason,"
        " commit_sha, branch, evidence, numbers)"
        " VALUES ($1, $2, $3, 'claude-1', $4, $5, $6, $7, $8, 'locus/sprint-1', $9, $10)",
        workspace_id,
        task_id,
        fence,
        ended - timedelta(minutes=minutes),
        ended,
        outcome,
        reason,
        SHA if outcome == "completed" else None,
        evidence,
        numbers,
    )


async def at_work(
    server: RunningServer, workspace_id: UUID, task_id: UUID, *, name: str, provider: str, phase: str
) -> UUID:
    """Let an agent hold a task, as a claim leaves it; returns the agent's id."""
    agent_id: UUID = await server.pool.fetchval(
        "INSERT INTO agents (workspace_id, key_id, name, host_class, os_family, provider, provider_version,"
        " locus_version, state) VALUES ($1, $2, $3, 'laptop', 'linux', $4, '2.1.0', '0.1.0', 'working') RETURNING id",
        workspace_id,
        uuid4(),
        name,
        provider,
    )
    await server.pool.execute(
        "UPDATE tasks SET status = 'IN_PROGRESS', attempts = 1, fence = 1, phase = $4, lease_agent_id = $3,"
        " claimed_at = clock_timestamp() - interval '4 minutes',"
        " lease_expires_at = clock_timestamp() + interval '3 minutes', version = version + 1"
        " WHERE workspace_id = $1 AND id = $2",
        workspace_id,
        task_id,
        agent_id,
        phase,
    )
    return agent_id
