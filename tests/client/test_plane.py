"""Every method of the client against the real server: paths, methods and types agree."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.nowhere import Nowhere
from tests.support.server import RunningServer

from locus.client.errors import Conflict, Forbidden, Invalid, NotFound, NotSignedIn, PlaneError, Stale
from locus.client.plane import ControlPlane
from locus.client.tasks import Filter
from locus.client.workspaces import choose
from locus.wire.agents import (
    AgentLiveness,
    AgentRegistration,
    AgentState,
    Heartbeat,
    HostClass,
    LeaseBeat,
    OsFamily,
    ProviderName,
)
from locus.wire.docs import DocDraft, DocEdit, DocKind
from locus.wire.sprints import OpenTasks, SprintCompletion, SprintDraft, SprintEdit, SprintStatus
from locus.wire.tasks import (
    ChecklistItemDraft,
    ItemEdit,
    Phase,
    Priority,
    PullRequestLink,
    Status,
    StatusChange,
    Task,
    TaskDraft,
    TaskEdit,
    TasksMove,
)
from locus.wire.work import (
    Claim,
    Completion,
    FailReason,
    Failure,
    Lease,
    Numbers,
    OutcomeKind,
    Release,
    ReleaseReason,
    Renewal,
)
from locus.wire.workspaces import ApiKeyDraft, OrganizationEdit, Purpose, WorkspaceDraft, WorkspaceEdit

NUMBERS = Numbers(provider=ProviderName.COMMAND)
COMMIT = "a" * 40
REGISTRATION = AgentRegistration(
    name="runner",
    host_class=HostClass.LAPTOP,
    os_family=OsFamily.LINUX,
    provider=ProviderName.COMMAND,
    locus_version="0.1.0",
)


@pytest.fixture
async def plane(server: RunningServer) -> AsyncIterator[ControlPlane]:
    key = await server.key(Purpose.ADMIN)
    async with ControlPlane(server.url, key, server.workspace.id, egress=Nowhere()) as plane:
        yield plane


async def active_sprint(plane: ControlPlane) -> str:
    sprint = await plane.sprints.create(SprintDraft(name="First"))
    await plane.sprints.start(sprint.id)
    return str(sprint.id)


async def titles(plane: ControlPlane, wanted: Filter | None = None) -> list[str]:
    return [task.title async for task in plane.tasks.all(wanted)]


async def test_me_tells_whose_key_it_is(server: RunningServer) -> None:
    key = await server.key(Purpose.WORKER, workspace=server.workspace)
    async with ControlPlane(server.url, key, egress=Nowhere()) as plane:
        me = await plane.me()

    assert me.purpose is Purpose.WORKER
    assert me.workspace is not None
    assert me.workspace.id == server.workspace.id


async def test_a_key_that_nobody_made_is_not_signed_in(server: RunningServer) -> None:
    async with ControlPlane(server.url, "lcs_" + "x" * 36, egress=Nowhere()) as plane:
        with pytest.raises(NotSignedIn):
            await plane.me()


async def test_a_task_is_created_read_edited_and_deleted(plane: ControlPlane) -> None:
    task = await plane.tasks.create(TaskDraft(title="Map<string, List<int>>", labels=["a"]))
    assert (await plane.tasks.get(task.key)) == task
    assert (await plane.tasks.get(task.id)) == task

    edited = await plane.tasks.edit(task.key, TaskEdit(title="Other"), version=task.version)
    with pytest.raises(Stale):
        await plane.tasks.edit(task.key, TaskEdit(title="Late"), version=task.version)
    await plane.tasks.delete(task.id, version=edited.version)

    assert (edited.title, edited.labels) == ("Other", ["a"])
    with pytest.raises(NotFound):
        await plane.tasks.get(task.key)


async def test_a_create_said_twice_happens_once(plane: ControlPlane) -> None:
    draft = TaskDraft(title="Once")
    first = await plane.tasks.create(draft, idempotency_key="k1")
    second = await plane.tasks.create(draft, idempotency_key="k1")

    assert first == second
    assert await titles(plane) == ["Once"]


async def test_a_long_list_comes_whole_and_in_order(plane: ControlPlane) -> None:
    made = await asyncio.gather(*(plane.tasks.create(TaskDraft(title=f"T{n}")) for n in range(205)))

    found = [task.id async for task in plane.tasks.all()]

    assert len(found) == 205
    assert set(found) == {task.id for task in made}


async def test_every_filter_reaches_the_server(plane: ControlPlane) -> None:
    sprint = await active_sprint(plane)
    await plane.tasks.create(TaskDraft(title="A", priority=Priority.HIGH, labels=["x"], assignee="ada"))
    await plane.tasks.create(TaskDraft(title="B", sprint_id=(await plane.sprints.get(sprint)).id))
    blocked = await plane.tasks.create(TaskDraft(title="C", description="needle"))
    await plane.tasks.set_status(blocked.key, StatusChange(status=Status.BLOCKED))

    assert await titles(plane, Filter(status=[Status.BLOCKED])) == ["C"]
    assert sorted(await titles(plane, Filter(status=[Status.BLOCKED, Status.BACKLOG]))) == ["A", "B", "C"]
    assert await titles(plane, Filter(sprint="active")) == ["B"]
    assert await titles(plane, Filter(sprint="1")) == ["B"]
    assert sorted(await titles(plane, Filter(sprint="none"))) == ["A", "C"]
    assert await titles(plane, Filter(priority=[Priority.HIGH])) == ["A"]
    assert await titles(plane, Filter(label=["x"])) == ["A"]
    assert await titles(plane, Filter(assignee="ada")) == ["A"]
    assert await titles(plane, Filter(text="NEEDLE")) == ["C"]
    assert await titles(plane, Filter(view="next")) == ["B"]


async def test_tasks_move_into_a_sprint_and_in_its_order(plane: ControlPlane) -> None:
    sprint = await plane.sprints.create(SprintDraft(name="First"))
    tasks = [await plane.tasks.create(TaskDraft(title=t)) for t in "ABC"]

    moved = await plane.tasks.move(TasksMove(task_ids=[t.id for t in tasks], sprint_id=sprint.id))
    await plane.tasks.move(TasksMove(task_ids=[tasks[2].id], before=tasks[0].id))

    assert {task.sprint_id for task in moved} == {sprint.id}
    assert await titles(plane, Filter(sprint="1")) == ["C", "A", "B"]


async def test_checklist_comments_and_decisions(plane: ControlPlane) -> None:
    task = await plane.tasks.create(TaskDraft(title="A", checklist=[ChecklistItemDraft(text="copy")]))

    ticked = await plane.tasks.edit_item(task.key, task.checklist[0].id, ItemEdit(done=True))
    comment = await plane.tasks.comment(task.key, "look here")
    done = await plane.tasks.set_status(task.key, StatusChange(status=Status.DONE))
    back = await plane.tasks.set_status(task.key, StatusChange(status=Status.BACKLOG, feedback="not yet"))

    said = [one.text async for one in plane.tasks.comments(task.key)]
    assert ticked.checklist[0].done
    assert comment.text == "look here"
    assert (done.status, back.status) == (Status.DONE, Status.BACKLOG)
    assert said == ["look here", "not yet"]


async def test_a_refusal_names_the_field(plane: ControlPlane) -> None:
    with pytest.raises(Invalid) as raised:
        await plane.tasks.create(TaskDraft(title=""))

    assert raised.value.problem.errors[0].field == "title"
    assert "title" in raised.value.message


async def test_a_sprint_from_plan_to_end(plane: ControlPlane) -> None:
    first = await plane.sprints.create(SprintDraft(name="First"))
    second = await plane.sprints.create(SprintDraft(name="Second"))
    edited = await plane.sprints.edit(1, SprintEdit(goal="sign in"), version=first.version)
    started = await plane.sprints.start(1)
    with pytest.raises(Conflict):
        await plane.sprints.start(2)
    await plane.tasks.create(TaskDraft(title="A", sprint_id=first.id))
    progress = await plane.sprints.progress("active")
    with pytest.raises(Conflict):
        await plane.sprints.complete("active", SprintCompletion())
    ended = await plane.sprints.complete("active", SprintCompletion(open_tasks=OpenTasks.TO_BACKLOG))
    await plane.sprints.delete(2, version=second.version)

    assert edited.goal == "sign in"
    assert started.status is SprintStatus.ACTIVE
    assert (progress.number, progress.claimable) == (1, 1)
    assert ended.status is SprintStatus.COMPLETED
    assert [sprint.number async for sprint in plane.sprints.all()] == [1]


async def test_docs(plane: ControlPlane) -> None:
    doc = await plane.docs.create(DocDraft(title="Plan", kind=DocKind.ADR, text="Map<string, List<int>>"))
    edited = await plane.docs.edit(doc.id, DocEdit(title="Plan B"), version=doc.version)
    read = await plane.docs.get(doc.id)
    found = [one.title async for one in plane.docs.all(kind=[DocKind.ADR])]
    others = [one.title async for one in plane.docs.all(kind=[DocKind.PRD])]
    await plane.docs.delete(doc.id, version=edited.version)

    assert read.text == "Map<string, List<int>>"
    assert (found, others) == (["Plan B"], [])
    assert [one async for one in plane.docs.all()] == []


async def test_workspaces_and_keys(server: RunningServer, plane: ControlPlane) -> None:
    renamed = await plane.workspaces.rename_organization(OrganizationEdit(name="Acme"))
    made = await plane.workspaces.create(WorkspaceDraft(name="Api", prefix="API"))
    edited = await plane.workspaces.edit(made.id, WorkspaceEdit(attempt_cap=5), version=made.version)
    key = await plane.workspaces.create_key(made.id, ApiKeyDraft(name="ci"))
    keys = [one.id async for one in plane.workspaces.keys(made.id)]
    async with ControlPlane(server.url, key.secret, egress=Nowhere()) as narrow:
        assert (await choose(narrow.transport, None)).id == made.id
        with pytest.raises(PlaneError, match="WEB"):
            await choose(narrow.transport, "WEB")
        with pytest.raises(Forbidden):
            await narrow.workspaces.rename_organization(OrganizationEdit(name="Mine"))
    await plane.workspaces.revoke_key(made.id, key.key.id)
    both = sorted([one.prefix async for one in plane.workspaces.all()])
    await plane.workspaces.delete(made.id, version=edited.version, confirm="API")

    assert (await plane.workspaces.organization()).name == renamed.name == "Acme"
    assert edited.attempt_cap == 5
    assert keys == [key.key.id]
    assert both == ["API", "WEB"]
    assert [one.prefix async for one in plane.workspaces.all()] == ["WEB"]


async def test_the_workspace_is_chosen_by_name_prefix_or_id_and_else_asked_for(plane: ControlPlane) -> None:
    made = await plane.workspaces.create(WorkspaceDraft(name="Api", prefix="SRV"))

    for wanted in ("api", "Srv", str(made.id)):
        assert (await choose(plane.transport, wanted)).id == made.id
    with pytest.raises(PlaneError, match="several") as several:
        await choose(plane.transport, None)
    with pytest.raises(PlaneError, match="no workspace 'nope'"):
        await choose(plane.transport, "nope")

    assert "Api (SRV)" in str(several.value)


async def test_without_a_workspace_nothing_of_one_is_asked_for(server: RunningServer) -> None:
    async with ControlPlane(server.url, await server.key(), egress=Nowhere()) as plane:
        with pytest.raises(PlaneError, match="workspace"):
            await plane.tasks.get("WEB-1")


async def test_a_name_cannot_leave_its_place_in_the_path(plane: ControlPlane) -> None:
    for name in ("../sprints", "..", ".", "a/b", "a?limit=1", "%2e%2e", "#", "ü"):
        with pytest.raises((NotFound, Invalid)):
            await plane.tasks.get(name)


async def claimed(plane: ControlPlane) -> tuple[Task, Lease]:
    sprint = await plane.sprints.get(await active_sprint(plane))
    await plane.tasks.create(TaskDraft(title="A", sprint_id=sprint.id))
    agent = await plane.agents.register(REGISTRATION)
    answer = await plane.dispatch.claim(Claim(agent_id=agent.id))
    assert answer.lease is not None
    assert answer.snapshot is not None
    return answer.snapshot.task, answer.lease


async def test_a_task_is_claimed_kept_and_completed(plane: ControlPlane) -> None:
    task, lease = await claimed(plane)

    renewed = await plane.dispatch.renew(task.id, Renewal(fence=lease.fence, phase=Phase.AGENT))
    completion = Completion(fence=lease.fence, commit=COMMIT, branch="locus/sprint-1", evidence=[], numbers=NUMBERS)
    recorded = await plane.dispatch.complete(task.id, completion)
    url = "https://github.com/acme/shop/pull/1"
    linked = await plane.tasks.link_pull_request(
        PullRequestLink(task_ids=[task.id], url=url, number=1, branch="locus/sprint-1", head=COMMIT)
    )
    attempts = [attempt async for attempt in plane.tasks.attempts(task.key)]

    assert renewed.expires_in_ms > 0
    assert recorded.task.status is Status.IN_REVIEW
    assert linked[0].pull_request_url == url
    assert [attempt.outcome for attempt in attempts] == [OutcomeKind.COMPLETED]


async def test_a_task_is_failed_released_and_cancelled(plane: ControlPlane) -> None:
    task, lease = await claimed(plane)
    failed = await plane.dispatch.fail(
        task.id, Failure(fence=lease.fence, reason=FailReason.AGENT_FAILED, numbers=NUMBERS)
    )
    agent = await plane.agents.register(REGISTRATION)
    again = await plane.dispatch.claim(Claim(agent_id=agent.id), idempotency_key="c1")
    repeated = await plane.dispatch.claim(Claim(agent_id=agent.id), idempotency_key="c1")
    assert again.lease is not None
    assert repeated.lease is not None
    asked = await plane.dispatch.cancel(task.key)
    released = await plane.dispatch.release(task.id, Release(fence=again.lease.fence, reason=ReleaseReason.INTERRUPTED))

    assert failed.task.status is Status.BACKLOG
    assert repeated.lease.fence == again.lease.fence
    assert asked.cancel_requested
    assert released.task.agent_id is None


async def test_a_claim_waits_for_a_task_as_long_as_it_says(plane: ControlPlane) -> None:
    sprint = await plane.sprints.get(await active_sprint(plane))
    agent = await plane.agents.register(REGISTRATION)
    empty = await plane.dispatch.claim(Claim(agent_id=agent.id))
    waiting = asyncio.create_task(plane.dispatch.claim(Claim(agent_id=agent.id, wait_ms=20_000)))
    await plane.tasks.create(TaskDraft(title="Late", sprint_id=sprint.id))

    async with asyncio.timeout(10):
        answer = await waiting

    assert empty.lease is None
    assert empty.progress is not None
    assert answer.snapshot is not None
    assert answer.snapshot.task.title == "Late"


async def test_agents_are_listed_and_keep_their_lease_by_heartbeat(plane: ControlPlane) -> None:
    task, lease = await claimed(plane)
    agents = [agent async for agent in plane.agents.all()]
    beat = Heartbeat(state=AgentState.WORKING, lease=LeaseBeat(task_id=task.id, fence=lease.fence, phase=Phase.CHECKS))
    answer = await plane.agents.heartbeat(agents[0].id, beat)
    agent = await plane.agents.get(agents[0].id)

    assert [one.name for one in agents] == ["runner"]
    assert answer.lease_held
    assert (agent.liveness, agent.phase) == (AgentLiveness.LIVE, Phase.CHECKS)


async def test_events_are_listed_and_followed(plane: ControlPlane) -> None:
    await plane.tasks.create(TaskDraft(title="A"))
    seen = []
    async with asyncio.timeout(10):
        events = plane.events.stream(after=0)
        async for event in events:
            seen.append(event.kind.value)
            if len(seen) == 1:
                await plane.tasks.create(TaskDraft(title="B"))
            if seen.count("task.created") == 2:
                break
        await events.aclose()
    listed = [event.kind.value async for event in plane.events.all()]

    assert seen == listed[: len(seen)]
    assert listed.count("task.created") == 2
