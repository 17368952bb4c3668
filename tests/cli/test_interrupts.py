"""Signals beside a person: the first ends a turn in order, the second at once, and `nohup` is respected."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from locus.cli.beside.interrupts import Interrupts, Signalled


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_closed_terminal_ends_nothing_that_nohup_has_started() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGHUP)

    assert interrupts.first is None


def test_the_first_signal_stops_the_second_cancels_and_the_first_decides_the_exit_code() -> None:
    heard: list[str] = []

    async def work(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        heard.append("stop")
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            heard.append("cancelled")

    with pytest.raises(Signalled) as ended, Interrupts() as interrupts:
        asyncio.run(interrupts.during(work))

    assert (heard, ended.value.exit_code) == (["stop", "cancelled"], 143)


def test_after_the_last_words_have_begun_a_signal_changes_nothing() -> None:
    with Interrupts() as interrupts:
        interrupts.calm()
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
