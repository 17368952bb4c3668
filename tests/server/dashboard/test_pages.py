"""Every page of a workspace: it answers, asks the database as often as it must, and shows what its reader may do."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy
from tests.server.dashboard import rooms
from tests.support import server as servers
from tests.support.people import SomebodySignedIn, somebody
from tests.support.polling import until
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.server.db import pool as pools
from locus.server.db.pool import Pool
from locus.server.settings import Timing
from locus.server.workspaces import store
from locus.wire.workspaces import MemberRole, Workspace


class Counted(Pool):
    """A pool that counts how often somebody took a connection: once for a statement, or for a transaction."""

    taken = 0

    async def _take(self) -> "PoolConnectionProxy[Record]":
        self.taken += 1
        return await super()._take()


@dataclass(frozen=True)
class Site:
    server: RunningServer
    pool: Counted
    busy: Workspace
    empty: Workspace
    owner: SomebodySignedIn
    viewer: SomebodySignedIn


@pytest.fixture(scope="module")
async def site(databases: Databases) -> AsyncIterator[Site]:
    """A server whose connections are counted, with a busy and an empty workspace."""
    async with databases.one() as dsn:
        plain = await pools.connect(dsn, size=5)
        pool = Counted(plain._pool)
        try:
            organization = await store.create_organization(pool, "Test")
            workspace = await store.create(pool, organization.id, name="Web", prefix="WEB")
            assert workspace is not None
            async with servers.listening(dsn, pool, Timing()) as url:
                server = RunningServer(url=url, pool=pool, organization=organization, workspace=workspace)
                owner = await somebody(server)
                viewer = await somebody(server, MemberRole.VIEWER, name="Vic")
                yield Site(server, pool, await rooms.busy(server), await rooms.empty(server), owner, viewer)
        finally:
            await plain.close()


async def counted(site: Site, client: httpx.AsyncClient, address: str) -> int:
    """How many statements a page takes: the least of three, since who asks is looked up once a second."""
    least = []
    for _ in range(3):
        before = site.pool.taken
        assert (await client.get(address)).status_code == 200, address
        least.append(site.pool.taken - before)
    return min(least)


async def test_every_page_answers_for_everybody_who_may_look(site: Site) -> None:
    addresses = [f"/w/BUSY{place}" for place in await rooms.places(site.server, site.busy)]
    addresses += [f"/w/EMPTY{place}" for place in rooms.BARE]
    async with site.owner.client(site.server) as owner, site.viewer.client(site.server) as viewer:
        for address in addresses:
            answer = await owner.get(address)
            assert answer.status_code == 200, (address, answer.text[:500])
            assert "Traceback" not in answer.text
            for_viewers = await viewer.get(address)
            wanted = 403 if address.endswith(("/new", "/edit")) else 200
            assert for_viewers.status_code == wanted, address


async def test_a_viewer_sees_no_button_that_would_be_refused(site: Site) -> None:
    async with site.viewer.client(site.server) as viewer:
        for place in await rooms.places(site.server, site.busy):
            if place.endswith(("/new", "/edit")):
                continue
            text = (await viewer.get(f"/w/BUSY{place}")).text
            content = text[text.index("<main") : text.index("</main>")]
            changing = [line for line in content.splitlines() if 'method="post"' in line and "fieldset" not in line]
            if place != "/settings":  # there the fields are shown, and cannot be changed
                assert changing == [], place
        assert '<fieldset class="stack" disabled>' in (await viewer.get("/w/BUSY/settings")).text
        for form in ("/backlog/add", "/backlog/move", "/backlog/delete", "/sprints", "/sprints/2/complete", "/docs"):
            assert (await viewer.post(f"/w/BUSY{form}", data={"title": "x", "name": "x"})).status_code == 403, form
        assert (await viewer.post("/w/BUSY/settings/general", data={"name": "x"})).status_code == 403
        assert (await viewer.post("/w/BUSY/settings/summaries", data={"summaries": "on"})).status_code == 403


async def test_a_foreign_workspace_has_no_pages(site: Site) -> None:
    other = await store.create_organization(site.pool, "Others")
    theirs = await store.create(site.pool, other.id, name="Theirs", prefix="THEIRS")
    assert theirs is not None
    async with site.owner.client(site.server) as owner:
        for place in rooms.BARE:
            for name in ("THEIRS", str(theirs.id)):
                assert (await owner.get(f"/w/{name}{place}")).status_code == 404, place
        assert (await owner.post("/w/THEIRS/backlog/add", data={"title": "x"})).status_code == 404


async def test_what_is_not_there_is_a_page_that_says_so(site: Site) -> None:
    async with site.owner.client(site.server) as owner:
        for place in ("/sprints/99", f"/docs/{uuid4()}", f"/agents/{uuid4()}", "/sprints/x", "/docs/x"):
            assert (await owner.get(f"/w/BUSY{place}")).status_code == 404, place
        missing = await owner.get("/w/BUSY/activity?task=BUSY-999")
        assert "There is no BUSY-999 in this workspace" in missing.text
        assert (await owner.get("/w/BUSY/activity?at=0")).status_code == 422


async def test_a_page_asks_as_often_for_many_things_as_for_few(site: Site) -> None:
    many = await rooms.busy(site.server, "MANY", more=40)
    few = await rooms.places(site.server, site.busy)
    async with site.owner.client(site.server) as owner:

        async def known() -> bool:  # who may enter which workspace is remembered for a moment
            return (await owner.get("/w/MANY")).status_code == 200

        await until(known)
        for small, large in zip(few, await rooms.places(site.server, many), strict=True):
            statements = await counted(site, owner, f"/w/BUSY{small}")
            assert await counted(site, owner, f"/w/MANY{large}") == statements, small
            assert statements <= 16, small


async def test_forms_without_script_lead_to_the_page_that_shows_the_change(site: Site) -> None:
    async with site.owner.client(site.server) as owner:
        made = await owner.post("/w/BUSY/sprints", data={"name": "By hand", "goal": "", "ends_on": "2026-12-24"})
        assert (made.status_code, made.headers["location"]) == (303, "/w/BUSY/backlog")
        assert "By hand" in (await owner.get("/w/BUSY/backlog")).text
        doc = await owner.post("/w/BUSY/docs", data={"title": "By hand", "kind": "ADR", "group": "", "text": "# Yes"})
        assert doc.status_code == 303
        assert "<h1>Yes</h1>" in (await owner.get(doc.headers["location"])).text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sprints", {"name": ""}),
        ("/sprints", {"name": "x", "starts_on": "yesterday"}),
        ("/sprints", {"name": "x", "starts_on": "2026-02-02", "ends_on": "2026-02-01"}),
        ("/backlog/add", {"title": "\x1b[31m"}),
        ("/backlog/move", {"task": "nobody", "sprint": ""}),
        ("/backlog/move", {"sprint": ""}),
        ("/docs", {"title": "x", "kind": "POEM"}),
        ("/settings/general", {"name": "x", "attempt_cap": "many"}),
        ("/settings/general", {"name": "x", "attempt_cap": "99"}),
        ("/settings/budget", {"budget": "a lot"}),
        ("/settings/budget", {"budget": "-1"}),
        ("/settings/budget", {"budget": "nan"}),
        ("/settings/checks", {"checks": "Not A Name!"}),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_changes(site: Site, path: str, fields: dict[str, str]) -> None:
    state = "SELECT (SELECT count(*) FROM events), (SELECT sum(version) FROM workspaces)"
    before = await site.pool.fetchrow(state)
    async with site.owner.client(site.server) as owner:
        answer = await owner.post(f"/w/BUSY{path}", data=fields, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    [told] = json.loads(answer.headers["hx-trigger"])["locus:refused"]
    assert "." not in told["field"]
    assert re.fullmatch(r"[A-Z].+\.", told["message"])
    assert re.fullmatch(r"[A-Z].+\.", told["toast"])
    assert not re.search(r"[a-z]_|:", told["toast"])  # words, not the names of the wire
    assert await site.pool.fetchrow(state) == before
