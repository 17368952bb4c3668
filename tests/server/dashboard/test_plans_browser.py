"""Plans on the dashboard in a real browser: decided about live, by the keyboard, on a phone, with hostile words."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect
from tests.server.dashboard import rooms
from tests.server.dashboard.conftest import Ground
from tests.support.browser import PHONE, settled
from tests.support.xss import LINES, PAYLOADS

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


async def test_a_plan_comes_is_sent_back_and_the_next_one_is_approved_while_one_looks(ground: Ground) -> None:
    room = await rooms.empty(ground.server, "PLANS")
    async with ground.open() as (context, watched):
        page = await context.new_page()
        await page.goto("/w/PLANS/plans")
        await settled(page)
        await expect(page.get_by_text("No plan yet")).to_be_visible()
        await rooms.plan(ground.server, room.id, "First")
        await page.get_by_role("link", name="First").click()
        await settled(page)
        await page.get_by_role("button", name="Send back").click()
        await page.get_by_label("What is wrong with it?").fill("Smaller, please")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("paragraph").filter(has_text="Smaller, please")).to_be_visible()
        await expect(page.get_by_role("button", name="Approve")).to_have_count(0)

        await rooms.plan(ground.server, room.id, "Second")
        await expect(page.locator("#nav a", has_text="Plans").locator(".side-count")).to_have_text("1")
        await page.goto("/w/PLANS")
        await page.locator("#needs").get_by_role("link", name="Second").click()
        await page.get_by_label("Start the sprint").check()
        await page.get_by_role("button", name="Approve").click()
        await page.wait_for_url("**/sprints/1")
        await expect(page.get_by_role("heading", name="Second")).to_be_visible()
        await expect(page.locator("#sprint").get_by_text("active", exact=True)).to_be_visible()
        assert watched.clean(), watched


async def test_the_pages_of_plans_are_accessible_and_fit_a_phone(ground: Ground) -> None:
    room = await rooms.empty(ground.server, "AXE")
    plan = await rooms.plan(ground.server, room.id, "Everything at once")
    given_up = await rooms.plan(ground.server, room.id, "W" * 90)
    async with ground.server.client(await ground.server.key()) as api:
        assert (await api.post(f"/api/v1/workspaces/{room.id}/plans/{given_up}/cancel")).status_code == 200
    for scheme in ("light", "dark"):
        async with ground.open(viewport=PHONE, color_scheme=scheme) as (context, watched):
            page = await context.new_page()
            for place in ("/plans", f"/plans/{plan}", f"/plans/{given_up}"):
                await page.goto(f"/w/AXE{place}")
                await settled(page)
                found = (await Axe().run(page, options=AXE)).response["violations"]
                assert found == [], (place, scheme, found)
                wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                assert await page.evaluate(wide) == 0, place
            assert watched.clean(), watched


async def test_hostile_words_in_every_field_of_a_plan_are_only_words(ground: Ground) -> None:
    room = await rooms.empty(ground.server, "XSS")
    for at in range(0, len(PAYLOADS), 90):
        hostile = PAYLOADS[at : at + 90]
        lines = [LINES[place % len(LINES)] for place in range(at, at + 90)]
        tasks = [
            {
                "ref": f"t{number}",
                "title": line[:200] or "x",
                "description": text,
                "labels": [line[:30].strip() or "x"],
                "checklist": [{"text": line[:200] or "x"}],
                "depends_on": [f"t{number - 1}"] if number % 5 else [],
            }
            for number, (text, line) in enumerate(zip(hostile, lines, strict=False))
        ]
        risks = [{"description": line[:200], "mitigation": line[:200]} for line in lines[:20]]
        plan = await rooms.plan(ground.server, room.id, lines[0][:100], goal=hostile[0], tasks=tasks, risks=risks)
        async with ground.open() as (context, watched):
            page = await context.new_page()
            await page.goto(f"/w/XSS/plans/{plan}")
            await settled(page)
            await page.get_by_role("button", name="Send back").click()
            await page.get_by_label("What is wrong with it?").fill("\n\n".join(hostile)[:16_000])
            await page.get_by_role("dialog").get_by_role("button", name="Send back").click()
            await expect(page.get_by_role("heading", name="What was said against it")).to_be_visible()
            await page.goto("/w/XSS/plans")
            await settled(page)
            assert await page.evaluate("window.refusedByPolicy") == []
            assert watched.clean(), watched
