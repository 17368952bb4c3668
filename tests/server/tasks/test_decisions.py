"""What people decide about a task, and what follows."""

import pytest
from tests.server.tasks.planning import SHA, Planner, handed_in, held, refused, told

from locus.wire.events import EventKind
from locus.wire.tasks import BlockedReason, CommentKind, Status, Task


async def test_work_in_review_is_approved(plan: Planner) -> None:
    task = await plan.task()
    await handed_in(plan.server.pool, task)

    done = told(await plan.status(task, "DONE"), Task)

    assert (done.status, done.commit, done.version) == (Status.DONE, SHA, 2)
    event = (await plan.events(task))[-1]
    assert (event.kind, event.detail.status, event.detail.previous) == (EventKind.TASK_STATUS, "DONE", "IN_REVIEW")


async def test_a_rejection_without_feedback_is_refused(plan: Planner) -> None:
    task = await plan.task()
    await handed_in(plan.server.pool, task)

    refused(await plan.status(task, "BACKLOG"), 422, "invalid", "feedback")
    refused(await plan.status(task, "BACKLOG", feedback=""), 422, "invalid", "feedback")
    refused(await plan.status(task, "BACKLOG", feedback=" "), 422, "invalid", "feedback")

    assert (await plan.read(task)).status is Status.IN_REVIEW
    assert await plan.comments(task) == []


async def test_a_rejection_is_a_fresh_start_with_its_feedback_as_a_comment(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "Works", "check": "unit"}])
    await handed_in(plan.server.pool, task, green=("unit",))

    back = told(await plan.status(task, "BACKLOG", feedback="The <b> is lost."), Task)

    assert (back.status, back.attempts) == (Status.BACKLOG, 0)
    [comment] = await plan.comments(task)
    assert (comment.kind, comment.text, comment.author_kind) == (CommentKind.REJECTION, "The <b> is lost.", "person")
    assert comment.author_name == "test admin"
    assert [event.kind for event in await plan.events(task)][1:] == [EventKind.COMMENT_ADDED, EventKind.TASK_STATUS]


async def test_reopening_needs_feedback_too(plan: Planner) -> None:
    task = await plan.task()
    await plan.status(task, "DONE")

    refused(await plan.status(task, "BACKLOG"), 422, "invalid", "feedback")

    assert told(await plan.status(task, "BACKLOG", feedback="It broke."), Task).status is Status.BACKLOG


async def test_unblocking_resets_the_attempts_and_keeps_what_was_answered(plan: Planner) -> None:
    task = await plan.task()
    await plan.server.pool.execute(
        "UPDATE tasks SET status = 'BLOCKED', blocked_reason = 'attempts_exhausted', attempts = 3"
    )

    back = told(await plan.status(task, "BACKLOG", feedback="Use the new API."), Task)

    assert (back.status, back.blocked_reason, back.attempts) == (Status.BACKLOG, None, 0)
    assert [comment.kind for comment in await plan.comments(task)] == [CommentKind.COMMENT]
    assert (await plan.events(task))[-1].detail.attempts == 0


async def test_a_person_blocks_with_a_reason(plan: Planner) -> None:
    task, other = await plan.task(), await plan.task()

    blocked = told(await plan.status(task, "BLOCKED", reason="needs_input"), Task)

    assert (blocked.status, blocked.blocked_reason) == (Status.BLOCKED, BlockedReason.NEEDS_INPUT)
    assert told(await plan.status(other, "BLOCKED"), Task).blocked_reason is BlockedReason.MANUAL
    refused(await plan.status(blocked, "BACKLOG", reason="manual"), 422, "invalid", "reason")


async def test_a_measured_reason_cannot_be_claimed_by_hand(plan: Planner) -> None:
    task = await plan.task()

    refused(await plan.status(task, "BLOCKED", reason="checks_failed"), 422, "invalid", "reason")


