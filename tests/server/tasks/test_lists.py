"""Lists of tasks: filters, pages, and the order in which agents take them."""

from typing import Any
from uuid import uuid4

import pytest
from tests.server.tasks.planning import Planner, handed_in, refused, told

from locus.server.http.paging import encode_cursor
from locus.wire.base import Page
from locus.wire.tasks import Task


async def test_the_order_is_priority_then_position(plan: Planner) -> None:
    await plan.task(priority="LOW")
    await plan.task(priority="CRITICAL")
    await plan.task(priority="MEDIUM")
    await plan.task(priority="HIGH")
    await plan.task(priority="CRITICAL")

    assert await plan.keys() == ["WEB-2", "WEB-5", "WEB-4", "WEB-3", "WEB-1"]


async def test_each_filter_selects_what_it_says(plan: Planner) -> None:
    active = await plan.sprint(start=True)
    planned = await plan.sprint("Next")
    await plan.task("Plain")
    await plan.task("Percent 100% _done_", description="A CRITICAL\\path", labels=["api", "x y"], role="QA")
    await plan.task("Sprint", sprint_id=active.id, priority="HIGH", assignee="Grace")
    blocked = await plan.task("Planned", sprint_id=planned.id, role="PM", labels=["ui"])
    await plan.status(blocked, "BLOCKED", reason="policy")

    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({"status": "BLOCKED"}, ["WEB-4"]),
        ({"status": ["BLOCKED", "BACKLOG"]}, ["WEB-1", "WEB-2", "WEB-3", "WEB-4"]),
        ({"sprint": "active"}, ["WEB-3"]),
        ({"sprint": "2"}, ["WEB-4"]),
        ({"sprint": str(planned.id)}, ["WEB-4"]),
        ({"sprint": "none"}, ["WEB-1", "WEB-2"]),
        ({"sprint": "7"}, []),
        ({"sprint": str(uuid4())}, []),
        ({"priority": "HIGH"}, ["WEB-3"]),
        ({"priority": ["HIGH", "LOW"]}, ["WEB-3"]),
        ({"role": "QA"}, ["WEB-2"]),
        ({"role": ["QA", "PM"]}, ["WEB-2", "WEB-4"]),
        ({"label": "x y"}, ["WEB-2"]),
        ({"label": ["ui", "api"]}, ["WEB-2", "WEB-4"]),
        ({"label": "x"}, []),
        ({"assignee": "Grace"}, ["WEB-3"]),
        ({"blocked_reason": "policy"}, ["WEB-4"]),
        ({"blocked_reason": ["manual", "policy"]}, ["WEB-4"]),
        ({"text": "PLA"}, ["WEB-1", "WEB-4"]),
        ({"text": "web-3"}, ["WEB-3"]),
        ({"text": "critical\\"}, ["WEB-2"]),
        ({"text": "0% _"}, ["WEB-2"]),
        ({"text": "_"}, ["WEB-2"]),
        ({"text": "pla", "role": "PM"}, ["WEB-4"]),
    ]
    for query, keys in expected:
        assert sorted(await plan.keys(**query)) == keys, query


BAD: list[tuple[dict[str, str], str]] = [
    ({"sprint": "current"}, "sprint"),
    ({"sprint": "-1"}, "sprint"),
    ({"sprint": "99999999999"}, "sprint"),
    ({"status": "OPEN"}, "status"),
    ({"priority": "high"}, "priority"),
    ({"limit": "0"}, "limit"),
    ({"limit": "201"}, "limit"),
    ({"text": ""}, "text"),
    ({"text": "x" * 201}, "text"),
    ({"text": "a\0b"}, "text"),
    ({"view": "mine"}, "view"),
    ({"cursor": "!"}, "cursor"),
    ({"cursor": "WzFd"}, "cursor"),
    ({"state": "BACKLOG"}, "state"),
]


async def test_a_bad_parameter_is_named(plan: Planner) -> None:
    for query, field in BAD:
        problem = refused(await plan.api.get(plan.path("/tasks"), params=query), 422, "invalid")

        assert problem.errors[0].field.split(".")[0] == field, query


async def test_a_cursor_somebody_made_up_is_harmless(plan: Planner) -> None:
    for key in ([False, "LOW", 1e308, str(uuid4())], [True, "LOW", -1e308, str(uuid4())]):
        for view in ("all", "next"):
            response = await plan.api.get(plan.path("/tasks"), params={"cursor": encode_cursor(key), "view": view})

            assert response.status_code == 200


@pytest.mark.parametrize("view", ["all", "next"])
async def test_pages_show_each_task_once_in_order_while_others_come(plan: Planner, view: str) -> None:
    sprint = await plan.sprint(start=True)
    priorities = ["LOW", "HIGH", "MEDIUM", "HIGH", "CRITICAL", "LOW", "MEDIUM"]
    first = await plan.task(priority="LOW", sprint_id=sprint.id)
    for priority in priorities:
        needs = [first.id] if priority == "HIGH" else []
        await plan.task(priority=priority, sprint_id=sprint.id, depends_on=needs)
    if view == "all":  # the same positions once more, in the backlog
        for priority in ["LOW", *priorities]:
            await plan.task(priority=priority)
    expected = await plan.keys(view=view)
    assert len(expected) == (16 if view == "all" else 8)

    seen, cursor = [], None
    while True:
        query = {"view": view, "limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = told(await plan.api.get(plan.path("/tasks"), params=query), Page[Task])
        assert len(page.items) <= 3
        seen += [task.key for task in page.items]
        await plan.task("Newcomer", priority="CRITICAL", sprint_id=sprint.id)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [key for key in seen if int(key[4:]) <= len(expected)] == expected
    assert len(seen) == len(set(seen))


async def test_the_next_view_is_what_agents_take_and_then_what_waits(plan: Planner) -> None:
    sprint = await plan.sprint(start=True)
    other = await plan.sprint("Later")
    needed = await plan.task("Needed", sprint_id=sprint.id, priority="LOW")
    waiting = await plan.task("Waits", sprint_id=sprint.id, priority="CRITICAL", depends_on=[needed.id])
    await plan.task("Ready", sprint_id=sprint.id, priority="MEDIUM")
    await plan.task("Grace's", sprint_id=sprint.id, assignee="Grace")
    await plan.status(await plan.task("Blocked", sprint_id=sprint.id), "BLOCKED")
    later = await plan.task("Later", sprint_id=other.id)
    await plan.task("Without a sprint")

    assert await plan.keys(view="next") == ["WEB-3", "WEB-1", "WEB-2"]
    assert await plan.keys(view="next", sprint="2") == [later.key]

    await handed_in(plan.server.pool, needed)
    assert await plan.keys(view="next") == [waiting.key, "WEB-3"]
