"""Signing in with a code from a mail."""

import asyncio
import re

import httpx
import pytest
from tests.server.people.conftest import Town
from tests.support.mails import body
from tests.support.people import somebody

from locus.server.auth import codes
from locus.server.auth.site import PLAIN
from locus.server.db.errors import DatabaseDown
from locus.server.db.pool import transaction
from locus.server.errors import TooMany
from locus.wire.workspaces import MemberRole

GUESSES = 1_000


async def ask(browser: httpx.AsyncClient, email: str) -> httpx.Response:
    return await browser.post("/sign-in", data={"email": email})


async def known(town: Town, name: str = "Ada") -> str:
    """The address of somebody who has an account."""
    email = town.address(name.lower())
    await somebody(town.server, MemberRole.MEMBER, name=name, email=email)
    return email


async def test_a_code_from_the_mail_signs_in(town: Town) -> None:
    email = await known(town)
    async with town.visitor() as browser:
        asked = await browser.post("/sign-in", data={"email": email.upper(), "next": "/account"})
        code = await town.postbox.code(email)
        entered = await browser.post("/sign-in/code", data={"code": f" {code.lower()} ", "next": "/account"})
        me = await browser.get("/api/v1/me")

    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in/code?next=/account")
    assert (entered.status_code, entered.headers["location"]) == (303, "/account")
    assert (me.json()["name"], me.json()["role"]) == ("Ada", "MEMBER")


async def test_the_answer_is_the_same_whether_an_address_has_an_account_or_not(town: Town) -> None:
    email, stranger = await known(town), town.address("nobody")
    async with town.visitor() as one, town.visitor() as other:
        first, second = await ask(one, email), await ask(other, stranger)
        pages = (await one.get("/sign-in/code")).text, (await other.get("/sign-in/code")).text
    told = body(await town.postbox.to(stranger))

    def seen(answer: httpx.Response) -> object:
        headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
        return answer.status_code, re.sub(r"locus-code=[^;]+", "locus-code=*", str(headers)), answer.text

    assert seen(first) == seen(second)
    assert pages[0].replace(email, "*") == pages[1].replace(stranger, "*")
    assert "no account" in told
    assert not re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", told)


async def test_where_anybody_may_sign_up_a_proven_address_becomes_an_account(town: Town) -> None:
    email = town.address("nia")
    async with town.visitor(town.open) as browser:
        await ask(browser, email)
        entered = await browser.post("/sign-in/code", data={"code": await town.postbox.code(email)})
        first = await browser.get("/")

    assert entered.status_code == 303
    assert first.headers["location"] == "/welcome"
    assert await town.server.pool.fetchval("SELECT count(*) FROM users WHERE email = $1", email) == 1


async def test_a_code_is_for_the_browser_that_asked_for_it(town: Town) -> None:
    email = await known(town)
    async with town.visitor() as mine, town.visitor() as thief, town.visitor() as nobody:
        await ask(mine, email)
        code = await town.postbox.code(email)
        await ask(thief, email)  # a code of its own, which goes to the same address
        stolen = await thief.post("/sign-in/code", data={"code": code})
        nothing = await nobody.post("/sign-in/code", data={"code": code})
        entered = await mine.post("/sign-in/code", data={"code": code})

    assert (stolen.status_code, nothing.status_code, entered.status_code) == (422, 422, 303)


async def test_a_code_works_once(town: Town) -> None:
    email = await known(town)
    async with town.visitor() as browser:
        await ask(browser, email)
        code, cookie = await town.postbox.code(email), dict(browser.cookies)
        used = await asyncio.gather(*(again(town, cookie, code) for _ in range(10)))

    assert sorted(used) == [303] + [422] * 9


async def again(town: Town, cookies: dict[str, str], code: str) -> int:
    async with town.visitor() as browser:
        browser.cookies.update(cookies)
        return (await browser.post("/sign-in/code", data={"code": code})).status_code


