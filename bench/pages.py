"""Pages of a large workspace: how long the server takes for each, from the request to the last byte."""

import time

import httpx

from bench import control
from bench.control import Plane
from bench.measure import Measure, at_most, median, percentile

TASKS, EVENTS, SPRINTS = 10_000, 100_000, 40
ROUNDS = 30
LIMIT = 300  # milliseconds, p95

# A sprint has as many tasks as the others; the newest one is active. What was done in it is spread over its days.
HISTORY = """
    WITH made AS (
        INSERT INTO sprints (workspace_id, number, name, status, started_at, completed_at)
        SELECT $1, 1 + n, 'Sprint ' || n, CASE WHEN n = $2 THEN 'ACTIVE' ELSE 'COMPLETED' END,
               now() - ($2 - n + 1) * interval '3 days',
               CASE WHEN n < $2 THEN now() - ($2 - n) * interval '3 days' END
          FROM generate_series(1, $2::int) n RETURNING id, number
    ), tasks_ AS (
        INSERT INTO tasks (workspace_id, number, sprint_id, title, description, status, blocked_reason, priority,
                           position, labels, created_at, updated_at, checklist)
        SELECT $1, n, CASE WHEN n / $2 % 10 < 8 THEN m.id END, 'Task ' || n || ' of a large workspace',
               repeat('Words about what is to be done. ', 8),
               CASE WHEN m.number <= $2 THEN 'DONE'
                    ELSE (ARRAY['BACKLOG', 'DONE', 'IN_REVIEW', 'BLOCKED', 'BACKLOG'])[1 + n / $2 % 5] END,
               CASE WHEN m.number > $2 AND n / $2 % 5 = 3 THEN 'checks_failed' END,
               (ARRAY['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'])[1 + n / $2 % 4]::priority, n, ARRAY['label ' || n % 7],
               now() - ($2 - m.number + 2.5) * interval '3 days', now() - n * interval '1 minute',
               '[{"id": "a", "text": "Unit tests", "check": "unit"}]'
          FROM generate_series(1, $3::int) n JOIN made m ON m.number = 2 + n % $2
        RETURNING id, sprint_id, number, created_at, status
    ), attempts_ AS (
        INSERT INTO attempts (workspace_id, task_id, fence, agent_id, agent_name, claimed_at, ended_at, outcome,
                              evidence, numbers)
        SELECT $1, id, 1, $4, 'bench', created_at + interval '1 day', created_at + interval '25 hours', 'completed',
               jsonb_build_array(jsonb_build_object('check', 'unit', 'passed', true, 'exit_code', 0, 'duration_ms', 900,
                   'output_sha256', repeat('0', 64), 'commit', repeat('a', 40), 'tests', 41)),
               '{"provider": "claude", "usd_micros": 400000, "input_tokens": 50000, "output_tokens": 4000}'
          FROM tasks_ WHERE status <> 'BACKLOG'
    )
    INSERT INTO events (workspace_id, kind, task_id, sprint_id, actor_kind, actor_name, detail, created_at)
    SELECT $1, (ARRAY['task.created', 'task.edited', 'task.claimed', 'task.edited', 'comment.added', 'task.edited',
                      'task.completed', 'task.edited', 'task.moved', 'task.status'])[step],
           id, sprint_id, 'person', 'bench',
           CASE WHEN step = 5 THEN '{}'::jsonb ELSE jsonb_build_object('status',
               CASE WHEN step = 10 THEN status WHEN step >= 7 THEN 'IN_REVIEW'
                    WHEN step >= 3 THEN 'IN_PROGRESS' ELSE 'BACKLOG' END) END,
           created_at + (step - 1) * interval '7 hours' + (number % 60) * interval '1 minute'
      FROM tasks_ CROSS JOIN generate_series(1, 10) step
"""
DOCS = """
    INSERT INTO docs (workspace_id, title, text)
    SELECT $1, 'Doc ' || n, repeat('Text. ', 500) FROM generate_series(1, 150) n
"""
UNNUMBERED = "SELECT count(*) FROM events WHERE seq IS NULL"


async def measure(*, tasks: int = TASKS, rounds: int = ROUNDS) -> list[Measure]:
    """The p95 of every page, in a workspace of `tasks` tasks and ten events for each."""
    found = []
    async with control.running() as plane:
        await fill(plane, tasks)
        for name, path in await places(plane):
            taken, size = await times(plane, path, rounds)
            note = f"median {median(taken):.0f} ms; {size / 1024:.0f} kB sent"
            found.append(Measure(name, percentile(taken, 0.95), "ms", at_most(LIMIT), note=note))
    return found


async def fill(plane: Plane, tasks: int) -> None:
    """Make the history, and wait until every event of it has its number."""
    await plane.fill(0)
    database = plane.database
    await database.execute("UPDATE sprints SET status = 'PLANNED'")
    await database.execute(HISTORY, plane.workspace_id, SPRINTS, tasks, plane.agents[0])
    await database.execute(DOCS, plane.workspace_id)
    while await database.fetchval(UNNUMBERED):
        time.sleep(0.2)
    for table in ("tasks", "events", "attempts", "docs"):
        await database.execute(f"VACUUM ANALYZE {table}")


async def places(plane: Plane) -> list[tuple[str, str]]:
    """Every page, by its name."""
    root = f"/w/{plane.workspace_id}"
    doc = await plane.database.fetchval("SELECT id FROM docs LIMIT 1")
    key = await plane.database.fetchval(
        "SELECT w.prefix || '-' || t.number FROM tasks t JOIN workspaces w ON w.id = t.workspace_id"
        " WHERE t.status = 'IN_REVIEW' LIMIT 1"
    )
    return [
        ("overview", root),
        ("board", f"{root}/board"),
        ("task", f"{root}/tasks/{key}"),
        ("backlog", f"{root}/backlog"),
        ("sprints", f"{root}/sprints"),
        ("one sprint", f"{root}/sprints/{1 + SPRINTS}"),
        ("docs", f"{root}/docs"),
        ("one doc", f"{root}/docs/{doc}"),
        ("agents", f"{root}/agents"),
        ("one agent", f"{root}/agents/{plane.agents[0]}"),
        ("activity", f"{root}/activity"),
        ("activity, filtered", f"{root}/activity?topic=sprint&by=person"),
        ("settings", f"{root}/settings"),
        ("search", f"{root}/search?text=large+workspace"),
        ("search for nothing", f"{root}/search?text=nobody+wrote+this"),
    ]


async def times(plane: Plane, path: str, rounds: int) -> tuple[list[float], int]:
    """Milliseconds of each of `rounds` requests, after two that warm up, and the bytes of an answer."""
    taken, size = [], 0
    headers = {"Authorization": f"Bearer {plane.secret}", "Accept-Encoding": "gzip", "Accept": "text/html"}
    async with httpx.AsyncClient(base_url=f"http://{plane.host}:{plane.port}", headers=headers, timeout=60) as client:
        for number in range(rounds + 2):
            began = time.perf_counter()
            async with client.stream("GET", path) as answer:
                size = sum([len(part) async for part in answer.aiter_raw()])
                if answer.status_code != 200:
                    raise RuntimeError(f"{path} answered {answer.status_code}")
            if number >= 2:
                taken.append((time.perf_counter() - began) * 1000)
    return taken, size
