"""A task from its first word to its acceptance without a mouse: create, move, open, approve."""

from playwright.async_api import Page, expect
from tests.server.dashboard.conftest import Ground
from tests.support.browser import settled

MOST = 60  # presses of Tab until something must have the focus


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus, as somebody does who cannot point."""
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        said = await page.evaluate(
            "(document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || '').trim()"
        )
        if said == name:
            return
    raise AssertionError(f"{name} cannot be reached")


async def test_a_task_is_created_moved_opened_and_approved_without_a_mouse(ground: Ground) -> None:
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await page.goto("/w/WEB/board?text=by+keys+alone")
        await settled(page)

        await page.keyboard.press("c")
        await expect(page.get_by_label("Title")).to_be_focused()
        await page.keyboard.type("By keys alone")
        await page.keyboard.press("Control+Enter")
        card = page.locator(".card", has_text="By keys alone")
        await expect(card).to_be_visible()
        await expect(page.get_by_role("dialog", name="New task")).to_have_count(0)
        key = (await card.get_attribute("id") or "").removeprefix("card-")
        async with ground.ada.client(ground.server) as api:  # by hand, so that it is no agent's
            await api.patch(ground.server.path(f"/tasks/{key}"), json={"assignee": "Ada"}, headers={"If-Match": "*"})
        await expect(card).to_contain_text("Ada")

        for status, column in (("In progress", "IN_PROGRESS"), ("In review", "IN_REVIEW")):
            await page.keyboard.press("j")
            await expect(card.locator(".card-link")).to_be_focused()
            await page.keyboard.press("m")
            await tab_to(page, status)
            await page.keyboard.press("Enter")
            await expect(
                page.locator(f'.cards[data-status="{column}"] .card', has_text="By keys alone")
            ).to_be_visible()

        await page.keyboard.press("j")
        await expect(card.locator(".card-link")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel #task")).to_be_visible()
        await tab_to(page, "Approve")
        await page.keyboard.press("Enter")
        await expect(page.locator('.cards[data-status="DONE"] .card', has_text="By keys alone")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#panel #task")).to_have_count(0)

        assert seen.clean(), seen
