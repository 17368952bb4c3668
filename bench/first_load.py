"""The first look at a board of 200 cards: at the server, over the wire, and until a phone shows something."""

import os
import shutil
import time

import httpx
from playwright.async_api import Browser, async_playwright

from bench import control
from bench.control import Plane
from bench.measure import Measure, at_most, median, percentile

CARDS = 200
ROUNDS = 20
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PHONE = {"width": 390, "height": 844}
# What Lighthouse takes for a phone on a slow mobile network, and how much slower than this machine it computes.
NETWORK = {
    "offline": False,
    "latency": 150,  # milliseconds of a round trip
    "downloadThroughput": 1.6e6 / 8,  # bytes a second
    "uploadThroughput": 750e3 / 8,
}
SLOWER = 4
# The board shows cards with everything that a card can have.
FURNISH = """
    UPDATE tasks SET priority = (ARRAY['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'])[1 + number % 4]::priority,
           title = 'Task ' || number || ' says in a line what is to be done', labels = ARRAY['label ' || number % 7],
           checklist = '[{"id": "a", "text": "Unit tests", "check": "unit"}]',
           status = (ARRAY['BACKLOG', 'DONE', 'IN_REVIEW', 'BACKLOG'])[1 + number % 4]
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


async def measure(*, cards: int = CARDS, rounds: int = ROUNDS) -> list[Measure]:
    """A board of `cards` cards, asked for `rounds` times by a program, and by a browser that knows nothing yet.

    Raises:
        RuntimeError: there is no Chromium.
    """
    async with control.running() as plane, async_playwright() as playwright:
        await plane.fill(cards)
        await plane.database.execute(FURNISH)
        taken = await at_the_server(plane, rounds)
        browser = await playwright.chromium.launch(executable_path=program(), args=FLAGS)
        try:
            looks = [await look(browser, plane) for _ in range(max(1, rounds // 4))]
        finally:
            await browser.close()
    paints, sizes = [paint for paint, _ in looks], [size for _, size in looks]
    return [
        Measure(
            f"board of {cards} cards, at the server",
            median(taken),
            "ms",
            at_most(60),
            note=f"median of {rounds}; 95 % take at most {percentile(taken, 0.95):.0f} ms",
        ),
        Measure(
            "first load, everything together",
            median(sizes) / 1000,
            "kB",
            at_most(120),
            note="as sent, compressed: the page, styles, scripts, icons",
        ),
        Measure(
            "first contentful paint on a phone",
            median(paints),
            "ms",
            at_most(1000),
            note=f"a round trip of 150 ms, 1.6 Mbit/s, a processor {SLOWER} times slower than this one; nothing cached",
        ),
    ]


def program() -> str:
    """The browser of this machine."""
    found = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if found is None:
        raise RuntimeError("Chromium is not installed. On Debian: apt install chromium")
    return os.fspath(found)


async def at_the_server(plane: Plane, rounds: int) -> list[float]:
    """Milliseconds from each request for the board to its last byte, after two that warm up."""
    taken = []
    headers = {"Authorization": f"Bearer {plane.secret}", "Accept": "text/html"}
    async with httpx.AsyncClient(base_url=f"http://{plane.host}:{plane.port}", headers=headers, timeout=60) as client:
        for number in range(rounds + 2):
            began = time.perf_counter()
            (await client.get(f"/w/{plane.workspace_id}/board")).raise_for_status()
            if number >= 2:
                taken.append((time.perf_counter() - began) * 1000)
    return taken


async def look(browser: Browser, plane: Plane) -> tuple[float, float]:
    """Milliseconds until a phone that was never there shows something, and the bytes of all that it loaded."""
    context = await browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        extra_http_headers={"Authorization": f"Bearer {plane.secret}"},
    )
    try:
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("Network.enable")
        await devtools.send("Network.emulateNetworkConditions", NETWORK)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        sent: list[float] = []
        devtools.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
        await page.goto(f"http://{plane.host}:{plane.port}/w/{plane.workspace_id}/board", wait_until="load")
        painted = await page.wait_for_function(PAINTED)
        return float(await painted.json_value()), sum(sent)
    finally:
        await context.close()
