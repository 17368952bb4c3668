"""A start that is given up, at whatever moment, leaves no server behind."""

import asyncio

import psutil
import pytest
from tests.support import postgres

from locus.server.db.embedded import ensure, stop
from locus.server.db.home import becomes_true

MOMENTS = [ms / 1000 for ms in range(5, 65, 3)]  # seconds after the beginning; a warm start takes some forty ms


async def test_a_start_that_is_cancelled_leaves_no_server() -> None:
    with postgres.directory() as base:
        data = base / "data"
        await (await ensure(data)).close()  # makes the database, so that what follows are short starts
        given_up = 0
        for moment in MOMENTS:
            starting = asyncio.create_task(ensure(data))
            await asyncio.sleep(moment)
            starting.cancel()
            try:
                await (await starting).close()
            except asyncio.CancelledError:
                given_up += 1
            if not await becomes_true(lambda: not serving(str(data)), limit=5):
                await stop(data)
                pytest.fail(f"a server runs that nobody asked for, {moment * 1000:.0f} ms after the beginning")
        assert given_up > len(MOMENTS) / 4, "the starts were over before they could be given up"


def serving(data: str) -> list[int]:
    known = psutil.process_iter(["cmdline", "status", "pid"])
    return [
        one.info["pid"]
        for one in known
        if one.info["status"] != psutil.STATUS_ZOMBIE and data in " ".join(one.info["cmdline"] or [])
    ]
