"""A real browser: Debian's Chromium, headless, driven by Playwright. One for many tests, a context for each person."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright, expect
from tests.support.people import SomebodySignedIn
from tests.support.server import RunningServer

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Chromium is not installed. On Debian: apt install chromium"
# As root Chromium has no sandbox of its own; the pages are ours, and nothing leaves the loopback.
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LIMIT = 15_000  # ms in which something must come true; machines under test are busy
expect.set_options(timeout=LIMIT)

# The page tells of what a strict policy refuses, which the console alone would bury.
WATCH = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.refusedByPolicy.push(`${e.violatedDirective} ${e.blockedURI}`);
});
"""


@dataclass
class Watched:
    """What went wrong in a context: errors of scripts, requests to other servers, dialogs that opened."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def clean(self) -> bool:
        return not (self.errors or self.outside or self.dialogs)


def program() -> str | None:
    """The browser of this machine."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser; without one tests are skipped, or fail with LOCUS_REQUIRE_REAL=1."""
    found = program()
    if found is None:
        if os.environ.get("LOCUS_REQUIRE_REAL") == "1":
            raise RuntimeError(MISSING)
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def context(
    browser: Browser, server: RunningServer, who: SomebodySignedIn | None = None, **options: object
) -> AsyncIterator[tuple[BrowserContext, Watched]]:
    """A browser of one person, signed in, and what is seen of it. `options` are Playwright's."""
    made = await browser.new_context(
        **{"base_url": server.url, "viewport": DESKTOP, "reduced_motion": "reduce", **options}
    )  # type: ignore[arg-type]
    made.set_default_timeout(LIMIT)
    if who is not None:
        await made.add_cookies([{**who.cookie, "url": server.url}])  # type: ignore[typeddict-item]
    watched = Watched()
    await made.add_init_script(WATCH)
    made.on("page", lambda page: watch(page, server, watched))
    try:
        yield made, watched
    finally:
        await made.close()


def watch(page: Page, server: RunningServer, watched: Watched) -> None:
    """Note what must not happen in a page."""

    def said(message: ConsoleMessage) -> None:
        # An answer that refuses is told in the console by the browser itself, and shown by the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            watched.errors.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith((server.url, "data:", "blob:")) else watched.outside.append(r.url)
    )

    async def dismiss(dialog: object) -> None:
        watched.dialogs.append(getattr(dialog, "message", ""))
        await dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", dismiss)


async def settled(page: Page) -> None:
    """Wait until the page has its scripts and follows the workspace."""
    await page.wait_for_selector("#frame[data-follows=on]", state="attached")


async def drag(page: Page, what: Locator, onto: Locator) -> None:
    """Drag with the mouse as a person does: take it, move it to the upper part of `onto`, look, let go.

    A list that has just made room takes no notice of the mouse for 30 ms, so a drag at the speed of a program can end
    before the list has seen where.
    """
    start, end = await what.bounding_box(), await onto.bounding_box()
    assert start is not None
    assert end is not None
    await page.mouse.move(start["x"] + 60, start["y"] + 16)
    await page.mouse.down()
    await page.mouse.move(start["x"] + 70, start["y"] + 26, steps=3)
    await page.mouse.move(end["x"] + 80, end["y"] + 8, steps=8)
    for nudge in range(3):
        await asyncio.sleep(0.08)
        await page.mouse.move(end["x"] + 81 + nudge, end["y"] + 8)
    await page.mouse.up()
