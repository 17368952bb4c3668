"""One task as people work with it: words, decisions, two people at once, and text that nobody loses."""

import re
from typing import Any

from playwright.async_api import Page, expect
from tests.server.dashboard.conftest import Ground
from tests.support.browser import settled


async def new(ground: Ground, title: str, **fields: object) -> str:
    """The key of a new task in the active sprint."""
    async with ground.ada.client(ground.server) as api:
        body = {"title": title, "sprint_id": str(ground.room.sprint_id), **fields}
        answer = await api.post(ground.server.path("/tasks"), json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


async def now(ground: Ground, key: str) -> dict[str, Any]:
    async with ground.ada.client(ground.server) as api:
        found: dict[str, Any] = (await api.get(ground.server.path(f"/tasks/{key}"))).json()
        return found


async def change(ground: Ground, key: str, **fields: object) -> None:
    """What somebody else does with the API meanwhile."""
    async with ground.ada.client(ground.server) as api:
        answer = await api.patch(ground.server.path(f"/tasks/{key}"), json=fields, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text


async def show(page: Page, key: str) -> None:
    await page.goto(f"/w/WEB/tasks/{key}")
    await settled(page)


async def test_work_in_review_is_sent_back_with_words_that_the_next_attempt_reads_and_then_approved(
    ground: Ground,
) -> None:
    back, good = ground.room.keys["IN_REVIEW"]
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await page.goto("/w/WEB/board")
        await settled(page)

        await page.click(f"#card-{back} .card-link")
        await expect(page).to_have_url(re.compile(f"/tasks/{back}$"))
        await page.get_by_role("link", name="Send back").click()
        await page.get_by_role("button", name="Send back").click()  # without a word: the browser asks for one
        await page.get_by_label("What is missing?").fill("Name the part that is wrong.")
        await page.get_by_role("button", name="Send back").click()
        await expect(page.locator("#panel .comment.rejection").last).to_contain_text("Name the part that is wrong.")
        await expect(page.locator(f'.cards[data-status="BACKLOG"] #card-{back}')).to_be_visible()
        await page.go_back()
        await expect(page.locator("#panel #task")).to_have_count(0)

        await page.click(f"#card-{good} .card-link")
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_role("button", name="Approve anyway").click()  # an item is not ticked
        await expect(page.locator(f'.cards[data-status="DONE"] #card-{good}')).to_be_visible()

        assert (await now(ground, back))["status"] == "BACKLOG"
        assert (await now(ground, good))["status"] == "DONE"
        assert seen.clean(), seen


async def test_two_people_who_edit_one_description_see_both_and_lose_nothing(ground: Ground) -> None:
    key = await new(ground, "Two people", description="First words.")
    bob = await ground.join("Bob")
    async with ground.open() as (hers, seen), ground.open(bob) as (his, _):
        ada, other = await hers.new_page(), await his.new_page()
        await show(ada, key)
        await show(other, key)
        await ada.get_by_role("button", name="Edit").click()
        await ada.get_by_label("Description, in Markdown").fill("What Ada wrote.")

        await other.get_by_role("button", name="Edit").click()
        await other.get_by_label("Description, in Markdown").fill("What Bob wrote.")
        await other.get_by_role("button", name="Save").click()
        await expect(other.locator("#description-text")).to_contain_text("What Bob wrote.")
        await expect(ada.get_by_label("Description, in Markdown")).to_have_value("What Ada wrote.")
        await ada.get_by_role("button", name="Save").click()

        dialog = ada.get_by_role("dialog", name="Somebody else changed the description")
        await expect(dialog).to_contain_text("What Bob wrote.")
        await expect(dialog.get_by_label("Yours")).to_have_value("What Ada wrote.")
        assert (await now(ground, key))["description"] == "What Bob wrote."
        await ada.keyboard.press("Escape")  # not decided yet: her words stay in the editor, beside his
        await expect(dialog).to_be_hidden()
        await expect(ada.get_by_label("Description, in Markdown")).to_have_value("What Ada wrote.")
        await ada.get_by_role("button", name="Save").click()
        await dialog.get_by_label("Yours").fill("What Bob wrote. What Ada wrote.")
        await dialog.get_by_role("button", name="Save yours").click()

        await expect(other.locator("#description-text")).to_contain_text("What Bob wrote. What Ada wrote.")
        assert (await now(ground, key))["description"] == "What Bob wrote. What Ada wrote."
        assert seen.clean(), seen


async def test_another_field_that_somebody_changes_meanwhile_is_no_conflict(ground: Ground) -> None:
    key = await new(ground, "Fields")
    async with ground.open() as (context, _):
        page = await context.new_page()
        await show(page, key)
        await page.get_by_role("button", name="Edit").click()
        await page.get_by_label("Description, in Markdown").fill("Mine.")
        await change(ground, key, priority="CRITICAL")
        await expect(page.locator("#form-priority select")).to_have_value("CRITICAL")

        await page.get_by_role("button", name="Save").click()

        await expect(page.locator("#description-text")).to_contain_text("Mine.")
        found = await now(ground, key)
        assert (found["description"], found["priority"]) == ("Mine.", "CRITICAL")


async def test_text_that_is_not_saved_survives_a_reload_and_is_gone_once_it_was_sent(ground: Ground) -> None:
    key = await new(ground, "Drafts")
    async with ground.open() as (context, _):
        page = await context.new_page()
        await show(page, key)
        await page.get_by_label("Comment, in Markdown").fill("A long thought")

        await page.reload()
        await settled(page)
        await expect(page.get_by_label("Comment, in Markdown")).to_have_value("A long thought")
        await page.get_by_role("button", name="Comment").click()
        await expect(page.locator(".comment")).to_contain_text("A long thought")
        await page.reload()
        await settled(page)

        await expect(page.get_by_label("Comment, in Markdown")).to_have_value("")


async def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_below_the_field(ground: Ground) -> None:
    async with ground.open() as (context, _):
        page = await context.new_page()
        await page.goto("/w/WEB/board")
        await settled(page)
        await page.keyboard.press("c")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Title").fill("Kept although refused")
        await dialog.get_by_label("Labels").fill("x" * 60)
        await dialog.get_by_role("button", name="Create task").click()

        await expect(dialog.locator(".wrong")).to_have_text("Must have at most 50 characters.")
        await expect(page.locator(".toast")).to_have_count(0)
        await page.reload()
        await settled(page)
        await page.keyboard.press("c")
        await expect(dialog.get_by_label("Title")).to_have_value("Kept although refused")
        await page.evaluate("localStorage.clear()")

        await page.goto("/w/WEB/backlog")
        await settled(page)
        await page.get_by_role("button", name="Plan a sprint").click()
        plan = page.get_by_role("dialog", name="Plan a sprint")
        await plan.get_by_label("Name").fill("Backwards")
        await plan.get_by_label("First day").fill("2026-03-02")
        await plan.get_by_label("Last day").fill("2026-03-01")
        await plan.get_by_role("button", name="Plan the sprint").click()
        await expect(plan.locator(".wrong").or_(page.locator(".toast")).first).to_be_visible()
        await expect(plan.get_by_label("Name")).to_have_value("Backwards")


async def test_properties_and_the_checklist_are_edited_in_place(ground: Ground) -> None:
    key = await new(ground, "In place")
    other = await new(ground, "Needed first")
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await show(page, key)
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)

        await page.select_option("#form-priority select", "HIGH")
        await expect(page.locator(".toast").last).to_contain_text("priority saved")
        await page.fill("#form-labels input[name=value]", "api, quick")
        await page.keyboard.press("Enter")
        await expect(page.locator(".toast").last).to_contain_text("labels saved")
        assert len(sent) == 2, "Enter sends once, though it is a change and a submit"
        await page.fill("#form-due_on input[name=value]", "2027-01-31")
        await page.locator("#form-due_on input[name=value]").blur()
        await expect(page.locator(".toast").last).to_contain_text("due date saved")
        await page.fill("#form-depends_on input[name=value]", other.lower())
        await page.keyboard.press("Enter")
        await expect(page.locator(f'.graph a[href$="{other}"]')).to_be_visible()
        await page.fill("#form-depends_on input[name=value]", f"{other}, WEB-9999")
        await page.keyboard.press("Enter")
        await expect(page.locator(".toast").last).to_contain_text("there is no such task here")
        await page.get_by_label("New item").fill("It is fast")
        await page.keyboard.press("Enter")
        await page.get_by_label("It is fast", exact=True).check()
        await expect(page.locator(".toast").last).to_contain_text("item ticked")
        await page.get_by_label("Title").fill("Renamed in place")
        await page.keyboard.press("Enter")
        await expect(page.locator(".toast").last).to_contain_text("title saved")

        found = await now(ground, key)
        assert (found["priority"], found["labels"], found["due_on"]) == ("HIGH", ["api", "quick"], "2027-01-31")
        assert [(item["text"], item["done"]) for item in found["checklist"]] == [("It is fast", True)]
        assert found["title"] == "Renamed in place"
        assert len(found["depends_on"]) == 1
        assert seen.clean(), seen


async def test_the_agent_that_works_on_a_task_is_shown_and_can_be_cancelled(ground: Ground) -> None:
    key = ground.room.keys["IN_PROGRESS"][1]
    async with ground.open() as (context, _):
        page = await context.new_page()
        await show(page, key)

        await expect(page.locator("#decision")).to_contain_text("codex-2")
        await page.get_by_role("button", name="Cancel the run").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Cancel the run").click()

        await expect(page.locator("#decision")).to_contain_text("was asked to stop")
        assert (await now(ground, key))["cancel_requested"]


async def test_a_preview_shows_markdown_as_it_will_be(ground: Ground) -> None:
    key = await new(ground, "Preview")
    async with ground.open() as (context, seen):
        page = await context.new_page()
        await show(page, key)
        await page.get_by_role("button", name="Edit").click()
        await page.get_by_label("Description, in Markdown").fill(
            "A **bold** <b onclick=alert(1)>word</b> ![x](http://evil.test/x)"
        )

        await page.get_by_role("tab", name="Preview").click()

        await expect(page.locator("[data-editor-preview] strong")).to_have_text("bold")
        assert await page.locator("[data-editor-preview] img, [data-editor-preview] b").count() == 0
        assert seen.clean(), seen
