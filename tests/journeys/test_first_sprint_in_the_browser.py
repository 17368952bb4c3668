"""Somebody who has never been here: from their address to a sprint that was worked off beside them and accepted."""

import asyncio
import re
import subprocess
from pathlib import Path

from playwright.async_api import Page, expect
from tests.support import browser as browsers, mails, person as persons, server as servers
from tests.support.browser import settled
from tests.support.mails import Postbox
from tests.support.person import Person
from tests.support.postgres import Databases

ADDRESS = "ada@example.org"
LONG = 60_000  # ms for what an agent has to do first


async def test_from_the_first_sign_in_to_a_sprint_that_an_agent_worked_off_and_a_person_accepted(
    databases: Databases, tmp_path: Path
) -> None:
    machine = persons.new(tmp_path, LOCUS_PROVIDER="command", LOCUS_FORGE="none")
    machine.repository("shop")
    machine.variables["LOCUS_AGENT_COMMAND"] = str(machine.program("agent", "cat > /dev/null; echo done > $$.txt"))
    async with (
        databases.one() as dsn,
        mails.taking() as (postbox, relay),
        servers.running(dsn, relay=relay, sign_up="open") as server,
        browsers.chromium() as browser,
        browsers.context(browser, server) as (context, seen),
    ):
        page = await context.new_page()

        await sign_in(page, postbox)
        await found(page)
        key = await make_key(page)
        login = ("login", "--server", server.url, "--key-stdin")
        assert await on(machine, *login, stdin=key) == 0
        await plan(page)
        working = await asyncio.create_subprocess_exec(
            *persons.command("run", "--yes", "--json"),
            cwd=machine.home / "shop",
            env={**machine.environment(), "LOCUS_SERVER": server.url},
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            await accept(page)
            assert await asyncio.wait_for(working.wait(), 60) == 0
        finally:
            if working.returncode is None:
                working.kill()
                await working.wait()
        await complete(page)

        assert machine.git("log", "--format=%s", "main..locus/sprint-1", cwd=machine.bare()).count("SHOP-") == 2
        assert seen.clean(), seen


async def sign_in(page: Page, postbox: Postbox) -> None:
    await page.goto("/")
    await page.get_by_label("E-mail address").fill(ADDRESS)
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_label("Code").fill((await postbox.code(ADDRESS)).lower())
    await page.get_by_role("button", name="Sign in").click()


async def found(page: Page) -> None:
    """The organization and its workspace."""
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_label("Name of your organization").fill("Acme")
    await page.get_by_role("button", name="Make the organization").click()
    await page.get_by_label("Name", exact=True).fill("shop")
    await page.get_by_role("button", name="Make the workspace").click()
    await expect(page.get_by_role("heading", name="Connect a repository")).to_be_visible()
    await expect(page.get_by_text("locus login --server")).to_be_visible()


async def make_key(page: Page) -> str:
    await page.get_by_role("link", name="Make a key").click()
    await page.get_by_label("Name").fill("my machine")
    await page.get_by_role("button", name="Make the key").click()
    shown = re.search(r"lcs_\w{20,}", await page.locator("main").inner_text())
    assert shown is not None
    return shown[0]


async def plan(page: Page) -> None:
    """A sprint with two tasks, started."""
    await page.goto("/w/SHOP/backlog")
    await settled(page)
    await page.get_by_role("button", name="Plan a sprint").click()
    await page.get_by_label("Name").fill("First")
    await page.get_by_role("button", name="Plan the sprint").click()
    section = page.locator(".backlog-section", has=page.get_by_role("heading", name="First"))
    add = section.get_by_placeholder("Add a task")
    for title in ("Say hello", "Say goodbye"):
        await add.fill(title)
        await add.press("Enter")
        await expect(section.get_by_text(title, exact=True)).to_be_visible()
    await page.get_by_role("button", name="Start").click()
    await expect(section.get_by_text("active")).to_be_visible()


async def accept(page: Page) -> None:
    """Watch the agent from the board, and accept what it hands in, without a reload."""
    await page.goto("/w/SHOP/board")
    await settled(page)
    for key in ("SHOP-1", "SHOP-2"):
        await expect(page.locator(f'.cards[data-status="IN_REVIEW"] #card-{key}')).to_be_visible(timeout=LONG)
        await page.click(f"#card-{key} .card-link")
        await expect(page.locator("#panel #decision")).to_contain_text("is on the remote")
        await page.locator("#panel").get_by_role("button", name="Approve").click()
        await expect(page.locator(f'.cards[data-status="DONE"] #card-{key}')).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#panel #task")).to_have_count(0)


async def complete(page: Page) -> None:
    await page.goto("/w/SHOP/sprints/1")
    await settled(page)
    await expect(page.locator("main")).to_contain_text("2 of 2")
    await page.get_by_role("button", name="Complete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Complete the sprint").click()
    await expect(page.locator(".toast", has_text="Sprint 1 is completed")).to_be_visible()


async def on(machine: Person, *arguments: str, stdin: str) -> int:
    """Run `locus` in the repository with this on its standard input."""

    def run() -> int:
        return subprocess.run(
            persons.command(*arguments),
            cwd=machine.home / "shop",
            env=machine.environment(),
            input=stdin.encode(),
            capture_output=True,
            timeout=90,
            check=False,
        ).returncode

    return await asyncio.to_thread(run)
