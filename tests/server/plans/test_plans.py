"""Plans: proposed, approved as a whole or not at all, and never twice."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.server.tasks.planning import Planner, refused, told

from locus.server.errors import Invalid
from locus.server.plans import rules
from locus.server.plans.rules import LEAST_HISTORY, Took
from locus.wire.base import Page
from locus.wire.events import EventKind
from locus.wire.plans import Plan, PlanApproved, PlanDraft, PlanForecast, PlanStatus, PlanTask, Range
from locus.wire.sprints import Sprint, SprintStatus

TASKS = [
    {"ref": "model", "title": "T1", "description": "Where: shop.py", "role": "BACKEND", "priority": "HIGH"},
    {"ref": "api", "title": "T2", "depends_on": ["model"], "labels": ["api"], "complexity": 3},
    {
        "ref": "page",
        "title": "T3",
        "depends_on": ["model", "api"],
        "checklist": [{"text": "Tests are green", "check": "unit", "red_first": True}, {"text": "It looks good"}],
    },
]
PLAN: dict[str, Any] = {
    "name": "Search",
    "goal": "People find things.",
    "tasks": TASKS,
    "risks": [{"description": "Slow", "mitigation": "Index it", "severity": "HIGH"}],
}


async def approve(plan: Planner, plan_id: UUID, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await plan.api.post(plan.path(f"/plans/{plan_id}/approve"), json=body, headers=headers)


async def counted(plan: Planner) -> dict[str, int]:
    """How many rows there are of everything that an approval makes."""
    tables = ("sprints", "tasks", "task_dependencies", "events")
    return {table: await plan.server.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_an_approved_plan_is_a_sprint_with_its_tasks_and_what_they_wait_for(plan: Planner) -> None:
    await plan.api.patch(plan.path(), json={"default_checklist": [{"text": "Changelog"}]}, headers={"If-Match": "*"})
    plan_id = uuid4()

    made = told(await approve(plan, plan_id, {"plan": PLAN}), PlanApproved)

    one, two, three = made.tasks
    assert (made.plan.id, made.plan.status, made.plan.sprint_id) == (plan_id, PlanStatus.APPROVED, made.sprint.id)
    assert (made.sprint.name, made.sprint.goal, made.sprint.status) == (
        "Search",
        "People find things.",
        SprintStatus.PLANNED,
    )
    assert [task.title for task in made.tasks] == ["T1", "T2", "T3"]
    assert [task.number for task in made.tasks] == [1, 2, 3]
    assert (one.description, one.role, one.priority.value) == ("Where: shop.py", "BACKEND", "HIGH")
    assert (two.depends_on, set(three.depends_on)) == ([one.id], {one.id, two.id})
    assert [(item.text, item.check, item.red_first) for item in three.checklist] == [
        ("Tests are green", "unit", True),
        ("It looks good", None, False),
        ("Changelog", None, False),
    ]
    assert await plan.task("Next") and (await plan.keys(sprint="1")) == ["WEB-1", "WEB-2", "WEB-3"]
    kinds = [event.kind for event in await plan.events()]
    assert kinds.count(EventKind.TASK_CREATED) == 4
    assert kinds.count(EventKind.PLAN_APPROVED) == 1


async def test_approving_again_answers_the_same_and_changes_nothing(plan: Planner) -> None:
    plan_id = uuid4()
    first = told(await approve(plan, plan_id, {"plan": PLAN}), PlanApproved)
    before = await counted(plan)

    again = told(await approve(plan, plan_id, {"plan": PLAN}), PlanApproved)
    without = told(await approve(plan, plan_id, {}), PlanApproved)

    assert again == without == first
    assert await counted(plan) == before


async def test_of_approvals_at_once_one_makes_the_sprint(plan: Planner) -> None:
    plan_id = uuid4()

    answers = await asyncio.gather(*(approve(plan, plan_id, {"plan": PLAN}) for _ in range(4)))

    assert len({told(answer, PlanApproved).sprint.id for answer in answers}) == 1
    assert (await counted(plan))["tasks"] == 3


@pytest.mark.parametrize(
    ("table", "when", "moment"),
    [
        ("sprints", "true", "INSERT"),
        ("tasks", "NEW.title = 'T3'", "INSERT"),
        ("task_dependencies", "true", "INSERT"),
        ("events", "NEW.kind = 'task.created'", "INSERT"),
        ("plans", "NEW.status = 'APPROVED'", "UPDATE"),
        ("events", "NEW.kind = 'plan.approved'", "INSERT"),
    ],
)
async def test_an_approval_that_is_interrupted_leaves_nothing_and_can_be_repeated(
    plan: Planner, table: str, when: str, moment: str
) -> None:
    before = await counted(plan)
    pool = plan.server.pool
    await pool.execute(
        "CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the power failed'; END $$"
    )
    await pool.execute(
        f"CREATE TRIGGER falls BEFORE {moment} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fall()"
    )
    plan_id = uuid4()

    broken = await approve(plan, plan_id, {"plan": PLAN}, **{"Idempotency-Key": "once"})
    after = await counted(plan)
    await pool.execute(f"DROP TRIGGER falls ON {table}")
    repeated = told(await approve(plan, plan_id, {"plan": PLAN}, **{"Idempotency-Key": "once"}), PlanApproved)

    assert broken.status_code == 500
    assert after == before
    assert [task.key for task in repeated.tasks] == ["WEB-1", "WEB-2", "WEB-3"]


async def test_an_active_sprint_is_never_closed_by_an_approval(plan: Planner) -> None:
    active = await plan.sprint("Now", start=True)

    made = told(await approve(plan, uuid4(), {"plan": PLAN, "start": True}), PlanApproved)

    assert made.sprint.status is SprintStatus.PLANNED
    assert told(await plan.api.get(plan.path("/sprints/active")), Sprint) == active


async def test_an_approval_starts_the_sprint_when_asked_to_and_none_is_active(plan: Planner) -> None:
    made = told(await approve(plan, uuid4(), {"plan": PLAN, "start": True}), PlanApproved)

    assert made.sprint.status is SprintStatus.ACTIVE


async def test_a_plan_is_sent_decided_about_by_somebody_else_and_listed(plan: Planner) -> None:
    plan_id = uuid4()
    proposal = {"id": str(plan_id), "plan": PLAN}
    sent = told(await plan.api.post(plan.path("/plans"), json=proposal), Plan, 201)
    again = told(await plan.api.post(plan.path("/plans"), json=proposal), Plan, 201)
    assert again == sent
    edited = told(
        await plan.api.post(plan.path("/plans"), json={**proposal, "plan": {**PLAN, "name": "Other"}}), Plan, 201
    )
    assert (edited.draft.name, edited.version) == ("Other", 2)

    rejected = told(await plan.api.post(plan.path(f"/plans/{plan_id}/reject"), json={"feedback": "Too large"}), Plan)

    assert (rejected.status, rejected.feedback) == (PlanStatus.REJECTED, "Too large")
    refused(await approve(plan, plan_id, {}), 409, "plan_is_rejected")
    refused(await plan.api.post(plan.path(f"/plans/{plan_id}/cancel")), 409, "plan_is_rejected")
    refused(await plan.api.post(plan.path("/plans"), json=proposal), 409, "plan_is_rejected")
    listed = told(await plan.api.get(plan.path("/plans"), params={"status": "REJECTED"}), Page[Plan])
    assert listed.items == [rejected]
    assert told(await plan.api.get(plan.path("/plans"), params={"status": "PROPOSED"}), Page[Plan]).items == []


async def test_a_plan_that_was_approved_is_not_approved_as_another(plan: Planner) -> None:
    plan_id = uuid4()
    told(await approve(plan, plan_id, {"plan": PLAN}), PlanApproved)

    refused(await approve(plan, plan_id, {"plan": {**PLAN, "name": "Other"}}), 409, "plan_is_approved")
    refused(await approve(plan, uuid4(), {}), 404)


@pytest.mark.parametrize(
    ("tasks", "field"),
    [
        ([("a", ["b"]), ("b", ["a"])], "tasks"),
        ([("a", ["a"])], "tasks"),
        ([("a", []), ("a", [])], "tasks.1.ref"),
        ([("a", ["nobody"])], "tasks.0.depends_on"),
    ],
    ids=["circle", "itself", "twice", "nobody"],
)
def test_tasks_that_do_not_fit_together_are_refused(tasks: list[tuple[str, list[str]]], field: str) -> None:
    draft = PlanDraft(name="p", tasks=[PlanTask(ref=ref, title="t", depends_on=waits) for ref, waits in tasks])

    with pytest.raises(Invalid) as refusal:
        rules.check(draft)

    assert [error.field for error in refusal.value.errors] == [field]


def test_a_forecast_is_as_wide_as_history_is_varied() -> None:
    even = rules.forecast(10, [Took(100, 1000)] * LEAST_HISTORY)
    varied = rules.forecast(10, [Took(usd, 1000) for usd in (50, 80, 100, 120, 650)])
    few = rules.forecast(10, [Took(100, 1000)] * (LEAST_HISTORY - 1))
    unpriced = rules.forecast(2, [Took(None, 1000)] * LEAST_HISTORY)

    assert even.usd_micros == Range(low=1000, middle=1000, high=1000)
    assert even.agent_ms == Range(low=10_000, middle=10_000, high=10_000)
    assert varied.usd_micros is not None
    assert varied.usd_micros.low < varied.usd_micros.middle < varied.usd_micros.high
    assert 1000 < varied.usd_micros.middle < 3500, "the mean is 200 a task"
    assert (few.usd_micros, few.history) == (None, LEAST_HISTORY - 1)
    assert (unpriced.usd_micros, unpriced.agent_ms) == (None, Range(low=2000, middle=2000, high=2000))


async def test_a_forecast_counts_all_attempts_of_finished_tasks_and_no_others(plan: Planner) -> None:
    tasks = await plan.tasks(6)
    for task in tasks[:5]:
        await attempt(plan, task.id, 1, 400)
        await attempt(plan, task.id, 2, 600)
        await plan.status(task, "DONE")
    await attempt(plan, tasks[5].id, 1, 1_000_000)

    found = told(await plan.api.get(plan.path("/plans/forecast"), params={"tasks": "3"}), PlanForecast)

    assert (found.tasks, found.history) == (3, 5)
    assert found.usd_micros == Range(low=3000, middle=3000, high=3000)


async def attempt(plan: Planner, task_id: UUID, fence: int, usd_micros: int) -> None:
    """An attempt that has ended and cost so much."""
    await plan.server.pool.execute(
        "INSERT INTO attempts (workspace_id, task_id, fence, claimed_at, outcome, numbers)"
        " VALUES ($1, $2, $3, now(), 'completed', $4)",
        plan.server.workspace.id,
        task_id,
        fence,
        {"provider": "claude", "usd_micros": usd_micros, "agent_ms": 1000},
    )
