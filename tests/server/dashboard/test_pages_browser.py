"""The pages beside the board, as a person uses them in a real browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from tests.server.dashboard import rooms
from tests.support import browser as browsers, server as servers
from tests.support.browser import PHONE, Watched, settled
from tests.support.people import SomebodySignedIn, somebody
from tests.support.polling import until
from tests.support.postgres import Databases
from tests.support.server import RunningServer
from tests.support.xss import LINES, PAYLOADS

from locus.server.sprints import store as sprints
from locus.wire.workspaces import Workspace

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


@dataclass(frozen=True)
class House:
    """A server, its browser, and Ada, who owns it."""

    server: RunningServer
    browser: Browser
    ada: SomebodySignedIn

    @asynccontextmanager
    async def page(self, workspace: Workspace, place: str = "", **options: Any) -> AsyncIterator[tuple[Page, Watched]]:
        """A page of a workspace that Ada looks at; nothing may have gone wrong in it when it is closed."""
        async with browsers.context(self.browser, self.server, self.ada, **options) as (context, watched):
            page = await context.new_page()
            await page.goto(f"/w/{workspace.prefix}{place}")
            await settled(page)
            yield page, watched
            assert watched.clean(), watched
            assert await page.evaluate("window.refusedByPolicy") == []


@pytest.fixture(scope="module")
async def house(databases: Databases, browser: Browser) -> AsyncIterator[House]:
    async with databases.one() as dsn, servers.running(dsn) as server:
        yield House(server, browser, await somebody(server))


def section(page: Page, name: str) -> Any:
    return page.locator(".backlog-section", has=page.get_by_role("heading", name=name, exact=False))


async def titles(page: Page, name: str) -> list[str]:
    return [text.strip() for text in await section(page, name).locator(".task-row-link .cut").all_inner_texts()]


async def test_tasks_are_dragged_moved_by_keys_and_changed_together(house: House) -> None:
    room = await rooms.busy(house.server, "DRAG")
    async with house.page(room, "/backlog") as (page, _):
        planned = section(page, "Next")
        unplanned = page.locator(".backlog-section", has=page.locator("#section-0"))
        row = unplanned.locator(".task-row").first
        await browsers.drag(page, row.locator(".task-row-link"), planned.locator(".task-row").first)
        await expect(planned.locator(".task-row")).to_have_count(2)
        await expect(unplanned.locator(".task-row")).to_have_count(1)
        await expect(page.locator(".toast")).to_contain_text("moved")

        await planned.locator(".task-row-link").last.focus()
        first = (await titles(page, "Next"))[-1]
        await page.keyboard.press("Alt+ArrowUp")
        await expect(planned.locator(".task-row-link .cut").first).to_have_text(first)

        for box in await planned.get_by_role("checkbox").all():
            await box.check()
        await expect(page.locator("[data-count]")).to_have_text("2 tasks")
        await page.get_by_label("Move to").select_option(label="Backlog")
        await page.get_by_label("Priority", exact=True).select_option(label="High")
        await page.get_by_role("button", name="Apply").click()
        await expect(planned.locator(".task-row")).to_have_count(0)
        await expect(unplanned.locator(".task-row")).to_have_count(3)
        await expect(page.locator("#bulk")).to_be_hidden()
        await page.locator(".toast", has_text="2 tasks moved").get_by_role("button", name="Undo").click()
        await expect(planned.locator(".task-row")).to_have_count(2)

        for box in await planned.get_by_role("checkbox").all():
            await box.check()
        await page.get_by_role("button", name="Delete…").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        await expect(planned.locator(".task-row")).to_have_count(0)


async def test_a_sprint_is_planned_filled_started_and_completed(house: House) -> None:
    room = await rooms.empty(house.server, "PLAN")
    async with house.page(room, "/backlog") as (page, _):
        await page.get_by_role("button", name="Plan a sprint").click()
        await page.get_by_label("Name").fill("First")
        await page.get_by_role("button", name="Plan the sprint").click()
        await expect(page.get_by_role("heading", name="Sprint 1 · First")).to_be_visible()
        add = section(page, "First").get_by_placeholder("Add a task")
        for title in ("One", "Two"):
            await add.fill(title)
            await add.press("Enter")
            await expect(section(page, "First").get_by_text(title, exact=True)).to_be_visible()
        await page.get_by_role("button", name="Start").click()
        await expect(section(page, "First").get_by_text("active")).to_be_visible()
        await page.get_by_role("button", name="Complete").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("2 tasks left")
        await dialog.get_by_label("Back to the backlog").check()
        await dialog.get_by_role("button", name="Complete the sprint").click()
        await expect(page.locator(".toast", has_text="Sprint 1 is completed")).to_be_visible()
        backlog = page.locator(".backlog-section", has=page.locator("#section-0"))
        await expect(backlog.locator(".task-row")).to_have_count(2)
        await page.goto(f"/w/{room.prefix}/sprints/1")
        await expect(page.get_by_role("img", name=re.compile("Burn-down"))).to_be_visible()
    found = await sprints.listed(house.server.pool, room.id, below=None, limit=5)
    assert [sprint.status.value for sprint in found] == ["COMPLETED"]


async def test_a_doc_is_written_previewed_saved_and_its_history_read(house: House) -> None:
    room = await rooms.empty(house.server, "DOCS")
    async with house.page(room, "/docs") as (page, _):
        await page.get_by_role("link", name="New doc").click()
        await page.get_by_label("Title").fill("How we sign in")
        await page.get_by_label("Group").fill("Decisions")
        await page.get_by_label("Text in Markdown").fill("# Codes\n\nby **mail**")
        await page.get_by_role("tab", name="Preview").click()
        await expect(page.locator("#preview strong")).to_have_text("mail")
        await page.get_by_role("tab", name="Write").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="How we sign in")).to_be_visible()
        await expect(page.get_by_role("navigation", name="Docs")).to_contain_text("Decisions")

        await page.get_by_role("link", name="Edit").click()
        field = page.get_by_label("Text in Markdown")
        await field.fill("# Codes\n\nby *carrier pigeon*")
        await page.evaluate("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)")
        await page.reload()
        await expect(field).to_have_value("# Codes\n\nby *carrier pigeon*")

        doc: UUID = await house.server.pool.fetchval("SELECT id FROM docs WHERE workspace_id = $1", room.id)
        async with house.ada.client(house.server) as api:
            path = house.server.path(f"/docs/{doc}", room.id)
            await api.patch(path, json={"text": "# Codes\n\nby mail and phone"}, headers={"If-Match": "*"})
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Somebody saved this doc while you were writing")).to_be_visible()
        await expect(page.get_by_label("What was saved meanwhile")).to_have_value("# Codes\n\nby mail and phone")
        await expect(page.get_by_label("Text in Markdown")).to_have_value("# Codes\n\nby *carrier pigeon*")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".doc .prose em")).to_have_text("carrier pigeon")

        await page.get_by_role("link", name="Version 3").click()
        await page.get_by_role("link", name=re.compile("^2 · Ada")).click()
        await expect(page.locator(".change.added")).to_have_text(re.compile("by mail and phone"))
        await page.get_by_role("button", name="Make it the newest").click()
        await page.wait_for_url(re.compile(f"/docs/{doc}$"))
        await settled(page)
        await expect(page.locator(".doc .prose")).to_contain_text("by mail and phone")


async def test_the_palette_finds_things_and_carries_out_commands(house: House) -> None:
    room = await rooms.busy(house.server, "FIND")
    async with house.page(room) as (page, _):
        await page.keyboard.press("Control+k")
        field = page.get_by_role("combobox", name="Search, or choose a command")
        await field.fill("of now 1")
        await expect(page.locator("#palette-found")).to_contain_text("Task of now 1")
        await expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Task of now 1")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/w/FIND/tasks/FIND-\d+"))
        await page.goto("/w/FIND")
        await page.keyboard.press("Control+k")
        await field.fill("go to spr")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile("/w/FIND/sprints$"))
        await page.keyboard.press("Control+k")
        await field.fill("nothing has these words")
        await expect(page.locator("#palette-none")).to_be_visible()
        await field.fill("go to")
        await expect(page.locator("#palette-none")).to_be_hidden()
        await page.keyboard.press("Escape")
        await expect(field).to_be_hidden()


async def test_settings_are_saved_and_what_they_mean_is_plain(house: House) -> None:
    room = await rooms.empty(house.server, "SETS")
    async with house.page(room, "/settings") as (page, _):

        async def save(heading: str) -> None:
            part = page.locator("section", has=page.get_by_role("heading", name=heading, exact=True))
            await part.get_by_role("button", name="Save").click()
            await expect(page.locator(".toast").last).to_be_visible()
            await page.locator(".toast").last.get_by_role("button", name="Close").click()
            await expect(page.locator(".toast")).to_have_count(0)

        await page.get_by_label("Attempts").fill("5")
        await save("Workspace")
        await page.get_by_role("textbox", name="Items").fill("unit!: The unit tests pass\nRead it aloud\n")
        await save("Default checklist")
        await page.get_by_role("textbox", name="Checks").fill("unit, lint")
        await save("Required checks")
        await page.get_by_label("Dollars a day").fill("12.50")
        await page.get_by_label("No new tasks for agents while it is spent").check()
        await save("Budget")
        await expect(page.get_by_text("no word of the agent")).to_be_visible()
    row = await house.server.pool.fetchrow("SELECT * FROM workspaces WHERE id = $1", room.id)
    assert row is not None
    assert (row["attempt_cap"], row["required_checks"]) == (5, ["unit", "lint"])
    assert (row["daily_budget_usd_micros"], row["budget_stops"]) == (12_500_000, True)
    assert b'"check":"unit"' in bytes(row["default_checklist"]).replace(b" ", b"")
    assert b'"red_first":true' in bytes(row["default_checklist"]).replace(b" ", b"")


async def test_summaries_are_switched_on_with_what_they_mean_and_off_with_what_goes(house: House) -> None:
    room = await rooms.busy(house.server, "WORD")
    task_id, fence, key = await house.server.pool.fetchrow(  # type: ignore[misc]
        "SELECT a.task_id, a.fence, 'WORD-' || t.number FROM attempts a JOIN tasks t ON t.id = a.task_id"
        " WHERE a.workspace_id = $1 AND a.outcome = 'completed' AND t.status = 'IN_REVIEW' LIMIT 1",
        room.id,
    )
    async with house.page(room, "/settings") as (page, _), house.page(room, f"/tasks/{key}") as (task, _):
        part = page.locator("section", has=page.get_by_role("heading", name="What agents tell this server"))
        box = part.get_by_label("Take a short summary of finished work")
        await expect(box).not_to_be_checked()
        await expect(part).to_contain_text("leaves the machine: at most 500 characters")
        await box.check()
        await part.get_by_role("button", name="Save").click()
        await expect(page.locator(".toast").last).to_contain_text("told with their next task")
        words = "Rates are <b>rounded</b> once, at the end."
        await house.server.pool.execute(
            "UPDATE attempts SET summary = $3 WHERE task_id = $1 AND fence = $2", task_id, fence, words
        )
        await task.reload()
        await expect(task.locator(f"#attempt-{fence} .agent-words")).to_contain_text("The agent's words, unverified")
        await expect(task.locator(f"#attempt-{fence} .agent-words")).to_contain_text(words)

        await page.reload()
        await expect(part).to_contain_text("deletes the summaries that are stored here: 1 summary now")
        await box.uncheck()
        await part.get_by_role("button", name="Save").click()
        await expect(page.locator(".toast").last).to_contain_text("none are stored")
        await task.reload()
        await expect(task.locator(f"#attempt-{fence}")).to_be_visible()
        await expect(task.locator(".agent-words")).to_have_count(0)
    assert await house.server.pool.fetchval("SELECT count(*) FROM attempts WHERE summary IS NOT NULL") == 0


async def test_what_happens_elsewhere_appears_by_itself(house: House) -> None:
    room = await rooms.busy(house.server, "LIVE")
    key = await house.server.pool.fetchval(
        "SELECT 'LIVE-' || number FROM tasks WHERE workspace_id = $1 AND status = 'IN_REVIEW'", room.id
    )
    async with house.page(room) as (page, _), house.page(room, "/activity?topic=task") as (events, _):
        await expect(page.locator("#needs")).to_contain_text(key)
        async with house.ada.client(house.server) as api:
            path = house.server.path(f"/tasks/{key}/status", room.id)
            await api.post(path, json={"status": "BACKLOG", "feedback": "Say why."})
        await expect(page.locator("#needs")).not_to_contain_text(key)
        await expect(page.locator("#happened")).to_contain_text(f"sent back {key}")
        line = events.locator(".line", has_text="sent back")
        await expect(line).to_contain_text(key)
        await line.locator(".line-when").click()
        await events.wait_for_url(re.compile(r"\?at=\d+$"))
        await expect(events.locator(".line").first).to_contain_text("sent back")


async def test_an_agent_s_work_is_cancelled_from_its_page(house: House) -> None:
    room = await rooms.busy(house.server, "STOP")
    task = await house.server.pool.fetchval(
        "SELECT id FROM tasks WHERE workspace_id = $1 AND status = 'BACKLOG' AND sprint_id IS NOT NULL LIMIT 1", room.id
    )
    worker = await rooms.agent(house.server, room.id, "heron", task)
    async with house.page(room, f"/agents/{worker}") as (page, _):
        await page.get_by_role("button", name="Cancel the work").click()
        question = page.get_by_role("alertdialog")
        await expect(question).to_contain_text("the task then waits for you")
        await question.get_by_role("button", name="Let it work").click()
        await expect(question).to_be_hidden()
        assert not await house.server.pool.fetchval("SELECT cancel_requested FROM tasks WHERE id = $1", task)
        await page.get_by_role("button", name="Cancel the work").click()
        await question.get_by_role("button", name="Cancel the work").click()
        await expect(page.locator(".toast")).to_contain_text("heron is asked to stop")
    assert await house.server.pool.fetchval("SELECT cancel_requested FROM tasks WHERE id = $1", task)


async def test_charts_are_read_by_keys_and_as_tables(house: House) -> None:
    room = await rooms.busy(house.server, "CHART")
    async with house.page(room, "/sprints/2") as (page, _):
        chart = page.locator("#chart-burndown")
        await chart.locator("svg").focus()
        await page.keyboard.press("End")
        await expect(chart.locator(".chart-says")).to_contain_text("4 open of 5")
        await chart.get_by_text("Table").click()
        await expect(chart.locator("tbody tr").last).to_contain_text("4")
        await expect(page.locator("table.matrix tbody tr")).to_have_count(5)
        await expect(page.locator("table.matrix")).to_contain_text("41")


async def test_no_page_breaks_a_rule_of_accessibility(house: House) -> None:
    room = await rooms.busy(house.server, "AXE")
    await rooms.empty(house.server, "BARE")
    # A page that looks like another one is left out: each run of the rules takes a second or more.
    alike = ("/search", "/docs/new", "/sprints/3", "/history")
    places = [place for place in await rooms.places(house.server, room) if not place.endswith(alike)]
    everything = [f"/w/AXE{place}" for place in places if "?" not in place or "search" in place]
    nothing = [f"/w/BARE{place}" for place in ("", "/agents")]
    looks: list[tuple[dict[str, Any], list[str]]] = [
        ({"color_scheme": "light"}, [*everything, *nothing]),
        ({"color_scheme": "dark", "viewport": PHONE}, ["/w/AXE", "/w/AXE/sprints/2"]),
    ]
    axe, found = Axe(), []
    for look, addresses in looks:
        async with house.page(room, **look) as (page, _):
            for address in addresses:
                await page.goto(address)
                found += await broken(axe, page, f"{address} {look['color_scheme']}")
            await page.keyboard.press("Control+k")
            found += await broken(axe, page, f"the palette {look['color_scheme']}")
    assert found == []


async def test_every_page_fits_on_a_phone(house: House) -> None:
    room = await rooms.busy(house.server, "PHONE")
    wide = []
    async with house.page(room, viewport=PHONE) as (page, _):
        for place in await rooms.places(house.server, room):
            await page.goto(f"/w/PHONE{place}")
            over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                wide.append((place, over))
    assert wide == []


async def broken(axe: Axe, page: Page, where: str) -> list[str]:
    """The rules that a page breaks, with the elements that do."""
    said = (await axe.run(page, options=AXE)).response["violations"]
    return [f"{where}: {one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}" for one in said]


async def test_no_text_of_anybody_becomes_more_than_text(house: House) -> None:
    assert len(PAYLOADS) >= 200
    room = await rooms.empty(house.server, "XSS")
    doc = await hostile(house, room)
    async with house.page(room) as (page, _):
        for place in (
            "",
            "/backlog?everything=true",
            "/sprints",
            "/sprints/1",
            "/docs",
            f"/docs/{doc}",
            f"/docs/{doc}/edit",
            f"/docs/{doc}/history/2",
            "/activity",
            "/settings",
            "/search?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
            "/activity?actor=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&task=%3Csvg%20onload=alert(1)%3E",
        ):
            await page.goto(f"/w/XSS{place}")
            await settled(page)
            assert await page.evaluate("window.refusedByPolicy") == [], place
            assert await page.evaluate(WHAT_SHOULD_NOT_BE) == [], place
        await page.goto("/w/XSS/docs/new")
        await page.get_by_label("Text in Markdown").fill("\n\n".join(PAYLOADS))
        await page.get_by_role("tab", name="Preview").click()
        await expect(page.locator("#preview")).to_contain_text("alert")
        assert await page.evaluate(WHAT_SHOULD_NOT_BE) == []
        await page.evaluate("document.getElementById('doc-text').value = ''")
        await page.keyboard.press("Control+k")
        await page.get_by_role("combobox", name="Search, or choose a command").fill("script")
        await expect(page.locator("#palette-found .palette-option").first).to_be_visible()
        assert await page.evaluate(WHAT_SHOULD_NOT_BE) == []
        assert await page.evaluate("document.title.includes('Locus')")


# Elements and attributes that no page of ours has, in the part that people's texts are in.
WHAT_SHOULD_NOT_BE = """
[...document.querySelectorAll("main *")].flatMap((one) => {
  const found = [...one.attributes].filter((a) => a.name.startsWith("on") || a.name.startsWith("hx-on"));
  const addresses = ["href", "src", "action", "formaction"].map((n) => one.getAttribute(n)).filter(Boolean);
  const bad = addresses.filter((a) => /^\\s*(javascript|vbscript|data):/i.test(a));
  const tags = ["SCRIPT", "IFRAME", "OBJECT", "EMBED", "MARQUEE", "BASE", "META", "LINK", "STYLE", "VIDEO", "AUDIO"];
  return [...found.map((a) => a.name), ...bad, ...(tags.includes(one.tagName) ? [one.tagName] : [])];
})
"""


async def hostile(house: House, room: Workspace) -> UUID:
    """Fill every text field of a workspace with texts that try to become more; the id of a doc that has them all."""
    pool = house.server.pool

    def path(rest: str) -> str:
        return house.server.path(rest, room.id)

    async with house.ada.client(house.server) as api:

        async def known() -> bool:
            return (await api.get(path(""))).status_code == 200

        await until(known)  # who may enter what is remembered for a second
        sprint = (await api.post(path("/sprints"), json={"name": LINES[0][:100], "goal": "\n\n".join(PAYLOADS)})).json()
        made = await api.post(
            path("/docs"), json={"title": LINES[1][:200], "text": "\n\n".join(PAYLOADS), "group": LINES[2][:100]}
        )
        assert made.status_code == 201, made.text
        await api.patch(
            path(f"/docs/{made.json()['id']}"),
            json={"text": "\n\n".join(reversed(PAYLOADS))},
            headers={"If-Match": "*"},
        )
        edited = await api.patch(
            path(""),
            json={"name": LINES[3][:100], "default_checklist": [{"text": text[:500]} for text in PAYLOADS[:100]]},
            headers={"If-Match": "*"},
        )
        assert edited.status_code == 200, edited.text
        await api.post(
            path("/tasks"), json={"title": "By request", "sprint_id": sprint["id"], "labels": [LINES[4][:50]]}
        )
    # As many rows as there are texts: straight into the tables, each of them what the API would have taken.
    await pool.execute(
        "INSERT INTO tasks (workspace_id, number, title, description, position, labels, assignee, sprint_id)"
        " SELECT $1, 100 + n, left(text, 200), text, n, ARRAY[left(text, 50)], left(text, 100),"
        " CASE WHEN n % 2 = 0 THEN $3::uuid END FROM unnest($2::text[]) WITH ORDINALITY AS x (text, n)",
        room.id,
        LINES,
        UUID(sprint["id"]),
    )
    await pool.execute(
        "INSERT INTO docs (workspace_id, title, text) SELECT $1, left(text, 200), text"
        " FROM unnest($2::text[]) AS x (text)",
        room.id,
        LINES,
    )
    await pool.execute(
        "INSERT INTO sprints (workspace_id, number, name, goal) SELECT $1, 100 + n, left(text, 100), text"
        " FROM unnest($2::text[]) WITH ORDINALITY AS x (text, n)",
        room.id,
        LINES[:40],
    )
    await pool.execute(
        "INSERT INTO events (workspace_id, kind, actor_kind, actor_name, detail)"
        " SELECT $1, 'doc.edited', 'person', left(text, 100), jsonb_build_object('title', text)"
        " FROM unnest($2::text[]) AS x (text)",
        room.id,
        LINES,
    )
    return UUID(made.json()["id"])
