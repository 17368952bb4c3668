"""Texts come back byte for byte, and every limit holds at its edge."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import HealthCheck, example, given, settings, strategies as st
from tests.server.tasks.planning import Planner, refused, told

from locus.wire.tasks import Task

prose = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


async def test_every_text_comes_back_as_it_was_sent(plan: Planner) -> None:
    with httpx.Client(base_url=plan.server.url, headers=plan.api.headers, timeout=30) as client:
        task = (await plan.task()).id

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(prose, prose.filter(str.strip))
        @example("Map<string, List<int>> if (a < b && c > d)", "</script><!-- -->")
        @example("\u202eevil \U0001f600 عربي ﷽ e\u0301 \u200d\ufeff\u2028 \x01\x1b[31m\x7f", "\r\n\t\\u0000 '\";--")
        @example("\U0010ffff\ufffe", "%s %n {0} $1 \\x00")
        def sent_and_read(description: str, comment: str) -> None:
            path = plan.path(f"/tasks/{task}")
            edit = {"description": description, "labels": ["<b>"], "checklist": [{"text": comment, "id": "i"}]}
            edited = client.patch(path, json=edit, headers={"If-Match": "*"})
            assert edited.status_code == 200, edited.text
            read = client.get(path).json()
            assert read["description"] == description
            assert read["checklist"][0]["text"] == comment
            added = client.post(path + "/comments", json={"text": comment})
            assert added.status_code == 201, added.text
            assert added.json()["text"] == comment

        await asyncio.to_thread(sent_and_read)


A_TASK = {"title": "T"}
ITEM = {"text": "x"}

# A request with a field at its limit, and the same field one over it, with the name that the refusal gives it.
EDGES: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("POST", "/tasks", {"title": "é" * 200}, {"title": "x" * 201}, "title"),
    ("POST", "/tasks", {"title": "x"}, {"title": ""}, "title"),
    ("POST", "/tasks", A_TASK | {"description": "d" * 65_536}, A_TASK | {"description": "d" * 65_537}, "description"),
    ("POST", "/tasks", A_TASK | {"labels": ["x" * 50]}, A_TASK | {"labels": ["x" * 51]}, "labels.0"),
    (
        "POST",
        "/tasks",
        A_TASK | {"labels": [f"{n}" for n in range(20)]},
        A_TASK | {"labels": [f"{n}" for n in range(21)]},
        "labels",
    ),
    ("POST", "/tasks", A_TASK | {"checklist": [ITEM] * 100}, A_TASK | {"checklist": [ITEM] * 101}, "checklist"),
    (
        "POST",
        "/tasks",
        A_TASK | {"checklist": [ITEM, {"text": "x" * 500}]},
        A_TASK | {"checklist": [ITEM, {"text": "x" * 501}]},
        "checklist.1.text",
    ),
    (
        "POST",
        "/tasks",
        A_TASK | {"checklist": [{"text": "x", "check": "c" * 50, "id": "i" * 40}]},
        A_TASK | {"checklist": [{"text": "x", "check": "c" * 51}]},
        "checklist.0.check",
    ),
    ("POST", "/tasks", A_TASK | {"assignee": "g" * 100}, A_TASK | {"assignee": "g" * 101}, "assignee"),
    ("POST", "/tasks", A_TASK | {"due_on": "9999-12-31"}, A_TASK | {"due_on": "2031-02-29"}, "due_on"),
    ("POST", "/tasks", A_TASK | {"due_on": "0001-01-01"}, A_TASK | {"due_on": "0000-01-01"}, "due_on"),
    ("POST", "/tasks/WEB-1/comments", {"text": "x" * 16_384}, {"text": "x" * 16_385}, "text"),
    ("POST", "/sprints", {"name": "n" * 100}, {"name": "n" * 101}, "name"),
    ("POST", "/sprints", {"name": "n", "goal": "g" * 65_536}, {"name": "n", "goal": "g" * 65_537}, "goal"),
]


async def test_at_its_limit_a_field_is_taken_and_beyond_it_is_named(plan: Planner) -> None:
    await plan.task()

    for method, path, fits, over, field in EDGES:
        good = await plan.api.request(method, plan.path(path), json=fits)
        bad = await plan.api.request(method, plan.path(path), json=over)

        assert good.status_code == 201, (path, fits, good.text)
        sent = {name: value for name, value in fits.items() if name != "checklist"}
        assert {name: good.json()[name] for name in sent} == sent
        refused(bad, 422, "invalid", field)


async def test_a_hundred_tasks_move_at_once_and_a_hundred_and_one_do_not(plan: Planner) -> None:
    sprint = await plan.sprint()
    tasks = await plan.tasks(101)

    refused(await plan.move(tasks, sprint_id=sprint.id), 422, "invalid", "task_ids")
    assert (await plan.move(tasks[:100], sprint_id=sprint.id)).status_code == 200

    assert await plan.keys(sprint="1") == [task.key for task in tasks[:100]]
    refused(await plan.edit(tasks[100], depends_on=[uuid4()] * 101), 422, "invalid", "depends_on")
    assert len(told(await plan.edit(tasks[100], depends_on=[task.id for task in tasks[:100]]), Task).depends_on) == 100


async def test_nul_is_refused_by_the_name_of_its_field(plan: Planner) -> None:
    await plan.task()
    nul, title = "a\0b", {"title": "T"}

    requests: list[tuple[str, dict[str, Any], str]] = [
        ("/tasks", {"title": nul}, "title"),
        ("/tasks", title | {"description": nul}, "description"),
        ("/tasks", title | {"assignee": nul}, "assignee"),
        ("/tasks", title | {"labels": [nul]}, "labels.0"),
        ("/tasks", title | {"checklist": [{"text": nul}]}, "checklist.0.text"),
        ("/tasks/WEB-1/comments", {"text": nul}, "text"),
        ("/tasks/WEB-1/status", {"status": "DONE", "feedback": nul}, "feedback"),
        ("/sprints", {"name": nul}, "name"),
        ("/sprints", {"name": "S", "goal": nul}, "goal"),
    ]
    for path, body, field in requests:
        refused(await plan.api.post(plan.path(path), json=body), 422, "invalid", field)


async def test_a_title_is_one_line(plan: Planner) -> None:
    for title in ["two\nlines", " leading", "\ttab", "bell\x07", "\x7f", "end\n"]:
        problem = refused(await plan.api.post(plan.path("/tasks"), json={"title": title}), 422, "invalid", "title")

        assert "^" not in problem.detail  # words, not a regular expression


BAD_BODIES: list[tuple[bytes, int, str | None]] = [
    (b"", 422, None),
    (b"{", 400, None),
    (b"[]", 422, "body"),
    (b'{"title": "T", "id": "x"}', 422, "id"),
    (b'{"title": 1}', 422, "title"),
    (b'{"title": null}', 422, "title"),
    (b'{"title": "T", "priority": "URGENT"}', 422, "priority"),
    (b'{"title": "T", "depends_on": ["x"]}', 422, "depends_on.0"),
    (b'{"title": "\xff"}', 400, None),
    (b'{"title": "\\ud800"}', 400, None),
    (b'{"title": "T", "checklist": ' + b"[" * 5000 + b"]" * 5000 + b"}", 422, "checklist.0"),
]


async def test_a_bad_body_is_never_a_defect_of_the_server(plan: Planner) -> None:
    for body, status, field in BAD_BODIES:
        refused(await plan.post("/tasks", body), status, field=field)


async def test_a_body_over_the_limit_is_too_large(plan: Planner) -> None:
    body = json.dumps({"title": "T", "description": "d" * 262_144}).encode()

    refused(await plan.post("/tasks", body), 413, "too_large")
