"""Whoever loses the right to read stops reading: an open stream closes within five seconds."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.server.people.conftest import Town
from tests.support.people import somebody

from locus.server.auth import sessions
from locus.wire.workspaces import MemberRole

WITHIN = 5.0  # seconds
SLACK = 10.0  # more, on a machine that is busy with other tests

ENDS = {
    "the session is revoked": "UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = $1",
    "the member is removed": "DELETE FROM memberships WHERE user_id = $1",
    "the account is deleted": "DELETE FROM users WHERE id = $1",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_stream_closes_when(town: Town, end: str) -> None:
    organization, workspace = await town.organization()
    ada = await somebody(town.server, MemberRole.VIEWER, email=town.address("ada"), organization=organization)
    async with (
        ada.client(town.server) as browser,
        browser.stream("GET", f"/api/v1/workspaces/{workspace.id}/events/stream") as stream,
    ):
        lines = stream.aiter_lines()
        opened = await anext(lines)
        await town.server.pool.execute(end, ada.id)
        began = time.monotonic()
        await ended(lines)

    assert opened.startswith("retry")
    assert time.monotonic() - began < WITHIN + SLACK


async def ended(lines: AsyncIterator[str]) -> None:
    async with asyncio.timeout(WITHIN + SLACK):
        async for _ in lines:
            pass


async def test_one_revokes_a_session_from_the_list_and_the_others_at_once(town: Town) -> None:
    ada = await somebody(town.server, None, email=town.address("ada"))
    for _ in range(3):
        await sessions.create(town.server.pool, ada.id, method="code", browser="Firefox/1", address="192.0.2.1")
    async with ada.client(town.server) as browser:
        before = (await browser.get("/api/v1/me/sessions")).json()["items"]
        other = next(one["id"] for one in before if not one["current"])
        await browser.delete(f"/api/v1/me/sessions/{other}")
        one_less = (await browser.get("/api/v1/me/sessions")).json()["items"]
        await browser.post("/account/sessions/others")
        alone = (await browser.get("/api/v1/me/sessions")).json()["items"]

    assert (len(before), len(one_less), len(alone)) == (4, 3, 1)
    assert alone[0]["current"]
