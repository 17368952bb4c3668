"""The pages about people: who may open and use which, and the first steps from an empty account to a workspace."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from litestar.routes import HTTPRoute
from tests.server.people.conftest import Town
from tests.support.people import somebody

from locus.server.app import create_app
from locus.server.auth import csrf
from locus.server.auth.principals import ROLE_RANK
from locus.server.dashboard.pages import people
from locus.server.db.pool import Pool
from locus.server.settings import Settings
from locus.wire.workspaces import MemberRole

OWNER, ADMIN, MEMBER, VIEWER = MemberRole
ANYBODY = None  # who is signed in, of whatever organization


@dataclass(frozen=True)
class Row:
    """The least role that a page or a form needs, and fields that it accepts."""

    least: MemberRole | None
    fields: dict[str, str] = field(default_factory=dict)


PUBLIC = {
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/code",
    "POST /sign-in/code",
    "GET /sign-in/once/{token}",
    "POST /sign-in/once/{token}",
    "GET /sign-in/with/{provider}",
    "GET /sign-in/with/{provider}/back",
}
SETTINGS = "/w/{workspace}/settings"
PAGES = {
    "GET /welcome": Row(ANYBODY),
    "GET /account": Row(ANYBODY),
    "GET /account/email": Row(ANYBODY),
    "GET /invitations/{token}": Row(ANYBODY),
    "POST /sign-out": Row(ANYBODY),
    "POST /welcome/organization": Row(ANYBODY, {"organization": "Acme", "name": "Ada"}),
    "POST /welcome/join": Row(ANYBODY, {"invitation": str(uuid4())}),
    "POST /account/name": Row(ANYBODY, {"name": "Ada"}),
    "POST /account/email": Row(ANYBODY, {"email": "nobody"}),
    "POST /account/email/code": Row(ANYBODY, {"code": "x"}),
    "POST /account/sessions/{session_id}/revoke": Row(ANYBODY),
    "POST /account/sessions/others": Row(ANYBODY),
    "POST /account/organization": Row(ANYBODY, {"organization": "x"}),
    "POST /account/delete": Row(ANYBODY),
    "GET /device": Row(VIEWER),
    "POST /device": Row(VIEWER, {"code": "x", "decision": "allow"}),
    "GET /welcome/workspace": Row(ADMIN),
    "POST /welcome/workspace": Row(ADMIN, {"name": "Web", "prefix": "not a prefix"}),
    "GET /w/{workspace}/welcome": Row(VIEWER),
    f"GET {SETTINGS}/members": Row(VIEWER),
    f"POST {SETTINGS}/members/invite": Row(ADMIN, {"email": "nobody", "role": "MEMBER"}),
    f"POST {SETTINGS}/members/{{user_id}}/role": Row(ADMIN, {"role": "VIEWER"}),
    f"POST {SETTINGS}/members/{{user_id}}/remove": Row(ADMIN),
    f"POST {SETTINGS}/members/invitations/{{invitation_id}}/revoke": Row(ADMIN),
    f"GET {SETTINGS}/keys": Row(ADMIN),
    f"POST {SETTINGS}/keys": Row(ADMIN, {"name": "", "days": "90", "purpose": "read"}),
    f"POST {SETTINGS}/keys/{{key_id}}/rotate": Row(ADMIN),
    f"POST {SETTINGS}/keys/{{key_id}}/revoke": Row(ADMIN),
    f"GET {SETTINGS}/audit": Row(ADMIN),
    f"GET {SETTINGS}/danger": Row(VIEWER),
    f"POST {SETTINGS}/danger/rename": Row(ADMIN, {"name": ""}),
    f"POST {SETTINGS}/danger/workspace": Row(ADMIN, {"confirm": "no"}),
    f"POST {SETTINGS}/danger/leave": Row(VIEWER),
    f"POST {SETTINGS}/danger/transfer": Row(OWNER, {"member": "x"}),
    f"POST {SETTINGS}/danger/organization": Row(OWNER, {"confirm": "no"}),
}


def described() -> dict[str, bool]:
    """Every address of the pages about people with its method, and whether it is public."""
    # The routes are the same whatever the database; this one is never connected to.
    app = create_app(Settings(data=Path("/nonexistent")), Pool.__new__(Pool), "")
    ours = {id(handler.fn) for handler in people.ROUTES}
    return {
        f"{method} {route.path_format}": bool(handler.opt.get("public"))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if id(handler.fn) in ours
        for method in handler.http_methods
        if method != "OPTIONS"
    }


def address(page: str, workspace: object) -> tuple[str, str]:
    method, path = page.split(" ")
    path = path.replace("{workspace}", str(workspace)).replace("{token}", "x" * 43)
    while "{" in path:
        path = path[: path.index("{")] + str(uuid4()) + path[path.index("}") + 1 :]
    return method, path


def test_every_page_about_people_has_a_row() -> None:
    assert described() == {**dict.fromkeys(PUBLIC, True), **dict.fromkeys(PAGES, False)}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_for_whom_it_is_for(town: Town, page: str) -> None:
    organization, workspace = await town.organization()
    row, (method, path) = PAGES[page], address(page, workspace.id)
    async with town.visitor() as visitor:
        unknown = await visitor.request(method, path, data=row.fields or None)
    assert unknown.headers["location"].startswith("/sign-in?next=")

    for role in (None, *MemberRole):
        # Two of each, so that nobody is the last owner.
        for name in ("Ada", "Bob"):
            person = await somebody(
                town.server, role, name=name, email=town.address(name.lower()), organization=organization
            )
        async with person.client(town.server) as browser:
            answer = await browser.request(method, path, data=row.fields or None)

        refused = row.least is not None and (role is None or ROLE_RANK[role] < ROLE_RANK[row.least])
        assert (answer.status_code == 403) == refused, (role, answer.text[:300])
        assert answer.status_code < 500


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("POST")])
async def test_a_form_without_its_token_does_nothing(town: Town, page: str) -> None:
    organization, workspace = await town.organization()
    owner = await somebody(town.server, OWNER, email=town.address("ada"), organization=organization)
    method, path = address(page, workspace.id)
    async with owner.client(town.server) as browser:
        del browser.headers[csrf.HEADER]
        forged = await browser.request(method, path, data=PAGES[page].fields or None)
        with_token = await browser.request(method, path, data={**PAGES[page].fields, csrf.FIELD: owner.csrf_token})

    assert forged.status_code == 403
    assert "Load it again" in forged.text
    assert "Load it again" not in with_token.text


@pytest.mark.parametrize("page", [page for page in PAGES if "{workspace}" in page])
async def test_a_foreign_workspace_is_not_there(town: Town, page: str) -> None:
    _, foreign = await town.organization()
    mine, _ = await town.organization()
    owner = await somebody(town.server, OWNER, email=town.address("ada"), organization=mine)
    async with owner.client(town.server) as browser:
        there = await browser.request(*address(page, foreign.id), data=PAGES[page].fields or None)

    assert there.status_code == 404


async def test_the_first_steps_lead_from_an_address_to_a_workspace(town: Town) -> None:
    nia = await somebody(town.server, None, name="nia", email=town.address("nia"))
    async with nia.client(town.server) as browser:
        first = await browser.get("/", follow_redirects=True)
        second = await browser.post(
            "/welcome/organization", data={"organization": "Acme", "name": "Nia"}, follow_redirects=True
        )
        third = await browser.post("/welcome/workspace", data={"name": "web-shop"}, follow_redirects=True)
        me = (await browser.get("/api/v1/me")).json()
        menu = await browser.get("/", follow_redirects=True)
        another = await browser.get("/welcome/workspace")
        fifth = await browser.post("/welcome/workspace", data={"name": "mobile"}, follow_redirects=True)

    assert 'href="/welcome/workspace"' in menu.text
    assert "Another workspace" in another.text
    assert "mobile is ready" in fifth.text
    assert "Name of your organization" in first.text
    assert "Prefix of its tasks" in second.text
    assert f"locus login --server {town.server.url}" in third.text
    assert (me["name"], me["role"], me["organization"]["name"]) == ("Nia", "OWNER", "Acme")


async def test_a_key_is_shown_once(town: Town) -> None:
    organization, workspace = await town.organization()
    ada = await somebody(town.server, ADMIN, email=town.address("ada"), organization=organization)
    here = f"/w/{workspace.id}/settings/keys"
    async with ada.client(town.server) as browser:
        fields = {"name": "build", "purpose": "worker", "days": "90", "scope": "workspace"}
        made = await browser.post(here, data=fields)
        again = await browser.get(here)

    assert made.text.count("lcs_") > again.text.count("lcs_") == 1  # its beginning stays
    assert "shown this once" in made.text


async def test_an_address_is_changed_by_a_code_that_went_to_it(town: Town) -> None:
    ada = await somebody(town.server, None, email=town.address("ada"))
    wanted = town.address("new")
    async with ada.client(town.server) as browser:
        await browser.post("/account/email", data={"email": wanted})
        wrong = await browser.post("/account/email/code", data={"code": "AAAA-AAAA"})
        right = await browser.post("/account/email/code", data={"code": await town.postbox.code(wanted)})
    kept = await town.server.pool.fetchval("SELECT email FROM users WHERE id = $1", ada.id)

    assert (wrong.status_code, right.status_code, kept) == (422, 303, wanted)
