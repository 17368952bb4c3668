"""`locus sprints` with the real server."""

from pathlib import Path

import pytest
from tests.support.at_server import SignedIn, signed_in
from tests.support.server import RunningServer


@pytest.fixture
async def ada(server: RunningServer, tmp_path: Path) -> SignedIn:
    return await signed_in(server, tmp_path)


async def test_a_sprint_from_its_plan_to_its_end(ada: SignedIn) -> None:
    assert "locus sprints add" in await ada.did("sprints")
    assert (
        await ada.did("sprints", "add", "Sign-in", "--goal", "A code by mail", "--ends", "2030-02-01", "-q")
    ) == "1\n"
    assert "active" in await ada.did("sprints", "start", "1")
    await ada.did("tasks", "add", "A", "--sprint", "active")
    shown = await ada.did("sprints", "show", "active")
    refused = await ada.locus("sprints", "complete", "active")
    assert "completed" in await ada.did("sprints", "complete", "1", "--open-tasks", "to-backlog")

    assert "A code by mail" in shown
    assert "WEB-1" in shown
    assert refused.code == 1
    assert "1 in the backlog" in refused.err
    assert "--open-tasks to-backlog" in refused.err
    assert "open_tasks" not in refused.err
    assert [sprint["status"] for sprint in await ada.told("sprints")] == ["COMPLETED"]
    assert (await ada.told("tasks"))[0]["sprint_id"] is None


async def test_open_tasks_go_to_the_sprint_that_is_named(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First", "--start")
    await ada.did("sprints", "add", "Second")
    await ada.did("tasks", "add", "A", "--sprint", "1")

    await ada.did("sprints", "complete", "1", "--open-tasks", "to-next-sprint", "--next", "2")

    assert [task["key"] for task in await ada.told("tasks", "list", "--sprint", "2")] == ["WEB-1"]


async def test_a_second_active_sprint_is_refused_by_name(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First", "--start")

    said = await ada.locus("sprints", "add", "Second", "--start")

    assert said.code == 1
    assert "First" in said.err or "1" in said.err


async def test_without_an_active_sprint_it_is_said(ada: SignedIn) -> None:
    said = await ada.locus("sprints", "show", "active")

    assert said.code == 1
    assert "No sprint is active." in said.err


async def test_fields_are_changed_by_flags_and_cleared_with_none(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First", "--starts", "2030-01-01", "--ends", "2030-02-01")

    sprint = await ada.told("sprints", "edit", "1", "--name", "Better", "--starts", "none")

    assert (sprint["name"], sprint["starts_on"], sprint["ends_on"]) == ("Better", None, "2030-02-01")


async def test_name_and_goal_are_written_in_the_editor(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First")
    program = ada.person.program("editor", 'printf "Better\\n\\nwith a goal\\n" > "$1"')
    ada.person.variables["VISUAL"] = str(program)

    sprint = await ada.told("sprints", "edit", "1")

    assert (sprint["name"], sprint["goal"]) == ("Better", "with a goal")


async def test_a_planned_sprint_is_deleted_only_with_a_yes(ada: SignedIn) -> None:
    await ada.did("sprints", "add", "First")

    assert (await ada.locus("sprints", "delete", "1")).code == 2
    await ada.did("sprints", "delete", "1", "--yes")

    assert await ada.told("sprints") == []
