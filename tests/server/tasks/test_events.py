"""What the events of tasks tell: enough to know where every task stands without reading the tables."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.server.tasks.planning import Planner

from locus.wire.events import Event, EventKind
from locus.wire.tasks import Status


@dataclass(frozen=True)
class Standing:
    status: Status | None
    sprint_id: UUID | None


def folded(events: list[Event]) -> dict[UUID, Standing]:
    """Where each task stands, by its events alone."""
    standing: dict[UUID, Standing] = {}
    for event in events:
        if event.task_id is None or event.kind is EventKind.COMMENT_ADDED:
            continue
        if event.kind is EventKind.TASK_DELETED:
            del standing[event.task_id]
        else:
            standing[event.task_id] = Standing(event.detail.status, event.sprint_id)
    return standing


async def test_events_tell_where_every_task_stands(plan: Planner) -> None:
    sprint, later = await plan.sprint(start=True), await plan.sprint("Later")
    one, two, three = await plan.tasks(3, sprint_id=sprint.id)
    four = await plan.task(depends_on=[one.id], checklist=[{"text": "Item", "id": "item"}])

    for step in (
        plan.status(one, "DONE"),
        plan.status(one, "BACKLOG", feedback="Not quite."),
        plan.status(two, "BLOCKED"),
        plan.edit(four, sprint_id=sprint.id, title="Four"),
        plan.api.patch(plan.path(f"/tasks/{four.key}/checklist/item"), json={"done": True}),
        plan.move([three], sprint_id=None),
        plan.move([four], after=one.id),
        plan.api.delete(plan.path(f"/tasks/{one.key}"), headers={"If-Match": "*"}),
        plan.complete(sprint, open_tasks="to_next_sprint"),
        plan.api.delete(plan.path(f"/sprints/{later.number}"), headers={"If-Match": "*"}),
        plan.post("/tasks", b'{"title": "Newest"}'),
    ):
        answer = await step
        assert answer.is_success, answer.text
        tasks = (await plan.page()).items
        assert folded(await plan.events()) == {task.id: Standing(task.status, task.sprint_id) for task in tasks}

    assert {event.actor_name for event in await plan.events()} == {"test admin"}


def test_every_test_that_the_specification_names_exists() -> None:
    root = Path(__file__).parents[3]
    text = (root / "docs" / "spec" / "states.md").read_text()
    named = {part for part in text.split("`") if part.startswith("test_")}
    tests = "\n".join(
        path.read_text()
        for area in ("tasks", "sprints")
        for path in (root / "tests" / "server" / area).glob("test_*.py")
    )

    assert len(named) > 30
    assert {name for name in named if f"def {name}(" not in tests} == set()
