"""Plans on the dashboard: shown whole, decided about once, and only in the version that was seen."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.server.dashboard import rooms
from tests.support import server as servers
from tests.support.people import SomebodySignedIn, somebody
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.server.dashboard.plan_drawing import drawing
from locus.wire.plans import PlanTask
from locus.wire.workspaces import MemberRole

HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Site:
    server: RunningServer
    owner: httpx.AsyncClient
    viewer: httpx.AsyncClient

    async def plan(self, name: str = "Search", **fields: object) -> UUID:
        return await rooms.plan(self.server, self.server.workspace.id, name, **fields)

    async def post(self, plan: UUID, act: str, *, htmx: bool = True, **fields: Any) -> httpx.Response:
        return await self.owner.post(f"/w/WEB/plans/{plan}/{act}", data=fields, headers=HTMX if htmx else {})

    async def count(self, table: str) -> int:
        found: int = await self.server.pool.fetchval(f"SELECT count(*) FROM {table}")
        return found


@pytest.fixture(scope="module")
async def site(databases: Databases) -> AsyncIterator[Site]:
    async with databases.one() as dsn, servers.running(dsn) as server:
        ada: SomebodySignedIn = await somebody(server)
        vic = await somebody(server, MemberRole.VIEWER, name="Vic")
        async with ada.client(server) as owner, vic.client(server) as viewer:
            yield Site(server, owner, viewer)


async def test_a_plan_is_shown_with_its_tasks_its_order_its_risks_and_what_it_may_take(site: Site) -> None:
    plan = await site.plan("Find things")

    listed = (await site.owner.get("/w/WEB/plans")).text
    shown = (await site.owner.get(f"/w/WEB/plans/{plan}")).text
    overview = (await site.owner.get("/w/WEB")).text

    assert "Find things" in listed
    assert "3 tasks · 1 risk" in listed
    assert "People find <strong>things</strong>." in shown
    assert 'aria-label="2: Answer searches, after 1"' in shown
    assert shown.count('class="edge"') == 2
    assert "unit, red first" in shown
    assert "Measure with 10,000 things" in shown
    assert "A forecast needs 5 finished tasks" in shown
    assert "A plan that waits for your decision" in overview
    assert f"/w/WEB/plans/{plan}" in overview


async def test_an_approved_plan_leads_to_its_sprint_and_approving_it_again_too(site: Site) -> None:
    plan = await site.plan()
    sprints, tasks = await site.count("sprints"), await site.count("tasks")

    first = await site.post(plan, "approve", version="1")
    again = await site.post(plan, "approve", version="1", htmx=False)

    place = first.headers["hx-redirect"]
    assert (again.status_code, again.headers["location"]) == (303, place)
    assert (await site.count("sprints"), await site.count("tasks")) == (sprints + 1, tasks + 3)
    sprint = (await site.owner.get(place)).text
    assert "Search" in sprint
    assert f'/plans/{plan}">Search</a>, with 1 risk.' in sprint
    assert "approved it" in (await site.owner.get(f"/w/WEB/plans/{plan}")).text


async def test_a_plan_that_was_changed_meanwhile_is_neither_approved_nor_sent_back(site: Site) -> None:
    plan = await site.plan()
    async with site.server.client(await site.server.key()) as machine:
        draft = {"name": "Other", "tasks": [{"ref": "one", "title": "Only one"}]}
        path = site.server.path("/plans")
        assert (await machine.post(path, json={"id": str(plan), "plan": draft})).status_code == 201
    sprints = await site.count("sprints")

    approved = await site.post(plan, "approve", version="1")
    rejected = await site.post(plan, "reject", version="1", feedback="No")

    assert (approved.status_code, rejected.status_code) == (409, 409)
    assert "changed after you opened it" in approved.headers["hx-trigger"]
    assert await site.count("sprints") == sprints
    assert (await site.post(plan, "reject", version="2", feedback="No")).status_code == 204


async def test_what_is_said_against_a_plan_is_kept_and_the_plan_is_not_approved_any_more(site: Site) -> None:
    plan = await site.plan()

    without = await site.post(plan, "reject", version="1", feedback="  ")
    sent_back = await site.post(plan, "reject", version="1", feedback="Too *many* tasks")
    too_late = await site.post(plan, "approve", version="1")

    assert without.status_code == 422
    assert sent_back.status_code == 204
    assert too_late.status_code == 409
    shown = (await site.owner.get(f"/w/WEB/plans/{plan}")).text
    assert "Too <em>many</em> tasks" in shown
    assert "/approve" not in shown


async def test_a_plan_that_is_given_up_stays_in_the_list(site: Site) -> None:
    plan = await site.plan("Given away")

    assert (await site.post(plan, "cancel")).status_code == 204

    listed = (await site.owner.get("/w/WEB/plans")).text
    assert "Given away" in listed[listed.index("Decided") :]


async def test_readers_look_and_cannot_decide(site: Site) -> None:
    plan = await site.plan()

    shown = (await site.viewer.get(f"/w/WEB/plans/{plan}")).text
    tried = [
        (await site.viewer.post(f"/w/WEB/plans/{plan}/{act}", data={"feedback": "x"})).status_code
        for act in ("approve", "reject", "cancel")
    ]

    content = shown[shown.index("<main") : shown.index("</main>")]
    assert "Keep an index" in content
    assert "<form" not in content
    assert tried == [403, 403, 403]


async def test_a_plan_that_is_not_here_is_a_page_that_says_so(site: Site) -> None:
    other = await rooms.empty(site.server, "OTHER")
    theirs = await rooms.plan(site.server, other.id, "Theirs")

    for name in (str(uuid4()), str(theirs), "x"):
        assert (await site.owner.get(f"/w/WEB/plans/{name}")).status_code == 404, name
    assert (await site.post(theirs, "approve")).status_code == 404
    assert (await site.owner.get("/w/WEB/plans?before=x")).status_code == 422


async def test_older_plans_are_behind_a_link(site: Site) -> None:
    room = await rooms.empty(site.server, "LONG")
    for number in range(52):
        plan = await rooms.plan(site.server, room.id, f"Plan {number}.")
        await site.server.pool.execute("UPDATE plans SET status = 'CANCELLED' WHERE id = $1", plan)

    newest = (await site.owner.get("/w/LONG/plans")).text
    link = newest[newest.index("/w/LONG/plans?before=") :].split('"')[0]
    older = (await site.owner.get(link)).text

    assert "Plan 51." in newest
    assert "Plan 1." not in newest
    assert "Plan 1." in older
    assert "Plan 2." not in older


def test_a_drawing_has_every_task_once_right_of_all_it_waits_for_and_no_arrow_behind_a_box() -> None:
    waits: dict[str, list[str]] = {"d": ["b", "c", "a"], "a": [], "b": ["a"], "c": ["a", "a"], "e": []}
    made = drawing([PlanTask(ref=ref, title=ref, depends_on=on) for ref, on in waits.items()])

    assert made is not None
    at = {box.title: box for box in made.boxes}
    assert sorted(at) == sorted(waits)
    assert all(at[first].x < at[ref].x for ref, on in waits.items() for first in on)
    assert len({(box.x, box.y) for box in made.boxes}) == 5
    assert len(made.edges) == 4
    assert all(0 <= box.x < made.width and 0 <= box.y < made.height for box in made.boxes)
    assert drawing([PlanTask(ref="a", title="a"), PlanTask(ref="b", title="b")]) is None
