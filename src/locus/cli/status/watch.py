"""`locus status --watch`: the screen follows the stream of events, or asks again and again where there is none."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from locus.cli.output import Output
from locus.cli.status import screen
from locus.cli.status.standing import Standing, ask
from locus.cli.text import safe
from locus.client.errors import Unreachable
from locus.client.plane import ControlPlane

TICK = 1.0  # seconds between two pictures: leases run down
ASK_ANYWAY = 5.0  # seconds; liveness changes without an event
POLL = 2.0  # seconds between two questions when there is no stream
CALM = 0.25  # seconds to wait for the rest of a burst of events


class News:
    """Tells when it is worth asking again."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._happened = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for _ in self._plane.events.stream():
            self._happened.set()

    async def wait(self, limit: float) -> bool:
        """Wait for an event, at most `limit` seconds; raises what ended the stream, if a person must know."""
        if self._listening.done() and (error := self._listening.exception()) and not isinstance(error, Unreachable):
            raise error
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._happened.wait()
        if not self._happened.is_set():
            return False
        await asyncio.sleep(CALM)
        self._happened.clear()
        return True

    @property
    def patience(self) -> float:
        """Seconds after which to ask without an event."""
        return POLL if self._listening.done() else ASK_ANYWAY

    async def close(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)


async def watch(plane: ControlPlane, workspace: str, out: Output) -> None:
    """Show how things stand until Ctrl+C. In a pipe: a line, or with --json a document, for every change."""
    news = News(plane)
    try:
        if out.terminal and not out.json_wanted:
            await _live(plane, workspace, news)
        else:
            await _log(plane, workspace, news, out)
    finally:
        await news.close()


async def _live(plane: ControlPlane, workspace: str, news: News) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    standing = await ask(plane, workspace)
    with Live(console=console, auto_refresh=False, screen=True, transient=True) as live:
        asked, trouble = asyncio.get_running_loop().time(), None
        while True:
            live.update(_picture(standing, console, trouble), refresh=True)
            happened = await news.wait(TICK)
            if not happened and asyncio.get_running_loop().time() - asked < news.patience:
                continue
            try:
                standing, trouble = await ask(plane, workspace), None
            except Unreachable as error:
                trouble = error.message
            asked = asyncio.get_running_loop().time()


def _picture(standing: Standing, console: Console, trouble: str | None) -> Group:
    told = screen.lines(standing, now=datetime.now(UTC), width=console.width)
    texts = [
        Text.assemble(*((safe(cell.text), cell.style) for cell in line), no_wrap=True, overflow="ellipsis")
        for line in told
    ]
    foot = f"! {safe(trouble)} Trying again." if trouble else "Ctrl+C ends this view; nothing else ends with it."
    return Group(*texts, Text(), Text(foot, style="yellow" if trouble else "dim", no_wrap=True, overflow="ellipsis"))


async def _log(plane: ControlPlane, workspace: str, news: News, out: Output) -> None:
    said = ""
    while True:
        standing = await ask(plane, workspace)
        now = screen.summary(standing)
        if now != said:
            if out.json_wanted:
                out.json(standing)
            else:
                out.line(f"{datetime.now().astimezone():%H:%M:%S}  {now}")
            said = now
        await news.wait(news.patience)
