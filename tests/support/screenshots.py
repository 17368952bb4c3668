"""Pictures of every page, for docs/images: `make screenshots`, or with the names of some pages in ARGS."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from playwright.async_api import Browser, Page
from tests.support import browser as browsers, postgres, server as servers
from tests.support.people import SomebodySignedIn, somebody
from tests.support.server import RunningServer
from tests.support.showroom import Showroom, furnish
from tests.support.weeks import age, before, beside

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LOOKS = [(scheme, device) for scheme in ("light", "dark") for device in ("desktop", "phone")]
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": browsers.PHONE}
QUALITY = 66  # of JPEG: all pictures together stay below 6 MB


# The addresses of pages by the names of their pictures: those that are worth it before anything is there.
EMPTY = {
    "board-empty": "/board",
    "overview-empty": "",
    "backlog-empty": "/backlog",
    "plans-empty": "/plans",
    "docs-empty": "/docs",
    "agents-empty": "/agents",
}


def full(room: Showroom, plan: UUID, doc: UUID) -> dict[str, str]:
    """The addresses of all pages. What begins with ! is of no workspace."""
    review = room.keys["IN_REVIEW"][0]
    return {
        "overview": "",
        "board": "/board",
        "panel": f"/board#{review}",
        "task": f"/tasks/{review}",
        "backlog": "/backlog",
        "sprints": "/sprints",
        "sprint": "/sprints/3",
        "plans": "/plans",
        "plan": f"/plans/{plan}",
        "search": "/search?text=mail",
        "agents": "/agents",
        "activity": "/activity",
        "docs": "/docs",
        "doc": f"/docs/{doc}",
        "settings": "/settings",
        "members": "/settings/members",
        "keys": "/settings/keys",
        "audit": "/settings/audit",
        "danger": "/settings/danger",
        "account": "!/account",
        "device": "!/device",
        "sign-in": "!/sign-in",  # the last: nobody is signed in after it
    }


async def picture(page: Page, address: str, path: Path) -> None:
    """Take one picture. What follows a # is the task whose panel is opened."""
    address, _, key = address.partition("#")
    if address.startswith("!"):  # not of a workspace
        if address == "!/sign-in":
            await page.context.clear_cookies()
        await page.goto(address[1:])
    else:
        await page.goto(f"/w/WEB{address}")
        await browsers.settled(page)
    if key:
        await page.click(f"#card-{key} .card-link")
        await page.wait_for_selector("#panel #task")
    await page.screenshot(path=path, type="jpeg", quality=QUALITY, animations="disabled")
    print(path.relative_to(IMAGES.parents[1]))


async def take(
    browser: Browser, server: RunningServer, who: SomebodySignedIn, pages: dict[str, str], wanted: list[str]
) -> None:
    for scheme, device in LOOKS:
        # Agents that nothing was heard of since the last pictures would look lost.
        await server.pool.execute("UPDATE agents SET last_heartbeat_at = clock_timestamp()")
        looks = {"viewport": SIZES[device], "color_scheme": scheme, "has_touch": device == "phone"}
        async with browsers.context(browser, server, who, **looks) as (context, _):
            for name, address in pages.items():
                if wanted and name not in wanted:
                    continue
                page = await context.new_page()
                await picture(page, address, IMAGES / f"{name}-{device}-{scheme}.jpg")
                await page.close()


async def main(wanted: list[str]) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with (
        postgres.session() as databases,
        databases.one() as dsn,
        servers.running(dsn) as server,
        browsers.chromium() as browser,
    ):
        ada = await somebody(server)
        await take(browser, server, ada, EMPTY, wanted)
        async with ada.client(server) as api:
            await before(server)
            room = await furnish(server, api)
            await age(server, room)
            plan, doc = await beside(server, api)
        await take(browser, server, ada, full(room, plan, doc), wanted)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
