"""How pages look where it matters: on paper, in narrow windows, with long words, and in what opens over them."""

import re
from typing import Any

from playwright.async_api import Page, expect
from tests.server.dashboard.conftest import Ground
from tests.support.browser import PHONE, settled

NARROW = {"width": 320, "height": 640}
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2

# How far anything reaches beyond the page and the part of it that scrolls.
OVER = """() => {
  const page = document.documentElement, content = document.querySelector("#content");
  return Math.max(page.scrollWidth - page.clientWidth, content ? content.scrollWidth - content.clientWidth : 0);
}"""


async def box(page: Page, selector: str) -> dict[str, Any]:
    found = await page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return {**found, "right": found["x"] + found["width"]}


async def test_a_page_is_printed_whole_and_without_what_is_pressed(ground: Ground) -> None:
    async with ground.ada.client(ground.server) as api:
        sprint = (await api.post(ground.server.path("/sprints"), json={"name": "On paper"})).json()
        for number in range(60):
            await api.post(ground.server.path("/tasks"), json={"title": f"Printed {number}", "sprint_id": sprint["id"]})
    async with ground.open() as (context, _):
        page = await context.new_page()
        await page.goto(f"/w/WEB/board?sprint={sprint['number']}")
        await settled(page)

        paper = await page.pdf()
        await page.emulate_media(media="print")

        assert len(re.findall(rb"/Type\s*/Page\b", paper)) > 1
        for name in (".sidebar", ".board-bar", ".bar .button"):
            await expect(page.locator(name).first).to_be_hidden()
        await expect(page.get_by_text("Printed 59")).to_be_visible()


async def test_long_words_do_not_widen_a_page(ground: Ground) -> None:
    async with ground.ada.client(ground.server) as api:
        body = {"title": LONG[:200], "labels": [LONG[:50], LONG[1:51]], "assignee": LONG[:100], "priority": "CRITICAL"}
        task = (await api.post(ground.server.path("/tasks"), json=body)).json()
        doc = await api.post(
            ground.server.path("/docs"), json={"title": LONG[:200], "group": LONG[:100], "text": f"# {LONG}"}
        )
    wide = []
    for size in (NARROW, PHONE, {"width": 1440, "height": 900}):
        async with ground.open(viewport=size) as (context, _):
            page = await context.new_page()
            for place in ("", "/backlog", f"/tasks/{task['key']}", f"/docs/{doc.json()['id']}", "/docs", "/activity"):
                await page.goto(f"/w/WEB{place}")
                if (over := await page.evaluate(OVER)) > 1:
                    wide.append((size["width"], place, over))
    assert wide == []


async def test_the_words_of_an_empty_column_stand_where_its_first_card_would(ground: Ground) -> None:
    async with ground.open() as (context, _):
        page = await context.new_page()
        await page.goto("/w/WEB/board?text=Rotate")
        await settled(page)

        card, empty = await box(page, ".card"), await box(page, ".column-empty")

        assert abs(card["y"] - empty["y"]) < 8


async def test_a_dialog_and_a_panel_look_the_same_over_every_page(ground: Ground) -> None:
    key = ground.room.keys["IN_REVIEW"][0]
    async with ground.open() as (context, _):
        page = await context.new_page()
        for place in ("", "/backlog", "/sprints", "/activity", "/docs", "/settings", "/settings/members"):
            await page.goto(f"/w/WEB{place}")
            await settled(page)
            await page.keyboard.press("c")
            await expect(page.locator("dialog .form-grid")).to_have_css("display", "grid")
            await page.keyboard.press("Escape")
        await page.goto("/w/WEB")
        await settled(page)
        await page.locator(f"#needs a[data-panel][href$={key}]").click()
        await expect(page.locator("#panel .attempt").first).to_have_css("border-top-style", "solid")


async def test_on_a_phone_charts_are_read_and_the_tab_of_the_page_is_seen(ground: Ground) -> None:
    async with ground.open(viewport=PHONE) as (context, _):
        page = await context.new_page()
        await page.goto("/w/WEB/sprints/1")
        letters = await page.evaluate(
            "[...document.querySelectorAll('.chart text')].map((one) => one.getBoundingClientRect().height)"
        )
        assert letters
        assert min(letters) >= 12  # pixels of a line of text of 10 or 11
        await page.goto("/w/WEB/settings/danger")
        assert (await box(page, ".tabs [aria-current]"))["right"] <= PHONE["width"]
        await page.goto("/w/WEB/activity")
        fields = await page.locator(".activity-filter .input").all()
        lefts = {round((await field.bounding_box() or {})["x"]) for field in fields}
        assert len(lefts) == 2  # two columns without a gap


async def test_what_a_task_has_not_is_said_in_one_way_and_in_one_line(ground: Ground) -> None:
    key = ground.room.keys["BACKLOG"][3]
    async with ground.open(viewport=PHONE) as (context, _):
        page = await context.new_page()
        await page.goto(f"/w/WEB/tasks/{key}")
        await settled(page)

        await expect(page.locator("#form-due_on .no-day")).to_have_text("None")
        await page.get_by_label("Due").focus()
        await expect(page.locator("#form-due_on .no-day")).to_be_hidden()
        mark, role = await box(page, "#form-priority .bars"), await box(page, "#form-role select")
        assert abs(mark["x"] - (role["x"] + 7)) <= 1  # the border and the inner space of a field
