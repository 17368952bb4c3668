"""`locus status` against the real server: what one screen says, and how it follows what happens."""

import asyncio
import re
import shlex
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from rich.cells import cell_len
from tests.support import person as persons, server as servers
from tests.support.nowhere import Nowhere
from tests.support.person import Person, Said
from tests.support.server import RunningServer

from locus.cli.status import screen
from locus.cli.status.standing import Standing
from locus.client.plane import ControlPlane
from locus.version import VERSION
from locus.wire.agents import Agent, AgentLiveness, AgentRegistration, AgentState, HostClass, OsFamily, ProviderName
from locus.wire.sprints import Sprint, SprintDraft, SprintStatus, TaskCounts
from locus.wire.tasks import BlockedReason, Phase, Priority, Status, StatusChange, Task, TaskDraft, TaskEdit
from locus.wire.work import Claim, Renewal
from locus.wire.workspaces import Purpose

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def plane(server: RunningServer) -> AsyncIterator[ControlPlane]:
    async with ControlPlane(
        server.url, await server.key(Purpose.ADMIN), server.workspace.id, egress=Nowhere()
    ) as plane:
        yield plane


@pytest.fixture
async def person(tmp_path: Path, server: RunningServer) -> Person:
    """Somebody who is signed in to the server."""
    return persons.new(tmp_path, LOCUS_SERVER=server.url, LOCUS_API_KEY=await server.key(Purpose.ADMIN))


async def said(person: Person, *arguments: str) -> Said:
    return await asyncio.to_thread(person.locus, *arguments)


async def a_sprint(plane: ControlPlane, *titles: str) -> list[Task]:
    """Start a sprint with these tasks."""
    sprint = await plane.sprints.create(SprintDraft(name="Sign-in"))
    await plane.sprints.start(sprint.id)
    return [await plane.tasks.create(TaskDraft(title=title, sprint_id=sprint.id)) for title in titles]


async def an_agent(plane: ControlPlane) -> Agent:
    return await plane.agents.register(
        AgentRegistration(
            name="otter",
            host_class=HostClass.CI,
            os_family=OsFamily.LINUX,
            provider=ProviderName.CLAUDE,
            locus_version=VERSION,
        )
    )


async def test_an_empty_workspace_leads_step_by_step_to_work(person: Person) -> None:
    suggestion = re.compile(r":  (locus .+)")
    followed = []
    for _ in range(3):
        shown = await said(person, "status")
        assert shown.code == 0, shown.err
        found = suggestion.search(shown.out)
        assert found is not None, shown.out
        followed.append(found[1])
        if found[1] == "locus run":
            break
        done = await said(person, *shlex.split(found[1])[1:])
        assert done.code == 0, done.err

    assert followed == ['locus sprints add "..." --start', 'locus tasks add "..." --sprint active', "locus run"]


async def test_next_up_is_the_order_in_which_agents_get_the_tasks(person: Person, plane: ControlPlane) -> None:
    first, second, third = await a_sprint(plane, "Later", "Sooner", "After the first")
    await plane.tasks.edit(second.key, TaskEdit(priority=Priority.CRITICAL), version=second.version)
    await plane.tasks.edit(third.key, TaskEdit(depends_on=[first.id]), version=third.version)

    shown = await said(person, "status")

    places = [shown.out.index(key) for key in (second.key, first.key)]
    agent = await an_agent(plane)
    claimed = await plane.dispatch.claim(Claim(agent_id=agent.id))
    assert places == sorted(places)
    assert claimed.snapshot is not None
    assert claimed.snapshot.task.key == second.key


async def test_an_agent_is_shown_with_its_task_its_phase_and_its_lease(person: Person, plane: ControlPlane) -> None:
    (task,) = await a_sprint(plane, "Refuse a bad address")
    agent = await an_agent(plane)
    claimed = await plane.dispatch.claim(Claim(agent_id=agent.id))
    assert claimed.lease is not None
    await plane.dispatch.renew(task.id, Renewal(fence=claimed.lease.fence, phase=Phase.CHECKS))

    shown = await said(person, "status")

    line = next(line for line in shown.out.splitlines() if "otter" in line)
    assert f"{task.key} checks" in line
    assert re.search(r"lease (3 min|2 min \d+ s)", line), line


async def test_blocked_tasks_say_why_in_words(person: Person, plane: ControlPlane) -> None:
    (task,) = await a_sprint(plane, "Decide something")
    await plane.tasks.set_status(task.key, StatusChange(status=Status.BLOCKED, reason=BlockedReason.NEEDS_INPUT))

    shown = await said(person, "status")

    line = next(line for line in shown.out.splitlines() if task.key in line)
    assert "needs an answer from you" in line


def test_every_reason_for_blocking_has_words() -> None:
    assert set(screen.WHY) == set(BlockedReason)
    assert set(screen.LIVENESS) == set(AgentLiveness)


async def test_json_is_the_whole_standing(person: Person, plane: ControlPlane) -> None:
    (task,) = await a_sprint(plane, "Refuse a bad address")

    shown = await said(person, "status", "--json")

    standing = msgspec.json.decode(shown.out, type=Standing)
    assert [one.key for one in standing.next_up] == [task.key]
    assert standing.sprint is not None
    assert standing.sprint.tasks.backlog == 1


async def test_a_pipe_gets_no_escape_sequences_and_whole_titles(person: Person, plane: ControlPlane) -> None:
    title = "A title with \u009b31m a sequence, " + "long " * 30 + "end"
    await a_sprint(plane, title)

    shown = await said(person, "status")

    assert "\x1b" not in shown.out
    assert "\u009b" not in shown.out
    assert "long end" in shown.out


