"""The pages about people in a real browser: what they show is text, everybody can use them, and who is out is out."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from tests.server.people.conftest import Town
from tests.support import browser as browsers
from tests.support.browser import PHONE, settled
from tests.support.people import SomebodySignedIn, somebody
from tests.support.xss import LINES, PAYLOADS

from locus.server.auth import sessions
from locus.wire.workspaces import MemberRole, Organization, Workspace

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
SETTINGS = ("members", "keys", "audit", "danger")
LONGEST = 100  # characters of a name
# Elements that only a text which became markup could have made.
STRANGE = "[...document.querySelectorAll('main script, main iframe, main object, main embed, main img[src=x]')].length"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with browsers.chromium() as browser:
        yield browser


@pytest.fixture
async def home(town: Town) -> tuple[Organization, Workspace, SomebodySignedIn]:
    """An organization with its owner, a few people, an invitation and a key."""
    organization, workspace = await town.organization()
    ada = await somebody(town.server, email=town.address("ada"), organization=organization)
    for role in (MemberRole.ADMIN, MemberRole.VIEWER):
        await somebody(town.server, role, name="Bob", email=town.address("bob"), organization=organization)
    await sessions.create(town.server.pool, ada.id, method="code", browser="Firefox/1", address="192.0.2.1")
    async with ada.client(town.server) as api:
        await api.post(
            f"/w/{workspace.id}/settings/members/invite", data={"email": town.address("eve"), "role": "MEMBER"}
        )
    await town.server.key(workspace=workspace, name="build server")
    return organization, workspace, ada


def places(workspace: Workspace) -> list[str]:
    return [*(f"/w/{workspace.id}/settings/{name}" for name in SETTINGS), "/account", "/device"]


async def test_the_pages_about_people_break_no_rule_of_accessibility_and_fit_a_phone(
    town: Town, browser: Browser, home: tuple[Organization, Workspace, SomebodySignedIn]
) -> None:
    _, workspace, ada = home
    nia = await somebody(town.server, None, name="Nia", email=town.address("nia"))
    seen: list[tuple[SomebodySignedIn | None, dict[str, object], list[str]]] = [
        (ada, {"color_scheme": "light"}, [*places(workspace), f"/w/{workspace.id}/welcome"]),
        (ada, {"color_scheme": "dark", "viewport": PHONE}, [*places(workspace)[::2], "/device"]),
        (nia, {"color_scheme": "light", "viewport": PHONE}, ["/welcome"]),
        (None, {"color_scheme": "dark"}, ["/sign-in", "/sign-in/code"]),
    ]
    found, wide = [], []
    for who, look, addresses in seen:
        async with browsers.context(browser, town.server, who, **look) as (context, _):
            page = await context.new_page()
            for address in addresses:
                await page.goto(address)
                said = (await Axe().run(page, options=RULES)).response["violations"]
                found += [
                    f"{address}: {one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}" for one in said
                ]
                over = await page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                wide += [address] if over > 0 else []

    assert found == []
    assert wide == []


async def test_no_name_of_anybody_becomes_more_than_text(
    town: Town, browser: Browser, home: tuple[Organization, Workspace, SomebodySignedIn]
) -> None:
    assert len(PAYLOADS) >= 200
    organization, workspace, ada = home
    names = [line.strip() for line in LINES if 0 < len(line.strip()) <= LONGEST]
    pool = town.server.pool
    for number, name in enumerate(names[::3]):
        # Straight into the tables: what a form would refuse to take must do no harm either.
        user = await pool.fetchval(
            "INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id", name, f"{uuid4()}@example.org"
        )
        await pool.execute(
            "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'MEMBER')", organization.id, user
        )
        await town.server.key(workspace=workspace, name=name)
        if number % 8 == 0:
            await sessions.create(pool, ada.id, method="code", browser=name, address="192.0.2.1")
    async with browsers.context(browser, town.server, ada) as (context, seen):
        page = await context.new_page()
        await page.goto("/account")
        await page.get_by_label("Name", exact=True).fill(names[0])
        await page.get_by_role("button", name="Save the name").click()
        await page.goto(f"/w/{workspace.id}/settings/danger")
        await page.get_by_label("Name of the organization").fill(names[1])
        await page.get_by_role("button", name="Rename").click()
        await page.goto(f"/w/{workspace.id}/settings/keys")
        await page.get_by_label("Name", exact=True).fill(names[2])
        await page.get_by_role("button", name="Make the key").click()
        await harmless(page)
        for place in places(workspace):
            await page.goto(place)
            await harmless(page)
        for text in PAYLOADS[::60]:
            await page.goto(f"/w/{workspace.id}/settings/members")
            await page.get_by_label("E-mail address").evaluate(
                "(field, text) => { field.type = 'text'; field.value = text }", text
            )
            await page.get_by_role("button", name="Invite").click()
            await harmless(page)
        assert seen.clean(), seen


async def harmless(page: Page) -> None:
    assert await page.evaluate("window.refusedByPolicy") == []
    assert await page.evaluate(STRANGE) == 0


async def test_a_session_that_is_revoked_elsewhere_ends_in_the_page_that_is_open(
    town: Town, browser: Browser, home: tuple[Organization, Workspace, SomebodySignedIn]
) -> None:
    _, workspace, ada = home
    other = await sessions.create(town.server.pool, ada.id, method="code", browser="Phone/1", address="192.0.2.2")
    phone = SomebodySignedIn(ada.id, ada.name, ada.email, other)
    async with (
        browsers.context(browser, town.server, phone) as (context, _),
        browsers.context(browser, town.server, ada) as (here, _),
    ):
        page, mine = await context.new_page(), await here.new_page()
        await page.goto(f"/w/{workspace.id}/board")
        await settled(page)

        await mine.goto("/account")
        await mine.get_by_role("button", name="Sign all others out").click()
        await expect(mine.get_by_role("button", name="Sign all others out")).to_have_count(0)

        # Its line is cut within seconds, and nothing that it does counts any more.
        await expect(page.locator("#frame[data-follows=on]")).to_have_count(0)
        await page.reload()
        await expect(page).to_have_url(re.compile("/sign-in"))
