"""People who are signed in with a browser: who gets in, with what, and what foreign pages cannot do."""

import asyncio

import pytest
from tests.support.people import somebody
from tests.support.server import RunningServer

from locus.server.auth import csrf, sessions
from locus.server.auth.site import PLAIN, SAFE, Site
from locus.server.workspaces import store
from locus.wire.workspaces import MemberRole


async def test_a_person_uses_the_api_with_the_cookie_of_their_session(server: RunningServer) -> None:
    ada = await somebody(server, MemberRole.MEMBER, name="Ada")
    async with ada.client(server) as browser:
        me = (await browser.get("/api/v1/me")).json()
        made = await browser.post(server.path("/tasks"), json={"title": "By hand"})
        events = (await browser.get(server.path("/events"), params={"kind": "task.created"})).json()

    assert (me["name"], me["role"], me["purpose"], me["key_id"]) == ("Ada", "MEMBER", "member", str(ada.id))
    assert made.status_code == 201
    assert [event["actor_name"] for event in events["items"]] in ([], ["Ada"])  # it gets its number a moment later


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": None, "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": None, "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": None, "Origin": None}, 403),
        ({csrf.HEADER: None}, 403),
        ({csrf.HEADER: "0" * 64}, 403),
        ({"Sec-Fetch-Site": None}, 201),
        ({"Origin": None}, 201),
    ],
)
async def test_a_change_needs_a_page_of_this_server_and_its_token(
    server: RunningServer, headers: dict[str, str | None], status: int
) -> None:
    ada = await somebody(server)
    async with ada.client(server) as browser:
        for name, value in headers.items():
            if value is None:
                del browser.headers[name]
            else:
                browser.headers[name] = value
        answer = await browser.post(server.path("/tasks"), json={"title": "t"})
        read = await browser.get(server.path("/tasks"))

    assert answer.status_code == status, answer.text
    assert read.status_code == 200
    assert len(read.json()["items"]) == (status == 201)


async def test_the_token_of_another_session_opens_nothing(server: RunningServer) -> None:
    ada, eve = await somebody(server), await somebody(server, name="Eve")
    async with ada.client(server) as browser:
        browser.headers[csrf.HEADER] = eve.csrf_token
        answer = await browser.post(server.path("/tasks"), json={"title": "t"})

    assert answer.json()["code"] == "csrf"


async def test_a_key_needs_no_token_and_outranks_a_cookie(server: RunningServer) -> None:
    ada = await somebody(server, MemberRole.OWNER)
    async with server.client(await server.key()) as program:
        program.cookies.set(PLAIN, ada.secret)
        me = (await program.get("/api/v1/me")).json()
        made = await program.post(server.path("/tasks"), json={"title": "t"})

    assert me["role"] is None
    assert made.status_code == 201


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "é" * 43, "x" * 5000])
async def test_a_cookie_that_is_no_session_is_refused(server: RunningServer, secret: str) -> None:
    async with server.client() as browser:
        answer = await browser.get("/api/v1/me", headers={"Cookie": f"{PLAIN}={secret}".encode()})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE sessions SET revoked_at = clock_timestamp()",
        "UPDATE sessions SET expires_at = clock_timestamp()",
        "UPDATE sessions SET last_used_at = clock_timestamp() - interval '8 days'",
        "DELETE FROM users",
    ],
)
async def test_a_session_that_has_ended_is_refused(server: RunningServer, end: str) -> None:
    ada = await somebody(server)
    await server.pool.execute(end)
    async with ada.client(server) as browser:
        assert (await browser.get("/api/v1/me")).status_code == 401


async def test_the_database_has_no_secret_of_a_session(server: RunningServer) -> None:
    ada = await somebody(server)

    rows = await server.pool.fetch("SELECT sessions::text AS row FROM sessions")

    assert len(rows) == 1
    assert ada.secret not in rows[0]["row"]
    assert ada.secret.encode().hex() not in rows[0]["row"]


async def test_a_person_of_two_organizations_has_in_each_the_role_they_have_there(server: RunningServer) -> None:
    ada = await somebody(server, MemberRole.VIEWER)
    other = await store.create_organization(server.pool, "Other")
    theirs = await store.create(server.pool, other.id, name="Theirs", prefix="WEB")
    assert theirs is not None
    await server.pool.execute(
        "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'ADMIN')", other.id, ada.id
    )
    async with ada.client(server) as browser:
        here = await browser.post(server.path("/tasks"), json={"title": "t"})
        there = await browser.post(server.path("/tasks", theirs.id), json={"title": "t"})

    assert (here.status_code, there.status_code) == (403, 201)
    assert here.json()["detail"] == "You are VIEWER here; this needs MEMBER."


async def test_somebody_of_no_organization_is_told_so(server: RunningServer) -> None:
    ada = await somebody(server, None)
    async with ada.client(server) as browser:
        answer = await browser.get("/api/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (403, "no_organization")


async def test_the_last_use_of_a_session_is_noted_at_most_once_a_minute(server: RunningServer) -> None:
    ada = await somebody(server)
    read = "SELECT last_used_at FROM sessions"
    first = await server.pool.fetchval(read)
    async with ada.client(server) as browser:
        await browser.get("/api/v1/me")
        unchanged = await server.pool.fetchval(read)
        old = await server.pool.fetchval(
            "UPDATE sessions SET last_used_at = last_used_at - interval '2 minutes' RETURNING last_used_at"
        )
        while await server.pool.fetchval(read) == old:
            await browser.get("/api/v1/me")
            await asyncio.sleep(0.05)

    assert unchanged == first


async def test_only_the_persons_own_sessions_can_be_ended(server: RunningServer) -> None:
    ada, eve = await somebody(server), await somebody(server, name="Eve")
    (mine,) = await sessions.living(server.pool, ada.id)

    assert not await sessions.revoke(server.pool, eve.id, mine.id)
    assert await sessions.revoke(server.pool, ada.id, mine.id)
    assert await sessions.living(server.pool, ada.id) == []


def test_a_cookie_is_for_this_host_and_tls_only_except_on_loopback() -> None:
    safe = Site("https://locus.example.org").signed_in("s").to_header(header="")
    plain = Site("http://127.0.0.1:4700").signed_in("s").to_header(header="")

    assert safe.startswith(f"{SAFE}=s;") and "; Secure" in safe and "Path=/" in safe and "Domain" not in safe
    assert plain.startswith(f"{PLAIN}=s;") and "Secure" not in plain
    assert all("HttpOnly" in one and "samesite=lax" in one.lower() for one in (safe, plain))
