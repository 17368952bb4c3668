"""The board and the task, with hostile texts in them and for everybody: no text runs, and axe finds nothing."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from tests.server.dashboard.conftest import Ground
from tests.support.browser import PHONE, settled
from tests.support.xss import LINES, PAYLOADS

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# Whatever the policy of the page would stop anyway must not be there in the first place.
STRANGE = """[...document.querySelectorAll("*")].filter((one) =>
  (one.tagName === "SCRIPT" && !one.src.startsWith(location.origin + "/static/"))
  || (one.tagName === "STYLE")
  || ["IFRAME", "OBJECT", "EMBED", "IMG", "BASE"].includes(one.tagName)
  || [...one.attributes].some((attribute) => attribute.name.startsWith("on") || attribute.name === "srcdoc"
    || (["href", "action", "formaction"].includes(attribute.name)
      && /^\\s*(javascript|vbscript|data):/i.test(attribute.value)))
).map((one) => one.outerHTML.slice(0, 120))"""
EACH = 32  # payloads in one text


async def harmless(page: Page) -> None:
    assert await page.evaluate("window.refusedByPolicy") == []
    assert await page.evaluate(STRANGE) == []


async def test_no_text_on_the_board_or_in_a_task_becomes_more_than_text(ground: Ground) -> None:
    assert len(PAYLOADS) >= 200
    keys = []
    lines = [line for line in LINES if len(line) <= 200]
    async with ground.ada.client(ground.server) as api:
        for start in range(0, len(PAYLOADS), EACH):
            part = PAYLOADS[start : start + EACH]
            answer = await api.post(
                ground.server.path("/tasks"),
                json={
                    "title": lines[start % len(lines)],
                    "description": "\n\n".join(part),
                    "labels": list({text[:50].strip() for text in lines[start : start + 3]} - {""}),
                    "assignee": lines[(start + 5) % len(lines)][:100].strip(),
                    "checklist": [{"text": text[:500]} for text in part],
                },
            )
            assert answer.status_code == 201, answer.text
            keys.append(answer.json()["key"])
            said = await api.post(ground.server.path(f"/tasks/{keys[-1]}/comments"), json={"text": "\n\n".join(part)})
            assert said.status_code == 201, said.text
    async with ground.open() as (context, seen):
        page = await context.new_page()
        for place in (
            "/board?sprint=all",
            "/board?sprint=all&group=assignee&text=%3Cscript%3E&label=%22%3E%3Csvg%20onload=x%3E",
        ):
            await page.goto(f"/w/WEB{place}")
            await settled(page)
            await harmless(page)
        for key in keys:
            await page.goto(f"/w/WEB/tasks/{key}")
            await harmless(page)
        await settled(page)
        await page.get_by_role("button", name="Edit").click()
        await page.get_by_label("Description, in Markdown").fill("\n\n".join(PAYLOADS))
        await page.get_by_role("tab", name="Preview").click()
        await expect(page.locator("[data-editor-preview]")).to_contain_text("alert")
        await harmless(page)
        assert seen.clean(), seen


async def test_the_board_and_a_task_break_no_rule_of_accessibility(ground: Ground) -> None:
    review, working = ground.room.keys["IN_REVIEW"][0], ground.room.keys["IN_PROGRESS"][0]
    found = []
    async with ground.open(color_scheme="light") as (context, _):
        page = await context.new_page()
        await page.goto("/w/WEB/board")
        await settled(page)
        found += await broken(page, "the board")
        await page.click(f"#card-{review} .card-link")
        await expect(page.locator("#panel #task")).to_be_visible()
        found += await broken(page, "the panel")
        await page.keyboard.press("Escape")
        await page.keyboard.press("c")
        await expect(page.get_by_role("dialog", name="New task")).to_be_visible()
        found += await broken(page, "the form of a new task")
    async with ground.open(color_scheme="dark", viewport=PHONE) as (context, _):
        page = await context.new_page()
        for place in ("/board?group=priority", f"/tasks/{working}", "/board?text=nothing-is-called-so"):
            await page.goto(f"/w/WEB{place}")
            await settled(page)
            found += await broken(page, f"{place}, dark, on a phone")

    assert found == []


async def broken(page: Page, where: str) -> list[str]:
    """The rules that a page breaks, with the elements that do."""
    said = (await Axe().run(page, options=RULES)).response["violations"]
    return [f"{where}: {one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}" for one in said]