async def test_of_a_thousand_guesses_at_once_five_are_looked_at(town: Town) -> None:
    email = await known(town)
    async with transaction(town.server.pool) as db:
        asked = await codes.ask(db, email, address="192.0.2.9")
    guesses = [f"AAAA-{number:04d}" for number in range(GUESSES - 100)] + [asked.code] * 100

    async def guess(typed: str) -> str | None:
        try:
            return await codes.prove(town.server.pool, asked.request, typed)
        except DatabaseDown:  # on a busy machine some of them find no connection in time
            return None

    answers = await asyncio.gather(*(guess(typed) for typed in guesses))
    tries = await town.server.pool.fetchval("SELECT max(tries) FROM sign_in_codes WHERE email = $1", email)

    assert set(answers) == {None}  # the right ones come too late
    assert tries == codes.TRIES


async def test_five_wrong_guesses_on_the_page_are_all(town: Town) -> None:
    email = await known(town)
    async with town.visitor() as browser:
        await ask(browser, email)
        code = await town.postbox.code(email)
        pages = [await browser.post("/sign-in/code", data={"code": "AAAA-AAAA"}) for _ in range(codes.TRIES)]
        right = await browser.post("/sign-in/code", data={"code": code})

    assert [page.status_code for page in (*pages, right)] == [422] * 6
    assert "4 tries left" in pages[0].text
    assert "used up" in right.text


async def test_a_code_is_good_for_ten_minutes(town: Town) -> None:
    email = await known(town)
    async with town.visitor() as browser:
        await ask(browser, email)
        code = await town.postbox.code(email)
        await town.server.pool.execute(
            "UPDATE sign_in_codes SET expires_at = expires_at - interval '10 minutes' WHERE email = $1", email
        )
        late = await browser.post("/sign-in/code", data={"code": code})

    assert late.status_code == 422
    assert PLAIN not in browser.cookies


async def test_whoever_asks_too_often_waits_and_locks_nobody_else_out(town: Town) -> None:
    email = await known(town)
    async with transaction(town.server.pool) as db:
        for _ in range(codes.PER_EMAIL_HERE):
            await codes.ask(db, email, address="192.0.2.1")
        with pytest.raises(TooMany):
            await codes.ask(db, email, address="192.0.2.1")
        asked = await codes.ask(db, email, address="192.0.2.2")

    assert await codes.prove(town.server.pool, asked.request, asked.code) == email


async def test_the_database_has_no_code(town: Town) -> None:
    email = await known(town)
    async with transaction(town.server.pool) as db:
        asked = await codes.ask(db, email, address="192.0.2.3")

    row = str(await town.server.pool.fetchval("SELECT sign_in_codes::text FROM sign_in_codes WHERE email = $1", email))

    assert asked.request not in row
    assert asked.code.replace("-", "") not in row
    assert asked.code.replace("-", "").encode().hex() not in row


@pytest.mark.parametrize("email", ["", "ada", "a@b@c", "ada@exa mple.org", "ada@example.org, eve@example.org", "@x.y"])
async def test_what_is_no_address_gets_no_mail(town: Town, email: str) -> None:
    async with town.visitor() as browser:
        answer = await ask(browser, email)

    assert answer.status_code == 422
    assert "This is not an e-mail address." in answer.text


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_to_a_page_of_this_server(town: Town, wanted: str) -> None:
    email = await known(town)
    async with town.visitor() as browser:
        await ask(browser, email)
        code = await town.postbox.code(email)
        entered = await browser.post("/sign-in/code", data={"code": code, "next": wanted})

    assert entered.headers["location"] == "/"


@pytest.mark.parametrize(
    ("typed", "meant"), [("4k7q-m2xd", "4K7QM2XD"), (" O1L0 iill ", "01101111"), ("4K7Q–M2XD9", "4K7Q–M2XD")]
)
def test_what_looks_alike_is_the_same(typed: str, meant: str) -> None:
    assert codes.tidy(typed) == meant