@pytest.mark.parametrize("status", ["BACKLOG", "IN_REVIEW", "DONE", "BLOCKED"])
async def test_nobody_moves_a_task_that_an_agent_holds(plan: Planner, status: str) -> None:
    task = await plan.task()
    await held(plan.server.pool, task)

    refused(await plan.status(task, status, feedback="Now."), 409, "task_is_held")

    after = await plan.read(task)
    assert (after.status, after.agent_name) == (Status.IN_PROGRESS, "Ada")
    assert await plan.comments(task) == []


async def test_a_person_works_by_hand_on_what_is_assigned(plan: Planner) -> None:
    task = await plan.task()
    refused(await plan.status(task, "IN_PROGRESS"), 409, "not_assigned")
    await plan.edit(task, assignee="Grace")

    assert told(await plan.status(task, "IN_PROGRESS"), Task).status is Status.IN_PROGRESS
    refused(await plan.edit(task, assignee=None), 409, "task_is_held")
    assert told(await plan.status(task, "IN_REVIEW"), Task).status is Status.IN_REVIEW
    assert told(await plan.status(task, "DONE"), Task).status is Status.DONE


async def test_checks_without_green_evidence_stop_an_approval_whatever_a_person_says(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "Works", "check": "unit"}, {"text": "Clean", "check": "lint"}])
    await handed_in(plan.server.pool, task, green=("unit",), red=("lint",))

    problem = refused(await plan.status(task, "DONE", force=True), 409, "checks_unproven")

    assert "lint" in problem.detail
    assert "unit" not in problem.detail


async def test_evidence_of_an_earlier_commit_proves_nothing(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "Works", "check": "unit"}])
    await handed_in(plan.server.pool, task, green=("unit",))
    await plan.server.pool.execute("UPDATE tasks SET commit_sha = $1", "b" * 40)
    await plan.server.pool.execute("UPDATE attempts SET commit_sha = $1", "b" * 40)

    refused(await plan.status(task, "DONE"), 409, "checks_unproven")

    await plan.server.pool.execute("UPDATE tasks SET commit_sha = $1", SHA)
    assert told(await plan.status(task, "DONE"), Task).status is Status.DONE


async def test_an_agents_evidence_does_not_prove_what_a_person_hands_in_later(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "Works", "check": "unit"}])
    await handed_in(plan.server.pool, task, green=("unit",))
    await plan.status(task, "BACKLOG", feedback="I do it myself.")
    await plan.edit(task, assignee="Grace")
    await plan.status(task, "IN_PROGRESS")
    assert told(await plan.status(task, "IN_REVIEW"), Task).commit is None

    refused(await plan.status(task, "DONE"), 409, "checks_unproven")


async def test_open_items_of_people_stop_an_approval_without_force(plan: Planner) -> None:
    task = await plan.task(checklist=[{"text": "Read the text"}])
    await handed_in(plan.server.pool, task)

    refused(await plan.status(task, "DONE"), 409, "items_open")

    assert told(await plan.status(task, "DONE", force=True), Task).status is Status.DONE


async def test_a_decision_may_be_bound_to_the_version_it_was_made_from(plan: Planner) -> None:
    task = await plan.task()
    await plan.edit(task, title="Now it says something else")
    path, decision = plan.path(f"/tasks/{task.id}/status"), {"status": "DONE"}

    refused(await plan.api.post(path, json=decision, headers={"If-Match": '"1"'}), 409, "stale")

    assert told(await plan.api.post(path, json=decision, headers={"If-Match": '"2"'}), Task).status is Status.DONE


async def test_a_decision_sent_twice_with_one_key_happens_once(plan: Planner) -> None:
    task = await plan.task()
    await handed_in(plan.server.pool, task)
    body = b'{"status": "BACKLOG", "feedback": "Once."}'

    answers = [await plan.post(f"/tasks/{task.id}/status", body, **{"Idempotency-Key": "decision"}) for _ in range(2)]

    assert told(answers[0], Task) == told(answers[1], Task)
    assert len(await plan.comments(task)) == 1
