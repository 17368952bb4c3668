"""Events: what has happened, listed or as it happens."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from msgspec import Struct, field

from locus.client.errors import BadAnswer, Busy, Unreachable
from locus.client.lean import httpx
from locus.client.subject import Subject, every
from locus.wire.events import Event

SILENCE = 45.0  # seconds; the server says something every 15
BACK_OFF = (0.0, 0.2, 1.0, 3.0, 5.0)  # seconds before each attempt to connect again
LONGEST_LINE = 1 << 20  # characters


class Events(Subject):
    def all(self, *, after: int = 0) -> AsyncIterator[Event]:
        """All events with a number above `after`, in order."""
        return every(self._transport, self._path("/events"), Event, {"after": after})

    def newest(self) -> AsyncIterator[Event]:
        """All events, the newest first."""
        return every(self._transport, self._path("/activity"), Event)

    async def stream(self, *, after: int | None = None) -> AsyncGenerator[Event, None]:
        """Events as they happen, each once and in order, from the one after `after` (None: from now on).

        A connection that breaks is opened again where it broke. Raises NotSignedIn or Refused, which another attempt
        would not mend; Unreachable only when the very first connection fails.
        """
        last, failures, opened = after, 0, False
        while True:
            await asyncio.sleep(BACK_OFF[min(failures, len(BACK_OFF) - 1)])
            try:
                headers = {"Accept": "text/event-stream", **({} if last is None else {"Last-Event-ID": str(last)})}
                async with self._transport.stream(
                    self._path("/events/stream"), headers=headers, silence=SILENCE
                ) as response:
                    opened = True
                    async for frame in frames(response):
                        if frame.id is not None:
                            last = frame.id
                            failures = 0
                        if frame.data and frame.name != "resync":
                            yield _event(frame.data)
            except (Unreachable, Busy):
                if not opened:
                    raise
            failures += 1

    async def export(self, *, after: int = 0) -> AsyncGenerator[bytes, None]:
        """The audit trail from the event after `after`: a line of JSON for each, without its line break."""
        path = self._path(f"/events/export?after={after}")
        async with self._transport.stream(path, headers={"Accept": "application/jsonl"}, silence=SILENCE) as response:
            async for line in _lines(response):
                yield line.encode()


class Frame(Struct):
    """One message of a stream of server-sent events."""

    name: str = "message"
    id: int | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def data(self) -> str:
        return "\n".join(self.lines)


async def frames(response: httpx.Response) -> AsyncIterator[Frame]:
    """The messages of a stream; comments are dropped, and so is a message that the end cuts off."""
    frame = Frame()
    async for line in _lines(response):
        if not line:
            if frame.lines or frame.id is not None:
                yield frame
            frame = Frame()
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            frame.name = value
        elif name == "data":
            frame.lines.append(value)
        elif name == "id" and value.isascii() and value.isdigit():
            frame.id = int(value)


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    # Only \n and \r\n end a line: text in the data may hold the other characters that str.splitlines knows.
    rest = ""
    async for part in response.aiter_text():
        rest += part
        *lines, rest = rest.split("\n")
        if len(rest) > LONGEST_LINE:
            raise BadAnswer("The stream of events sent a line that does not end.")
        for line in lines:
            yield line.removesuffix("\r")


def _event(data: str) -> Event:
    try:
        return msgspec.json.decode(data, type=Event)
    except msgspec.DecodeError as e:
        raise BadAnswer(f"The stream of events sent something else: {e}.", remedy="Upgrade Locus.") from e
