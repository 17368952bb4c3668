"""Comments, attempts and pull requests: what was said about a task and done for it."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.server.tasks.planning import BRANCH, SHA, Planner, handed_in, refused, told

from locus.wire.base import Page
from locus.wire.events import EventKind
from locus.wire.tasks import Comment, CommentKind, Task, TasksMoved
from locus.wire.work import Attempt
from locus.wire.workspaces import Purpose

URL = "https://github.com/acme/shop/pull/7"


async def test_the_author_of_a_comment_is_whoever_sent_it(plan: Planner) -> None:
    task = await plan.task()
    secret = await plan.server.key(Purpose.MEMBER, name="Grace")
    async with plan.server.client(secret) as grace:
        path = plan.path(f"/tasks/{task.key}/comments")

        comment = told(await grace.post(path, json={"text": "Map<string, List<int>>"}), Comment, 201)
        refused(await grace.post(path, json={"text": "x", "author_name": "Ada"}), 422, "invalid", "author_name")

    assert (comment.author_name, comment.author_kind, comment.kind) == ("Grace", "person", CommentKind.COMMENT)
    assert await plan.comments(task) == [comment]
    event = (await plan.events(task))[-1]
    assert (event.kind, event.detail.comment_id) == (EventKind.COMMENT_ADDED, comment.id)
    assert "List" not in msgspec.json.encode(event).decode()


async def test_an_empty_comment_is_refused(plan: Planner) -> None:
    task = await plan.task()

    refused(await plan.api.post(plan.path(f"/tasks/{task.key}/comments"), json={"text": ""}), 422, field="text")
    refused(await plan.api.post(plan.path(f"/tasks/{task.key}/comments"), json={"text": " \n"}), 422, field="text")


async def test_pages_of_comments_miss_none_that_come_meanwhile(plan: Planner) -> None:
    task = await plan.task()
    path = plan.path(f"/tasks/{task.key}/comments")

    async def say(number: int) -> None:
        told(await plan.api.post(path, json={"text": str(number)}), Comment, 201)

    await asyncio.gather(*(say(number) for number in range(5)))
    seen: list[Comment] = []
    query: dict[str, Any] = {"limit": "2"}
    while True:
        page = told(await plan.api.get(path, params=query), Page[Comment])
        seen += page.items
        if len(seen) == 2:
            await say(5)
        if page.next_cursor is None:
            break
        query["cursor"] = page.next_cursor

    assert sorted(comment.text for comment in seen) == ["0", "1", "2", "3", "4", "5"]
    assert [comment.created_at for comment in seen] == sorted(comment.created_at for comment in seen)


@pytest.mark.parametrize("cursor", ["!", "WzFd", "Wy0xLCJ4Il0", "WyIyMDMwLTAxLTAxVDAwOjAwOjAwIiwiIl0"])
async def test_a_broken_cursor_of_comments_or_attempts_is_named(plan: Planner, cursor: str) -> None:
    task = await plan.task()

    for what in ("comments", "attempts"):
        answer = await plan.api.get(plan.path(f"/tasks/{task.key}/{what}"), params={"cursor": cursor})
        if what == "comments" or cursor != "WzFd":  # [1] is a cursor of attempts
            refused(answer, 422, "invalid", "cursor")


async def test_a_comment_sent_twice_with_one_key_is_one(plan: Planner) -> None:
    task = await plan.task()

    for _ in range(2):
        answer = await plan.post(f"/tasks/{task.id}/comments", b'{"text": "Once"}', **{"Idempotency-Key": "c"})
        assert answer.status_code == 201

    assert [comment.text for comment in await plan.comments(task)] == ["Once"]


async def test_attempts_are_listed_newest_first_with_their_evidence(plan: Planner) -> None:
    task = await plan.task()
    await plan.server.pool.execute(
        "INSERT INTO attempts (workspace_id, task_id, fence, agent_name, claimed_at, outcome, reason, numbers)"
        " VALUES ($1, $2, 7, 'Ada', clock_timestamp(), 'failed', 'agent_silent', $3),"
        "        ($1, $2, 8, 'Ada', clock_timestamp(), 'released', 'interrupted', NULL),"
        "        ($1, $2, 9, 'Ada', clock_timestamp(), 'expired', 'lease_expired', NULL)",
        task.workspace_id,
        task.id,
        {"provider": "claude", "files": 3},
    )
    await plan.server.pool.execute("UPDATE tasks SET fence = 9")
    await handed_in(plan.server.pool, task, green=("unit",))

    page = told(await plan.api.get(plan.path(f"/tasks/{task.key}/attempts"), params={"limit": "3"}), Page[Attempt])
    rest = told(
        await plan.api.get(plan.path(f"/tasks/{task.key}/attempts"), params={"cursor": page.next_cursor or ""}),
        Page[Attempt],
    )

    found = [*page.items, *rest.items]
    assert [attempt.fence for attempt in found] == [10, 9, 8, 7]
    assert [attempt.outcome for attempt in found] == ["completed", "expired", "released", "failed"]
    assert [attempt.fail_reason for attempt in found] == [None, "lease_expired", None, "agent_silent"]
    assert [attempt.release_reason for attempt in found] == [None, None, "interrupted", None]
    assert (found[0].commit, found[0].evidence[0].check, found[0].evidence[0].passed) == (SHA, "unit", True)
    assert found[3].numbers is not None
    assert found[3].numbers.files == 3
    assert rest.next_cursor is None


def link(*tasks: Task, **fields: Any) -> bytes:
    body = {"task_ids": [task.id for task in tasks], "url": URL, "number": 7, "branch": BRANCH, "head": SHA}
    return msgspec.json.encode(body | fields)


async def test_a_worker_links_the_tasks_whose_work_is_on_its_branch(plan: Planner) -> None:
    one, two = await plan.tasks(2)
    await handed_in(plan.server.pool, one)
    await handed_in(plan.server.pool, two)
    async with plan.server.client(await plan.server.key(Purpose.WORKER)) as worker:
        headers = {"Content-Type": "application/json"}

        answers = [
            told(
                await worker.post(plan.path("/tasks/pull-request"), content=link(two, one), headers=headers), TasksMoved
            )
            for _ in range(2)
        ]

    assert [task.key for task in answers[0].tasks] == ["WEB-2", "WEB-1"]
    assert {task.pull_request_url for task in answers[0].tasks} == {URL}
    assert answers[0] == answers[1]
    kinds = [event.kind for event in await plan.events(one)]
    assert kinds.count(EventKind.TASK_LINKED) == 1


async def test_a_task_whose_work_is_elsewhere_is_not_linked(plan: Planner) -> None:
    one, two = await plan.tasks(2)
    await handed_in(plan.server.pool, one)

    refused(await plan.post("/tasks/pull-request", link(one, two)), 409, "not_on_branch")
    refused(await plan.post("/tasks/pull-request", link(one, branch="locus/sprint-2")), 409, "not_on_branch")
    refused(await plan.post("/tasks/pull-request", link(one, task_ids=[uuid4()])), 422, field="task_ids.0")
    refused(await plan.post("/tasks/pull-request", link(one, url="javascript:alert(1)")), 422, field="url")

    assert (await plan.read(one)).pull_request_url is None
