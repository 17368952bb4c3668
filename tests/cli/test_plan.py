"""`locus plan` with the real agents: proposing, asking again, rejecting, editing, and approving exactly once."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support import agent_clis
from tests.support.beside import Beside, beside, standing, writes
from tests.support.model_server import Fails, Says, Step
from tests.support.person import Said
from tests.support.plans import answers, plan, task
from tests.support.scripted_http import reply, scripted
from tests.support.server import RunningServer

from locus.cli.beside.plan_view import graph
from locus.local.planning.kept import Plans, State
from locus.local.sessions.folder import folder_of
from locus.wire.plans import PlanDraft, PlanTask
from locus.wire.workspaces import Purpose

CHECKS = '[checks.unit]\nrun = "true"\n'


@pytest.fixture(params=["claude", "codex"])
def agent(request: pytest.FixtureRequest) -> str:
    agent_clis.require(request.param)
    return str(request.param)


def kept(here: Beside) -> list[tuple[int, State]]:
    plans = Plans(folder_of(here.checkout, here.person.place / "state")).all()
    return [(one.number, one.state) for one in plans]


def planned(place: Path, agent: str, *script: Step, arguments: tuple[str, ...] = ("Search",)) -> tuple[Said, Beside]:
    """What one `locus plan` said, in a repository with the check `unit`."""
    person = standing(place, agent)
    (person.home / "shop" / ".locus").mkdir()
    (person.home / "shop" / ".locus" / "config.toml").write_text(CHECKS)
    with beside(place, agent, *script, person=person) as here:
        return here.locus("plan", *arguments, "--yes"), here


@pytest.mark.real_agent
def test_a_good_plan_is_shown_with_its_tasks_its_order_and_its_risks(tmp_path: Path, agent: str) -> None:
    said, here = planned(tmp_path, agent, *answers(agent, plan()))

    assert said.code == 0, said
    for expected in (
        "Plan 1  Search",
        "Do model",
        "□ It works",
        "(also after 1)",
        "It may be slow",
        "3 tasks, 1 h 30 min",
    ):
        assert expected in said.out
    assert "locus plan --approve 1" in said.out
    assert kept(here) == [(1, State.PROPOSED)]
    assert "architect" in here.asked(0) and "`unit` runs `true`" in here.asked(0)


@pytest.mark.real_agent
@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ([plan(task("a", "b"), task("b", "a"))], "in a circle"),
        ([plan(task("a", checklist=[{"text": "x", "check": "e2e", "red_first": False}]))], "It has: unit"),
        (['{"name": "Search", ', '{"name": "Search", "tasks": [}'], "not one JSON object"),
        (["I would begin with the model."], "not one JSON object"),
    ],
    ids=["a circle", "an unknown check", "broken JSON twice", "prose"],
)
def test_a_wrong_answer_is_told_to_the_agent_and_the_next_good_one_is_taken(
    tmp_path: Path, bad: list[Any], fault: str
) -> None:
    script = [step for answer in [*bad, plan()] for step in answers("codex", answer)]

    said, here = planned(tmp_path, "codex", *script)

    assert said.code == 0, said
    assert said.err.count("asking again") == len(bad) == len(here.requests) - 1
    assert fault in here.asked()
    assert kept(here) == [(1, State.PROPOSED)]


@pytest.mark.real_agent
def test_what_is_never_right_is_never_taken(tmp_path: Path) -> None:
    said, here = planned(tmp_path, "codex", Says("I would rather talk about it."))

    assert (said.code, said.out) == (1, "")
    assert "in 3 tries" in said.err and "locus sessions show" in said.err
    assert len(here.requests) == 3
    assert kept(here) == []


@pytest.mark.real_agent
def test_claude_that_answers_past_its_schema_is_asked_again(tmp_path: Path) -> None:
    prose = Says("I would begin with the model.")

    said, here = planned(tmp_path, "claude", prose, prose, prose, *answers("claude", plan()))

    assert said.code == 0, said
    assert kept(here) == [(1, State.PROPOSED)]


@pytest.mark.real_agent
def test_planning_changes_no_file_even_when_the_agent_tries(tmp_path: Path, agent: str) -> None:
    person = standing(tmp_path, agent)
    script = [writes(agent, person, "planted.txt", "x\n"), *answers(agent, plan())]
    with beside(tmp_path, agent, *script, person=person) as here:
        said = here.locus("plan", "Search", "--yes")

    assert said.code == 0, said
    assert person.git("status", "--porcelain", cwd=here.checkout) == ""


@pytest.mark.real_agent
def test_rejecting_plans_again_with_the_feedback_and_the_plan_before(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    script = [*answers("codex", plan()), *answers("codex", plan(task("only"), name="Less"))]
    with beside(tmp_path, "codex", *script, person=person) as here:
        here.locus("plan", "Search", "--yes")
        said = here.locus("plan", "--reject", "One task is enough", "--yes")
        shown = here.told("plan", "--show", "2")
        seen = here.asked()

    assert said.code == 0, said
    assert "Plan 2  Less" in said.out
    assert kept(here) == [(2, State.PROPOSED), (1, State.REJECTED)]
    assert "One task is enough" in seen and "Do model" in seen
    assert (shown["earlier"], shown["feedback"]) == (1, ["One task is enough"])


@pytest.mark.real_agent
def test_an_agent_that_fails_leaves_no_plan_and_says_why(tmp_path: Path) -> None:
    said, here = planned(tmp_path, "codex", Fails(401))

    assert said.code == 1
    assert "not signed in" in said.err
    assert kept(here) == []


@pytest.mark.real_agent
async def test_a_plan_is_made_from_an_issue_and_from_a_file(tmp_path: Path) -> None:
    person = standing(tmp_path, "codex")
    (person.home / "shop" / "idea.md").write_text("# Search for things\n\nWith typos, please.\n")
    issue = json.dumps({"title": "Add search", "body": "As in the other shop."}).encode()
    async with scripted(reply(200, issue)) as forge:
        person.variables.update({"LOCUS_FORGE_API": forge.url, "GITHUB_TOKEN": "t"})
        with beside(tmp_path, "codex", *answers("codex", plan()), person=person) as here:
            address = "https://github.com/ada/shop/issues/12"
            said = await asyncio.to_thread(here.locus, "plan", "--from", address, "--yes")
            from_issue = here.asked()
            file = await asyncio.to_thread(here.locus, "plan", "--from", "idea.md", "--yes")
            from_file = here.asked()

    assert (said.code, file.code) == (0, 0), (said, file)
    assert [one.path for one in forge.received] == ["/repos/ada/shop/issues/12"]
    assert "As in the other shop." in from_issue
    assert "With typos, please." in from_file
    assert "for: Search for things" in file.out


def test_the_graph_shows_every_task_once_and_all_it_waits_for() -> None:
    waits = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
    tasks = [PlanTask(ref=ref, title=ref.upper(), depends_on=before) for ref, before in waits.items()]

    assert graph(PlanDraft(name="p", tasks=tasks)) == [
        "1 A",
        "├─ 2 B",
        "└─ 3 C",
        "   └─ 4 D  (also after 2)",
        "5 E",
    ]


@pytest.fixture
async def signed_in(server: RunningServer, tmp_path: Path) -> AsyncIterator[Beside]:
    """A person at a server who has a plan of two tasks."""
    person = standing(tmp_path, "codex", sandbox=False)
    person.variables["LOCUS_SERVER"] = server.url
    person.variables["LOCUS_API_KEY"] = await server.key(Purpose.MEMBER, workspace=server.workspace)
    shop = person.home / "shop"
    plans = Plans(folder_of(shop, tmp_path / "state"))
    draft = PlanDraft(
        name="Search", tasks=[PlanTask(ref="a", title="A"), PlanTask(ref="b", title="B", depends_on=["a"])]
    )
    plans.add(goal="Search", draft=draft, provider="codex", session="s")
    yield Beside(person, shop, "codex")


async def did(here: Beside, *arguments: str) -> Said:
    return await asyncio.to_thread(here.locus, *arguments)


async def test_an_approved_plan_is_a_sprint_and_approving_it_again_is_not_another(
    server: RunningServer, signed_in: Beside
) -> None:
    first = await did(signed_in, "plan", "--approve")
    again = await did(signed_in, "plan", "--approve", "1", "--start")

    assert first.code == again.code == 0, (first, again)
    assert "Plan 1 is sprint 1 (Search): WEB-1, WEB-2" in first.out
    assert "WEB-1, WEB-2" in again.out
    assert await server.pool.fetchval("SELECT count(*) FROM sprints") == 1
    assert await server.pool.fetchval("SELECT count(*) FROM tasks") == 2
    assert await server.pool.fetchval("SELECT count(*) FROM task_dependencies") == 1


async def test_an_approval_whose_answer_got_lost_is_finished_by_repeating_it(
    server: RunningServer, signed_in: Beside
) -> None:
    approved = await did(signed_in, "plan", "--approve")
    plans = Plans(folder_of(signed_in.checkout, signed_in.person.place / "state"))
    forgotten = plans.find("1")
    forgotten.state, forgotten.sprint = State.PROPOSED, None
    plans.save(forgotten)  # as if we had been killed between the answer and writing it down

    repeated = await did(signed_in, "plan", "--approve")

    assert approved.code == repeated.code == 0
    assert plans.find("1").sprint == 1
    assert await server.pool.fetchval("SELECT count(*) FROM tasks") == 2


async def test_a_plan_is_edited_sent_and_given_up_and_no_fault_is_taken(
    server: RunningServer, signed_in: Beside
) -> None:
    person = signed_in.person
    (person.bin / "sed").symlink_to("/bin/sed")
    person.variables["EDITOR"] = "sed -i s/Search/Find/"
    broken = await did(signed_in, "plan", "--edit")  # tasks without a checklist are a fault
    plans = Plans(folder_of(signed_in.checkout, person.place / "state"))
    before = plans.find("1").draft.name
    person.variables["EDITOR"] = r"""sed -i -e s/Search/Find/ -e 's/"checklist": \[\]/"checklist": [{"text":"x"}]/'"""
    edited = await did(signed_in, "plan", "--edit")
    sent = await did(signed_in, "plan", "--send")
    stored = await server.pool.fetchrow("SELECT status, draft->>'name' AS name FROM plans")
    cancelled = await did(signed_in, "plan", "--cancel")

    assert (broken.code, before) == (1, "Search")
    assert "no checklist" in broken.err and "What you wrote is in" in broken.err
    assert (edited.code, sent.code, cancelled.code) == (0, 0, 0), (edited, sent, cancelled)
    assert dict(stored or {}) == {"status": "PROPOSED", "name": "Find"}
    assert await server.pool.fetchval("SELECT status FROM plans") == "CANCELLED"
    assert (await did(signed_in, "plan", "--approve", "1")).code == 1
    assert await server.pool.fetchval("SELECT count(*) FROM sprints") == 0


async def test_what_somebody_decided_at_the_control_plane_shows_here(server: RunningServer, signed_in: Beside) -> None:
    await did(signed_in, "plan", "--send")
    async with server.client(signed_in.person.variables["LOCUS_API_KEY"]) as api:
        plan_id = await server.pool.fetchval("SELECT id FROM plans")
        answer = await api.post(server.path(f"/plans/{plan_id}/reject"), json={"feedback": "Too large"})

    listed = json.loads((await did(signed_in, "plan", "--list", "--json")).out)

    assert answer.status_code == 200
    assert [(one["state"], one["feedback"]) for one in listed] == [("rejected", ["Too large"])]


async def test_a_plan_that_another_machine_sent_has_a_number_here_and_can_be_decided_about(
    server: RunningServer, signed_in: Beside
) -> None:
    plan_id = uuid4()
    draft = {"name": "Theirs", "goal": "Shops sell", "tasks": [{"ref": "a", "title": "A"}]}
    async with server.client(signed_in.person.variables["LOCUS_API_KEY"]) as api:
        await api.post(server.path("/plans"), json={"id": str(plan_id), "plan": draft})
        listed = json.loads((await did(signed_in, "plan", "--list", "--json")).out)
        await api.post(server.path("/plans"), json={"id": str(plan_id), "plan": {**draft, "goal": "Shops sell more"}})
        shown = json.loads((await did(signed_in, "plan", "--show", "2", "--json")).out)
        again = json.loads((await did(signed_in, "plan", "--list", "--json")).out)
    approved = await did(signed_in, "plan", "--approve", "2")

    assert [(one["number"], one["state"], one["goal"]) for one in listed] == [
        (2, "sent", "Shops sell"),
        (1, "proposed", "Search"),
    ]
    assert shown["draft"]["goal"] == "Shops sell more"
    assert len(again) == 2
    assert approved.code == 0, approved
    assert await server.pool.fetchval("SELECT status FROM plans WHERE id = $1", plan_id) == "APPROVED"


@pytest.mark.real_agent
async def test_a_plan_that_was_sent_back_there_is_made_again_with_what_was_said(
    server: RunningServer, tmp_path: Path
) -> None:
    agent_clis.require("codex")
    person = standing(tmp_path, "codex")
    person.variables["LOCUS_SERVER"] = server.url
    person.variables["LOCUS_API_KEY"] = await server.key(Purpose.MEMBER, workspace=server.workspace)
    folder = folder_of(person.home / "shop", tmp_path / "state")
    task = PlanTask(ref="a", title="The first idea")
    Plans(folder).add(goal="Search", draft=PlanDraft(name="One", tasks=[task]), provider="codex", session="s")
    with beside(tmp_path, "codex", *answers("codex", plan()), person=person) as here:
        await did(here, "plan", "--send")
        plan_id = await server.pool.fetchval("SELECT id FROM plans")
        async with server.client(person.variables["LOCUS_API_KEY"]) as api:
            await api.post(server.path(f"/plans/{plan_id}/reject"), json={"feedback": "Say how it is measured"})
        shown = await did(here, "plan", "--show", "1")
        made = await did(here, "plan", "--yes")
        nothing_left = await did(here, "plan", "--yes")

    assert "Say how it is measured" in shown.out
    assert "that heeds what was said: locus plan" in shown.out
    assert made.code == 0, made
    assert "The first idea" in here.asked(0)
    assert "Say how it is measured" in here.asked(0)
    assert kept(here) == [(2, State.PROPOSED), (1, State.REJECTED)]
    assert nothing_left.code == 2


@pytest.mark.parametrize(
    "arguments",
    [["--approve", "--cancel"], ["--start"], [], ["--list", "--from", "x"], ["--show", "99"], ["--show", "../1"]],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    person = standing(tmp_path, "codex", sandbox=False)

    said = person.locus("plan", *arguments, cwd=person.home / "shop")

    assert said.code in (1, 2)
    assert said.out == ""
    assert said.err
