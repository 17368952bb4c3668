"""The board as people use it: dragging, keys, filters, and what others change meanwhile."""

import re

import httpx
from playwright.async_api import Page, expect
from tests.server.dashboard.conftest import Ground
from tests.support import browser as browsers
from tests.support.browser import settled

from locus.wire.workspaces import MemberRole


async def board(page: Page, query: str = "") -> None:
    await page.goto(f"/w/WEB/board{query}")
    await settled(page)


async def new(ground: Ground, title: str, **fields: object) -> str:
    """The key of a new task in the active sprint."""
    async with ground.ada.client(ground.server) as api:
        body = {"title": title, "sprint_id": str(ground.room.sprint_id), **fields}
        answer = await api.post(ground.server.path("/tasks"), json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


async def now(ground: Ground, key: str) -> dict[str, object]:
    async with ground.ada.client(ground.server) as api:
        found: dict[str, object] = (await api.get(ground.server.path(f"/tasks/{key}"))).json()
        return found


async def drag(page: Page, key: str, to: str) -> None:
    await browsers.drag(page, page.locator(f"#card-{key}"), page.locator(to))


async def test_a_card_is_dragged_where_its_status_may_go_and_nowhere_else(ground: Ground) -> None:
    key = await new(ground, "Drag me")
    async with ground.open(reduced_motion="no-preference") as (context, seen):
        page = await context.new_page()
        await board(page)

        await drag(page, key, '.cards[data-status="BLOCKED"]')
        await expect(page.locator(f'.cards[data-status="BLOCKED"] #card-{key}')).to_be_visible()
        await expect(page.locator(".toast")).to_contain_text(f"{key} is blocked")
        await drag(page, key, '.cards[data-status="IN_REVIEW"]')  # a blocked task is not in review
        await expect(page.locator(f'.cards[data-status="BLOCKED"] #card-{key}')).to_be_visible()

        assert (await now(ground, key))["status"] == "BLOCKED"
        assert seen.clean(), seen


async def test_cards_are_put_in_order_and_the_order_is_what_agents_take(ground: Ground) -> None:
    first, second, third = [await new(ground, f"Order {n}", priority="LOW") for n in range(3)]
    async with ground.open() as (context, _):
        page = await context.new_page()
        await board(page)

        await drag(page, third, f"#card-{first}")
        await expect(page.locator(f"#card-{third} ~ #card-{first}")).to_be_visible()
        await expect(page.locator(".toast")).to_contain_text(f"{third} moved")
        async with ground.ada.client(ground.server) as api:
            listed = (await api.get(ground.server.path("/tasks"), params={"view": "next", "limit": 200})).json()[
                "items"
            ]
        keys = [task["key"] for task in listed]
        waiting = ground.room.keys["BACKLOG"][1:3]  # for other tasks: agents do not take them yet

        assert keys.index(third) < keys.index(first) < keys.index(second)
        for key in (third, first, second):
            place = sum(task["key"] not in waiting for task in listed[: keys.index(key) + 1])
            await expect(page.locator(f"#card-{key} .next-up")).to_have_text(str(place))
        await page.click('.toast button:has-text("Undo")')
        await expect(page.locator(f"#card-{first} ~ #card-{third}")).to_be_visible()


async def test_dropping_a_card_among_others_of_another_priority_says_that_it_takes_theirs(ground: Ground) -> None:
    async with ground.open() as (context, _):
        key = await new(ground, "Hurry", priority="LOW", labels=["hurry"])
        await new(ground, "Above", priority="CRITICAL", labels=["hurry"])
        other = await new(ground, "Also above", priority="CRITICAL", labels=["hurry"])
        page = await context.new_page()
        await board(page, "?label=hurry")

        await drag(page, key, f"#card-{other}")

        await expect(page.locator(".toast")).to_contain_text("critical priority now")
        assert (await now(ground, key))["priority"] == "CRITICAL"


async def test_the_board_is_worked_with_keys_alone(ground: Ground) -> None:
    key = await new(ground, "No mouse", labels=["keys"])
    after = await new(ground, "No mouse either", labels=["keys"])
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await board(page, "?label=keys")

        await page.keyboard.press("j")
        await expect(page.locator(f"#card-{key} .card-link")).to_be_focused()
        await page.keyboard.press("Alt+ArrowDown")
        await expect(page.locator(f"#card-{after} ~ #card-{key}")).to_be_visible()
        await page.keyboard.press("m")
        await page.get_by_role("button", name="Blocked").press("Enter")
        await expect(page.locator(f'.cards[data-status="BLOCKED"] #card-{key}')).to_be_visible()
        await page.locator(f"#card-{key} .card-link").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel #task")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#panel #task")).to_have_count(0)
        await expect(page.locator(f"#card-{key} .card-link")).to_be_focused()
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        await page.keyboard.press("Escape")

        assert (await now(ground, key))["status"] == "BLOCKED"
        assert seen.clean(), seen


async def test_a_filter_stands_in_the_address_and_survives_a_reload(ground: Ground) -> None:
    key = await new(ground, "Findable needle")
    async with ground.open() as (context, _):
        page = await context.new_page()
        await board(page)

        await page.fill("[data-filter-text]", "NEEDLE")
        await expect(page.locator("#board .card")).to_have_count(1)
        await expect(page).to_have_url(re.compile(r"text=NEEDLE"))
        await page.reload()
        await expect(page.locator("#board .card")).to_have_count(1)
        await expect(page.locator(f"#card-{key}")).to_be_visible()
        await page.fill("[data-filter-text]", "nothing is called so")
        await expect(page.get_by_text("Nothing fits this filter")).to_be_visible()


async def test_groups_cut_the_board_into_lanes(ground: Ground) -> None:
    async with ground.open() as (context, _):
        page = await context.new_page()
        await board(page, "?group=priority")

        titles = await page.locator(".lane-title").all_inner_texts()

        assert [title.split()[0] for title in titles][-2:] == ["Medium", "Low"]


async def test_a_change_by_somebody_else_appears_without_taking_what_one_is_writing(ground: Ground) -> None:
    key = await new(ground, "Watched")
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await board(page)
        await page.focus("[data-filter-text]")
        async with ground.ada.client(ground.server) as api:
            await api.patch(
                ground.server.path(f"/tasks/{key}"), json={"title": "Seen at once"}, headers={"If-Match": "*"}
            )

        await expect(page.locator(f"#card-{key}")).to_contain_text("Seen at once")
        await expect(page.locator("[data-filter-text]")).to_be_focused()
        assert seen.clean(), seen


async def test_what_happened_while_the_line_was_down_is_caught_up(ground: Ground) -> None:
    key = await new(ground, "Offline")
    async with ground.open() as (context, _):
        page = await context.new_page()
        await board(page)
        await context.set_offline(True)
        await expect(page.locator("#frame[data-follows=off]")).to_be_attached()
        async with ground.ada.client(ground.server) as api:
            await api.patch(
                ground.server.path(f"/tasks/{key}"), json={"title": "Back again"}, headers={"If-Match": "*"}
            )
        await expect(page.locator("#offline")).to_be_visible()

        await context.set_offline(False)

        await expect(page.locator(f"#card-{key}")).to_contain_text("Back again")
        await expect(page.locator("#offline")).to_be_hidden()


async def test_a_task_is_created_with_one_key(ground: Ground) -> None:
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await board(page)

        await page.keyboard.press("c")
        await page.get_by_label("Title").fill("Made with c")
        await page.get_by_label("Checklist").fill("It works\nIt is fast")
        await page.keyboard.press("Control+Enter")

        card = page.locator(".card", has_text="Made with c")
        await expect(card).to_contain_text("0/2")
        await expect(page.get_by_role("dialog", name="New task")).to_have_count(0)
        assert seen.clean(), seen


async def test_a_viewer_sees_the_board_and_can_change_nothing(ground: Ground) -> None:
    eve = await ground.join("Eve", MemberRole.VIEWER)
    key = ground.room.keys["BACKLOG"][0]
    async with ground.open(eve) as (context, _):
        page = await context.new_page()
        await board(page)

        await expect(page.locator("[data-creates]")).to_have_count(0)
        await expect(page.locator(".card[data-to]")).to_have_count(0)
    async with eve.client(ground.server) as client:
        for rest, fields in (
            ("/board/move", {"key": key, "status": "BLOCKED"}),
            (f"/tasks/{key}/edit", {"field": "title", "value": "x"}),
            (f"/tasks/{key}/status", {"status": "DONE"}),
            (f"/tasks/{key}/comments", {"text": "x"}),
            (f"/tasks/{key}/delete", {}),
            ("/tasks/new", {"title": "x"}),
        ):
            answer: httpx.Response = await client.post(f"/w/WEB{rest}", data=fields)
            assert answer.status_code == 403, rest


async def test_on_a_phone_columns_are_tabs_and_the_task_is_a_sheet(ground: Ground) -> None:
    async with ground.open(viewport=browsers.PHONE, color_scheme="dark", has_touch=True) as (context, seen):
        page = await context.new_page()
        await board(page)

        await page.get_by_role("button", name=re.compile("In review")).tap()
        key = ground.room.keys["IN_REVIEW"][0]
        await expect(page.locator(f"#card-{key}")).to_be_in_viewport()
        await page.locator(f"#card-{key} .card-link").tap()
        await expect(page.locator("#panel #task")).to_be_in_viewport()
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")

        assert not wide
        assert seen.clean(), seen
