"""Work beside the requests."""

import asyncio

import pytest

from locus.server import background


async def test_work_that_fails_is_told_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    began = asyncio.Queue[int]()

    async def fragile() -> None:
        began.put_nowait(1)
        raise RuntimeError("broken on purpose")

    async with background.running({"fragile": fragile}), asyncio.timeout(10):
        await began.get()
        await began.get()

    assert "broken on purpose" in caplog.text
    assert "fragile" in caplog.text


async def test_all_work_has_ended_after_the_block() -> None:
    ended: list[str] = []

    async def patient() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("patient")

    async with background.running({"patient": patient}):
        await asyncio.sleep(0)

    assert ended == ["patient"]
