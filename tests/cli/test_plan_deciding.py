"""Deciding about plans: approving exactly once, editing, sending, sending back and giving up, here and there."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pexpect
import pytest
from tests.support import agent_clis
from tests.support.beside import Beside, beside, standing
from tests.support.fault_proxy import Act, FaultProxy, between
from tests.support.person import Said, command
from tests.support.plans import answers, plan
from tests.support.server import RunningServer

from locus.local.planning.kept import Plans, State
from locus.local.sessions.folder import folder_of
from locus.wire.plans import PlanDraft, PlanTask
from locus.wire.workspaces import Purpose

# What gives the tasks a checklist, for sed.
GOOD = r"""-e 's/"checklist": \[\]/"checklist": [{"text":"x"}]/'"""


def plans_of(here: Beside) -> Plans:
    return Plans(folder_of(here.checkout, here.person.place / "state"))


def kept(here: Beside) -> list[tuple[int, State]]:
    return [(one.number, one.state) for one in plans_of(here).all()]


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
    plans = plans_of(signed_in)
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
    plans = plans_of(signed_in)
    before = plans.find("1").draft.name
    person.variables["EDITOR"] = f"sed -i -e s/Search/Find/ {GOOD}"
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


async def test_a_plan_that_was_decided_about_while_it_was_edited_stays_as_it_is(signed_in: Beside) -> None:
    person = signed_in.person
    (person.bin / "sed").symlink_to("/bin/sed")
    locus = " ".join(command("plan", "--cancel", "1", "--quiet"))
    person.program("slow", f'{locus} && sed -i -e s/Search/Find/ {GOOD} "$1"')
    person.variables["EDITOR"] = "slow"

    edited = await did(signed_in, "plan", "--edit")

    assert edited.code == 1
    assert "was changed while you edited it" in edited.err and "What you wrote is in" in edited.err
    assert kept(signed_in) == [(1, State.CANCELLED)]


async def test_at_a_terminal_a_plan_with_a_fault_can_be_edited_again(signed_in: Beside) -> None:
    person = signed_in.person
    (person.bin / "sed").symlink_to("/bin/sed")
    person.program("twice", f'if [ -e once ]; then sed -i {GOOD} "$1"; else : > once; fi')
    person.variables["EDITOR"] = "twice"

    def edit() -> str:
        child = person.at_terminal("plan", "--edit", cwd=signed_in.checkout)
        child.expect("no checklist")
        child.expect("Edit it again")
        child.sendline("y")
        child.expect(pexpect.EOF)
        return str(child.before)

    said = await asyncio.to_thread(edit)

    assert "Changed plan 1." in said
    assert [len(task.checklist) for task in plans_of(signed_in).find("1").draft.tasks] == [1, 1]


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


@pytest.fixture
def proxy(server: RunningServer, signed_in: Beside) -> Iterator[FaultProxy]:
    """The network between this person and the server."""
    with between(server.url) as proxy:
        signed_in.person.variables["LOCUS_SERVER"] = proxy.url
        yield proxy


@pytest.mark.parametrize(
    "then", [("--cancel",), ("--reject", "Less"), ("--edit",), ("--send",)], ids=lambda one: one[0]
)
async def test_a_plan_whose_approval_got_no_answer_is_not_decided_about_otherwise(
    server: RunningServer, signed_in: Beside, proxy: FaultProxy, then: list[str]
) -> None:
    signed_in.person.variables["EDITOR"] = "true"
    proxy.rule(Act.LOSE_ANSWER, r"POST .*/approve", left=100)
    approved = await did(signed_in, "plan", "--approve")
    proxy.heal()

    otherwise = await did(signed_in, "plan", *then, "1", "--yes")

    assert approved.code == 4, approved
    assert otherwise.code == 1
    assert "Plan 1 is approved: it is sprint 1." in otherwise.err
    assert kept(signed_in) == [(1, State.APPROVED)]
    assert await server.pool.fetchval("SELECT count(*) FROM sprints") == 1


async def test_a_plan_whose_approval_never_arrived_can_be_given_up(
    server: RunningServer, signed_in: Beside, proxy: FaultProxy
) -> None:
    proxy.rule(Act.LOSE_REQUEST, r"POST .*/approve", left=100)
    approved = await did(signed_in, "plan", "--approve")
    proxy.heal()

    cancelled = await did(signed_in, "plan", "--cancel")

    assert (approved.code, cancelled.code) == (4, 0), (approved, cancelled)
    assert kept(signed_in) == [(1, State.CANCELLED)]
    assert await server.pool.fetchval("SELECT count(*) FROM sprints") == 0


async def test_a_plan_that_was_decided_about_there_is_not_said_to_wait_there(
    server: RunningServer, signed_in: Beside
) -> None:
    await did(signed_in, "plan", "--send")
    plan_id = await server.pool.fetchval("SELECT id FROM plans")
    async with server.client(signed_in.person.variables["LOCUS_API_KEY"]) as api:
        await api.post(server.path(f"/plans/{plan_id}/approve"), json={})

    sent = await did(signed_in, "plan", "--send", "1")
    listed = await did(signed_in, "plan", "--list")

    assert sent.code == 1
    assert "Plan 1 is approved: it is sprint 1." in sent.err
    assert "sprint 1" in listed.out


async def test_a_plan_of_another_machine_is_approved_as_it_was_seen(server: RunningServer, signed_in: Beside) -> None:
    plan_id = str(uuid4())
    draft = {"name": "Theirs", "tasks": [{"ref": "a", "title": "A"}]}
    async with server.client(signed_in.person.variables["LOCUS_API_KEY"]) as api:
        await api.post(server.path("/plans"), json={"id": plan_id, "plan": draft})
        await did(signed_in, "plan", "--list")
        await api.post(server.path("/plans"), json={"id": plan_id, "plan": {**draft, "name": "Changed"}})

    unseen = await did(signed_in, "plan", "--approve", "2")
    seen = await did(signed_in, "plan", "--approve", "2")

    assert unseen.code == 1
    assert "was changed at the control plane" in unseen.err and "locus plan --show 2" in unseen.err
    assert "Plan 2 is sprint 1 (Changed)" in seen.out


async def test_a_plan_that_somebody_else_sent_again_is_neither_shown_nor_approved_as_it_was(
    server: RunningServer, signed_in: Beside
) -> None:
    person = signed_in.person
    (person.bin / "sed").symlink_to("/bin/sed")
    person.variables["EDITOR"] = f"sed -i -e s/Search/Mine/ {GOOD}"
    await did(signed_in, "plan", "--send")
    await did(signed_in, "plan", "--edit")
    mine = json.loads((await did(signed_in, "plan", "--show", "1", "--json")).out)
    plan_id = str(await server.pool.fetchval("SELECT id FROM plans"))
    async with server.client(person.variables["LOCUS_API_KEY"]) as api:
        draft = {"name": "Theirs", "tasks": [{"ref": "a", "title": "A"}]}
        await api.post(server.path("/plans"), json={"id": plan_id, "plan": draft})

    unseen = await did(signed_in, "plan", "--approve", "1")
    shown = json.loads((await did(signed_in, "plan", "--show", "1", "--json")).out)
    approved = await did(signed_in, "plan", "--approve", "1")

    assert mine["draft"]["name"] == "Mine"
    assert unseen.code == 1 and "was changed at the control plane" in unseen.err
    assert shown["draft"]["name"] == "Theirs"
    assert "Plan 1 is sprint 1 (Theirs): WEB-1" in approved.out


async def test_a_plan_that_is_not_decided_about_has_its_forecast_for_programs_too(
    server: RunningServer, signed_in: Beside
) -> None:
    open_ = json.loads((await did(signed_in, "plan", "--show", "1", "--json")).out)
    await did(signed_in, "plan", "--approve")
    decided = json.loads((await did(signed_in, "plan", "--show", "1", "--json")).out)

    assert open_["forecast"] == {"tasks": 2, "history": 0, "usd_micros": None, "agent_ms": None}
    assert decided["forecast"] is None


async def test_a_network_that_swallows_everything_is_not_waited_for_and_that_is_said(
    signed_in: Beside, proxy: FaultProxy
) -> None:
    proxy.rule(Act.SWALLOW, left=100)
    began = time.monotonic()

    shown = await did(signed_in, "plan", "--show", "1")

    assert shown.code == 0, shown
    assert "Plan 1  Search" in shown.out
    assert "did not answer in 10 seconds. Plans are shown as they are known here." in shown.err
    assert time.monotonic() - began < 40
