"""The one-time link that an operator gets from `locus up`."""

import asyncio

import httpx
import pytest
from tests.support.server import RunningServer

from locus.server.auth import links
from locus.server.auth.site import PLAIN
from locus.server.db.pool import transaction


async def made(server: RunningServer) -> str:
    async with transaction(server.pool) as db:
        return await links.for_owner(db, server.organization.id)


async def test_a_link_signs_a_browser_in_as_the_owner_once(server: RunningServer) -> None:
    path = await made(server)
    async with server.client() as browser, server.client() as second:
        used = await browser.post(path)
        me = (await browser.get("/api/v1/me")).json()
        again = await second.post(path)

    assert used.status_code == 303
    assert (me["role"], me["organization"]["id"]) == ("OWNER", str(server.organization.id))
    assert again.status_code == 410
    assert PLAIN not in second.cookies


async def test_looking_at_a_link_does_not_use_it_up(server: RunningServer) -> None:
    path = await made(server)
    async with server.client() as preview, server.client() as browser:
        looked = await preview.get(path)
        used = await browser.post(path)

    assert looked.status_code == 200
    assert PLAIN not in preview.cookies
    assert used.status_code == 303


async def test_of_many_at_once_one_signs_in(server: RunningServer) -> None:
    path = await made(server)

    async def use() -> httpx.Response:
        async with server.client() as browser:
            return await browser.post(path)

    answers = await asyncio.gather(*(use() for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 19


async def test_a_link_is_good_for_ten_minutes(server: RunningServer) -> None:
    path = await made(server)
    await server.pool.execute("UPDATE sign_in_links SET expires_at = expires_at - interval '10 minutes'")
    async with server.client() as browser:
        assert (await browser.post(path)).status_code == 410


@pytest.mark.parametrize("token", ["x", "x" * 43, "%00" * 43, "x" * 2000])
async def test_a_link_that_never_was_signs_nobody_in(server: RunningServer, token: str) -> None:
    async with server.client() as browser:
        assert (await browser.get(links.PATH + token)).status_code == 410
        assert (await browser.post(links.PATH + token)).status_code == 410


async def test_a_page_of_another_site_cannot_sign_somebody_in(server: RunningServer) -> None:
    path = await made(server)
    async with server.client() as browser:
        forged = await browser.post(path, headers={"Sec-Fetch-Site": "cross-site"})

    assert forged.status_code == 403


async def test_all_links_are_for_the_same_owner_and_the_database_has_none_of_them(server: RunningServer) -> None:
    paths = [await made(server) for _ in range(3)]

    stored = str(await server.pool.fetch("SELECT sign_in_links::text FROM sign_in_links"))

    assert await server.pool.fetchval("SELECT count(DISTINCT user_id) FROM sign_in_links") == 1
    assert await server.pool.fetchval("SELECT count(*) FROM users") == 1
    assert not any(path.removeprefix(links.PATH) in stored for path in paths)
