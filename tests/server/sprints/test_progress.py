"""What is left in a sprint, as workers see it."""

from uuid import uuid4

from tests.server.tasks.planning import Planner, handed_in, held, told

from locus.server.sprints import store
from locus.wire.work import SprintProgress


async def test_every_task_of_the_sprint_is_counted_where_it_stands(plan: Planner) -> None:
    sprint = await plan.sprint(start=True)
    here = {"sprint_id": sprint.id}
    await plan.task("Elsewhere")
    needed = await plan.task("Claimable", **here)
    reviewed, done = await plan.task("In review", **here), await plan.task("Done", **here)
    await handed_in(plan.server.pool, reviewed)
    await plan.status(done, "DONE")
    await plan.task("Claimable too", **here, depends_on=[reviewed.id, done.id])
    waiting = await plan.task("Waits", **here, depends_on=[needed.id, done.id])
    await plan.task("Grace's, and waits", **here, assignee="Grace", depends_on=[needed.id])
    by_hand = await plan.task("Grace is at it", **here, assignee="Grace")
    await plan.status(by_hand, "IN_PROGRESS")
    await held(plan.server.pool, await plan.task("Held", **here))
    await plan.status(await plan.task("Blocked", **here), "BLOCKED")

    progress = told(await plan.api.get(plan.path("/sprints/active/progress")), SprintProgress)

    assert progress == SprintProgress(
        sprint_id=sprint.id,
        number=1,
        name="Sign-in",
        active=True,
        claimable=2,
        waiting=1,
        in_progress=1,
        assigned=2,
        blocked=1,
        in_review=1,
        done=1,
    )

    await plan.status(needed, "DONE")
    assert waiting.key in await plan.keys(view="next")
    progress = told(await plan.api.get(plan.path("/sprints/1/progress")), SprintProgress)
    assert (progress.claimable, progress.waiting) == (2, 0)


async def test_a_sprint_of_another_workspace_has_no_progress(plan: Planner) -> None:
    sprint = await plan.sprint()

    assert await store.progress(plan.server.pool, uuid4(), sprint.id) is None
    found = await store.progress(plan.server.pool, plan.server.workspace.id, sprint.id)
    assert found is not None
    assert not found.active
