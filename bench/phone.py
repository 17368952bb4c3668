"""The bot, measured from its phone: a Bot API on loopback that notes when it was called."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
from tests.support.telegram import TOKEN, BotApi
from tests.support.telegram_phone import Phone

from bench.ground import Ground, prepared
from bench.measure import Measure, at_least, at_most, median, percentile
from bench.memory import held

ASKED = 60  # commands, one after another
QUEUED = 1000  # updates that wait when the bot starts
STARTS = 5
LIMIT = 300.0  # seconds for one thing to happen
COMMANDS = ("/backlog", "/tasks", "/dashboard", "/agents", "/sprint")
ANSWER, RESIDENT, START = 300.0, 80.0, 1.5  # ms, MB, s


async def measure(*, asked: int = ASKED, queued: int = QUEUED, starts: int = STARTS) -> list[Measure]:
    """Start the bot `starts` times, ask `asked` commands, then let `queued` updates wait for it."""
    async with prepared() as ground:
        for number in range(5):
            await ground.task(f"Task {number}")
        with BotApi() as api:
            _account(ground, api)
            began: list[float] = []
            worked: list[float] = []
            for _ in range(starts):
                async with _bot(ground, api) as (bot, seconds):
                    began.append(seconds)
                    spent = psutil.Process(bot.pid).cpu_times()
                    worked.append(spent.user + spent.system)
            async with _bot(ground, api) as (bot, _):
                took = [await _asked(api, COMMANDS[at % len(COMMANDS)]) for at in range(asked)]
                idle = held(bot.pid)
            known, at = len(api.order), time.monotonic()
            phone = Phone(api)
            for number in range(queued):
                phone.send(f"/nosuch{number}")  # refused by its grammar, with its own name in the answer
            async with _bot(ground, api) as (bot, _):
                await api.until(lambda: len(api.order) >= known + queued, limit=LIMIT)
                seconds = time.monotonic() - at
                busy = held(bot.pid)
            answers = [message.text for message in api.shown[known:]]
    right = sum(f"/nosuch{number}." in text for number, text in enumerate(answers))
    each = "answers from the control plane, " + ", ".join(COMMANDS)
    return [
        Measure(
            "command to answer, 95 %",
            percentile(took, 0.95) * 1000,
            "ms",
            at_most(ANSWER),
            note=f"median {percentile(took, 0.5) * 1000:.0f} ms; {each}",
        ),
        Measure(
            "queued updates answered, in order",
            right,
            "",
            at_least(queued),
            note=f"of {queued:,}; {seconds:.0f} s with the start of the bot, each written to the disk four times",
        ),
        Measure("memory of the bot", busy.resident, "MB", at_most(RESIDENT), baseline=f"before them: {idle}"),
        Measure(
            "processor time until it listens",
            median(worked),
            "s",
            at_most(START),
            note=f"median of {starts} starts; by the clock {median(began):.2f} s, which is the same on an idle machine",
        ),
    ]


def _account(ground: Ground, api: BotApi) -> None:
    file = ground.root / "config" / "telegram.json"
    file.touch(mode=0o600)
    file.write_text(
        json.dumps(
            {
                "token": TOKEN,
                "bot": "locus_test_bot",
                "api": api.url,
                "people": [{"user": 7, "chat": 7, "name": "Ada"}],
                "projects": [{"name": "checkout", "root": str(ground.checkout)}],
            }
        )
    )


@asynccontextmanager
async def _bot(ground: Ground, api: BotApi) -> AsyncIterator[tuple["subprocess.Popen[bytes]", float]]:
    """A bot at work, and how many seconds it took until it asked for updates."""
    known, at = len(api.named("getUpdates")), time.monotonic()
    bot = subprocess.Popen(
        [sys.executable, "-m", "locus", "telegram", "run"],
        cwd=ground.root,
        env=ground.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        await api.until(lambda: len(api.named("getUpdates")) > known, limit=LIMIT)
        yield bot, api.named("getUpdates")[known].at - at
    finally:
        bot.terminate()
        await asyncio.to_thread(bot.wait, LIMIT)


async def _asked(api: BotApi, text: str) -> float:
    """How many seconds one command took until its answer was at the stub."""
    known, at = len(api.named("sendMessage")), time.monotonic()
    Phone(api).send(text)
    await api.until(lambda: len(api.named("sendMessage")) > known, limit=LIMIT)
    return api.named("sendMessage")[known].at - at
