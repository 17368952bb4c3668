"""Signing in with GitHub or Google: an answer for this browser alone, and only an address that the provider knows."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from tests.support import server as servers
from tests.support.people import somebody
from tests.support.postgres import Databases
from tests.support.scripted_http import Scripted, reply, scripted
from tests.support.server import RunningServer

from locus.server import settings
from locus.server.auth.site import PLAIN
from locus.wire.workspaces import MemberRole

TOKEN = reply(200, b'{"access_token": "gho_x", "token_type": "bearer"}')
ADA = {"id": 4711, "login": "ada", "name": "Ada L."}


@dataclass
class Ground:
    server: RunningServer
    far: Scripted

    def answers(self, *documents: object) -> None:
        """The provider gives a token, then these."""
        self.far.answers[:] = [TOKEN, *(reply(200, json.dumps(one).encode()) for one in documents)]
        self.far.received.clear()


@pytest.fixture(scope="module")
async def ground(databases: Databases) -> AsyncIterator[Ground]:
    """A server that is known to a GitHub and a Google on loopback."""
    async with databases.one() as dsn, scripted(TOKEN) as far:
        github = settings.github("our-id", "our-secret", site=far.url, api=far.url)
        google = settings.OAuthClient(
            id="our-id",
            secret="our-secret",
            authorize_url=f"{far.url}/auth",
            token_url=f"{far.url}/token",
            user_url=f"{far.url}/userinfo",
        )
        async with servers.running(dsn, oauth={"github": github, "google": google}) as server:
            await somebody(server, MemberRole.MEMBER, name="Ada", email="ada@example.org")
            yield Ground(server, far)


async def begun(browser: httpx.AsyncClient, provider: str = "github") -> dict[str, str]:
    """What the browser brings to the provider's page."""
    answer = await browser.get(f"/sign-in/with/{provider}", params={"next": "/account"})
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def back(browser: httpx.AsyncClient, state: str, provider: str = "github") -> httpx.Response:
    return await browser.get(f"/sign-in/with/{provider}/back", params={"code": "the-code", "state": state})


def mails(email: str, *, verified: bool = True, primary: bool = True) -> list[dict[str, object]]:
    return [
        {"email": email, "verified": verified, "primary": primary},
        {"email": "other@example.org", "verified": True},
    ]


async def test_github_vouches_for_an_address_and_its_owner_is_in(ground: Ground) -> None:
    ground.answers(ADA, mails("Ada@Example.org"))
    async with ground.server.client() as browser:
        asked = await begun(browser)
        entered = await back(browser, asked["state"])
        me = (await browser.get("/api/v1/me")).json()
    sent = {name: values[0] for name, values in parse_qs(ground.far.received[0].body.decode()).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")

    assert (entered.status_code, entered.headers["location"], me["name"]) == (303, "/account", "Ada")
    assert asked["code_challenge"] == challenge.decode()
    assert asked["redirect_uri"] == sent["redirect_uri"] == f"{ground.server.url}/sign-in/with/github/back"
    assert (sent["code"], sent["client_secret"]) == ("the-code", "our-secret")


async def test_google_vouches_for_an_address(ground: Ground) -> None:
    ground.answers({"sub": "g-1", "email": "ada@example.org", "email_verified": True, "name": "Ada"})
    async with ground.server.client() as browser:
        asked = await begun(browser, "google")
        entered = await back(browser, asked["state"], "google")

    assert entered.status_code == 303
    assert PLAIN in browser.cookies


async def test_whoever_came_before_is_known_by_their_number_not_their_address(ground: Ground) -> None:
    for email in ("ada@example.org", "renamed@example.org"):
        ground.answers(ADA, mails(email))
        async with ground.server.client() as browser:
            entered = await back(browser, (await begun(browser))["state"])
            me = (await browser.get("/api/v1/me")).json()

        assert entered.status_code == 303
        assert me["name"] == "Ada"


@pytest.mark.parametrize(
    "emails",
    [
        mails("ada@example.org", verified=False),
        mails("ada@example.org", primary=False),
        mails("no address"),
        [],
        {},
        ["x"],
    ],
)
async def test_an_address_that_github_has_not_verified_opens_nothing(ground: Ground, emails: object) -> None:
    ground.answers({**ADA, "id": 9}, emails)
    async with ground.server.client() as browser:
        refused = await back(browser, (await begun(browser))["state"])

    assert refused.status_code == 422
    assert PLAIN not in browser.cookies


async def test_an_address_that_google_has_not_verified_opens_nothing(ground: Ground) -> None:
    ground.answers({"sub": "g-9", "email": "ada@example.org", "email_verified": "true"})
    async with ground.server.client() as browser:
        refused = await back(browser, (await begun(browser, "google"))["state"], "google")

    assert refused.status_code == 422


async def test_an_answer_that_was_begun_in_another_browser_is_refused(ground: Ground) -> None:
    ground.answers(ADA, mails("ada@example.org"))
    async with ground.server.client() as eve, ground.server.client() as victim, ground.server.client() as fresh:
        state = (await begun(eve))["state"]
        await begun(victim)
        forged, without = await back(victim, state), await back(fresh, state)

    assert (forged.status_code, without.status_code) == (422, 422)
    assert ground.far.received == []  # the provider is not even asked


async def test_somebody_without_an_account_is_told_who_can_invite_them(ground: Ground) -> None:
    ground.answers({**ADA, "id": 8}, mails("stranger@example.org"))
    async with ground.server.client() as browser:
        refused = await back(browser, (await begun(browser))["state"])

    assert refused.status_code == 409
    assert "invite this address" in refused.text


async def test_a_provider_that_is_down_is_told_with_another_way_in(ground: Ground) -> None:
    ground.far.answers[:] = [TOKEN, reply(500)]
    ground.far.received.clear()
    async with ground.server.client() as browser:
        answer = await back(browser, (await begun(browser))["state"])

    assert answer.status_code == 503
    assert "sign in with a code" in answer.text


async def test_a_provider_that_is_not_set_is_not_offered(server: RunningServer) -> None:
    async with server.client() as browser:
        page = await browser.get("/sign-in")
        there = await browser.get("/sign-in/with/github")

    assert "GitHub" not in page.text
    assert there.status_code == 404
