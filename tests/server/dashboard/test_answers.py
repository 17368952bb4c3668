"""What pages are as answers: who may have them, what browsers may do with them, and how much they weigh."""

import hashlib
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.support import server as servers
from tests.support.people import SomebodySignedIn, somebody
from tests.support.postgres import Databases
from tests.support.server import RunningServer

from locus.server.dashboard.assets import STATIC

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[RunningServer]:
    """One server for the module."""
    async with databases.one() as dsn, servers.running(dsn) as server:
        yield server


@pytest.fixture(scope="module")
async def ada(server: RunningServer) -> SomebodySignedIn:
    """The owner."""
    return await somebody(server)


async def test_a_page_sends_a_stranger_to_sign_in_and_back(server: RunningServer) -> None:
    async with server.client() as nobody:
        answer = await nobody.get("/w/WEB/board?text=a%20b", headers=HTML)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/w/WEB/board%3Ftext%3Da%2520b"


async def test_whoever_is_signed_out_while_they_edit_comes_back_to_the_page(server: RunningServer) -> None:
    here = f"{server.url}/w/WEB/tasks/WEB-1?from=board"
    headers = {**HTML, "HX-Request": "true", "Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    async with server.client() as nobody:
        ours = await nobody.post("/w/WEB/tasks/WEB-1/edit", headers={**headers, "HX-Current-URL": here})
        other = await nobody.post(
            "/w/WEB/tasks/WEB-1/edit", headers={**headers, "HX-Current-URL": "https://evil.test/w/WEB"}
        )
        twice = await nobody.post(
            "/w/WEB/tasks/WEB-1/edit", headers={**headers, "HX-Current-URL": f"{server.url}//evil.test"}
        )

    assert ours.headers["hx-redirect"] == "/sign-in?next=/w/WEB/tasks/WEB-1%3Ffrom%3Dboard"
    assert other.headers["hx-redirect"] == twice.headers["hx-redirect"] == "/sign-in?next=/"


async def test_an_error_is_a_page_for_a_browser_and_a_document_for_a_program(
    server: RunningServer, ada: SomebodySignedIn
) -> None:
    async with ada.client(server) as client:
        page = await client.get("/w/NOPE/board", headers=HTML)
        program = await client.get("/api/v1/nothing", headers=HTML)

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such workspace" in page.text
    assert program.headers["content-type"] == "application/problem+json"


async def test_a_page_may_run_only_what_this_server_serves(server: RunningServer, ada: SomebodySignedIn) -> None:
    async with ada.client(server) as client:
        answer = await client.get("/w/WEB/board", headers=HTML)

    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", answer.text)


async def test_files_are_kept_for_ever_under_an_address_that_changes_with_them(
    server: RunningServer, ada: SomebodySignedIn
) -> None:
    async with ada.client(server) as client:
        page = await client.get("/w/WEB/board", headers=HTML)
        address = re.findall(r'"(/static/[^"]+/js/app\.js)"', page.text)[0]
        now = await client.get(address)
        other = await client.get(re.sub(r"/static/\w+/", "/static/older/", address))
        nowhere = await client.get(address.replace("js/app.js", "../assets.py"))
        together = await client.get(address.replace("js/app.js", "css/board+task.css"))
        unknown = await client.get(address.replace("js/app.js", "css/board+nothing.css"))

    assert "immutable" in now.headers["cache-control"]
    assert other.headers["cache-control"] == "no-cache"
    assert nowhere.status_code == unknown.status_code == 404
    assert together.text == "\n".join((STATIC / "css" / name).read_text() for name in ("board.css", "task.css"))


async def test_the_first_load_of_a_board_of_200_cards_is_light(server: RunningServer, ada: SomebodySignedIn) -> None:
    await server.pool.execute(
        "INSERT INTO tasks (workspace_id, number, title, position, labels, checklist)"
        " SELECT $1, n, 'Task number ' || n || ' about something', n, ARRAY['api'],"
        ' \'[{"id": "a", "text": "x", "done": false}]\' FROM generate_series(1, 200) n',
        server.workspace.id,
    )
    async with ada.client(server) as client:
        weight = 0

        async def fetched(address: str) -> httpx.Response:
            nonlocal weight
            async with client.stream("GET", address, headers={**HTML, "Accept-Encoding": "gzip"}) as answer:
                weight += sum([len(part) async for part in answer.aiter_raw()])
                return answer

        await fetched("/w/WEB/board?sprint=all")
        page = (await client.get("/w/WEB/board?sprint=all", headers=HTML)).text
        for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)):
            await fetched(address)
        release = re.findall(r"/static/(\w+)/", page)[0]
        for module in STATIC.joinpath("js").iterdir():
            await fetched(f"/static/{release}/js/{module.name}")

    assert page.count('class="card"') == 100  # of a column; of the others the number is told
    assert weight <= 120_000


def test_vendored_files_are_what_the_packages_have() -> None:
    vendor = STATIC / "vendor"
    lock = json.loads((vendor / "vendor.json").read_text())

    for package in lock.values():
        for name, digest in package["sha256"].items():
            assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, name
            assert package["license"]