async def test_watching_in_a_terminal_shows_what_happens(person: Person, plane: ControlPlane) -> None:
    (task,) = await a_sprint(plane, "Refuse a bad address")
    terminal = await asyncio.to_thread(person.at_terminal, "status", "--watch", timeout=20)
    await asyncio.to_thread(terminal.expect, "Next up")

    await plane.tasks.set_status(task.key, StatusChange(status=Status.BLOCKED))
    await asyncio.to_thread(terminal.expect, "a person blocked it", timeout=5)
    await plane.tasks.set_status(task.key, StatusChange(status=Status.BACKLOG))
    await asyncio.to_thread(terminal.expect, "Nothing waits for you", timeout=5)
    terminal.sendintr()
    await asyncio.to_thread(terminal.wait)

    assert terminal.exitstatus == 130


async def test_watching_in_a_pipe_says_a_line_for_each_change(person: Person, plane: ControlPlane) -> None:
    (task,) = await a_sprint(plane, "Refuse a bad address")
    watching = await asyncio.create_subprocess_exec(
        *persons.command("status", "--watch"),
        env=person.environment(),
        cwd=person.home,
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    assert watching.stdout is not None
    try:
        lines = [await asyncio.wait_for(watching.stdout.readline(), 20)]
        await plane.tasks.set_status(task.key, StatusChange(status=Status.BLOCKED))
        lines.append(await asyncio.wait_for(watching.stdout.readline(), 5))
    finally:
        watching.terminate()
        await watching.wait()

    assert b"0/1 done" in lines[0]
    assert b"1 blocked" in lines[1]


async def test_watching_keeps_trying_when_the_server_has_gone(tmp_path: Path, dsn: str) -> None:
    async with servers.running(dsn) as server:
        key = await server.key(Purpose.ADMIN)
        person = persons.new(tmp_path, LOCUS_SERVER=server.url, LOCUS_API_KEY=key)
        terminal = await asyncio.to_thread(person.at_terminal, "status", "--watch", timeout=30)
        await asyncio.to_thread(terminal.expect, "No sprint is active")

    await asyncio.to_thread(terminal.expect, "Trying again")
    terminal.sendintr()
    await asyncio.to_thread(terminal.wait)

    assert terminal.exitstatus == 130


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_fullest_standing_fits_on_one_screen(width: int) -> None:
    standing = Standing(
        workspace="Web",
        sprint=a_full_sprint(),
        progress=None,
        planned=None,
        agents=[an_agent_at_work(number) for number in range(30)],
        next_up=[a_task(number, Status.BACKLOG) for number in range(100)],
        reviews=[a_task(number, Status.IN_REVIEW) for number in range(100, 150)],
        blocked=[a_task(number, Status.BLOCKED) for number in range(200, 250)],
        asked_at=NOW,
    )

    told = screen.lines(standing, now=NOW + timedelta(seconds=1), width=width)

    assert len(told) <= 40
    titles = ["".join(cell.text for cell in line) for line in told if any("Translate" in cell.text for cell in line)]
    assert titles
    assert max(cell_len(title) for title in titles) <= max(width, 80)


def test_a_single_blocked_task_of_hundreds_has_its_mark() -> None:
    dots = "".join(cell.text for cell in screen._dots(a_full_sprint()))

    assert "!" in dots
    assert len(dots) <= screen.DOTS + len(screen.ORDER)


def a_full_sprint() -> Sprint:
    return Sprint(
        id=uuid4(),
        workspace_id=uuid4(),
        number=12,
        name="Everything",
        goal="",
        status=SprintStatus.ACTIVE,
        starts_on=None,
        ends_on=None,
        started_at=NOW,
        completed_at=None,
        tasks=TaskCounts(backlog=400, in_progress=30, in_review=50, done=300, blocked=1),
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


def an_agent_at_work(number: int) -> Agent:
    return Agent(
        id=uuid4(),
        workspace_id=uuid4(),
        name=f"agent-{number}",
        host_class=HostClass.CI,
        os_family=OsFamily.LINUX,
        provider=ProviderName.CODEX,
        provider_version="0.169.0",
        model=None,
        locus_version=VERSION,
        state=AgentState.WORKING,
        liveness=AgentLiveness.LIVE,
        task_id=uuid4(),
        task_key=f"WEB-{number}",
        phase=Phase.AGENT,
        lease_expires_in_ms=161_000,
        parked_until=None,
        registered_at=NOW,
        last_heartbeat_at=NOW,
    )


def a_task(number: int, status: Status) -> Task:
    return Task(
        id=uuid4(),
        workspace_id=uuid4(),
        key=f"WEB-{number}",
        number=number,
        sprint_id=None,
        parent_id=None,
        title="Translate 日本語の長い題名 and a good many other words that take room " * 2,
        description="",
        status=status,
        blocked_reason=BlockedReason.NO_CHANGE if status is Status.BLOCKED else None,
        priority=Priority.HIGH,
        role=None,
        labels=[],
        assignee=None,
        due_on=None,
        checklist=[],
        depends_on=[],
        doc_ids=[],
        position=float(number),
        attempts=0,
        attempt_cap=3,
        fence=0,
        agent_id=None,
        agent_name=None,
        phase=None,
        cancel_requested=False,
        commit="a" * 40 if status is Status.IN_REVIEW else None,
        branch=None,
        pull_request_url=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
