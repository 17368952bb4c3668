"""One answer of a certain form: what an agent says last in a turn, and what is told when it has to say it again."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from locus.local.errors import LocalError
from locus.local.providers.base import Ending, Event, Finished, Text, whole
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf
from locus.local.sessions.turn import turn

ASKS = 3  # times that a plan or a review is asked for
MOST_FAULTS = 20  # that are told at once


class Faults(Exception):
    """What is wrong with an answer, a sentence each, in words that its author can act on."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults[:MOST_FAULTS])


class AgentEnded(LocalError):
    """The agent ended before it was done; `finished` says how."""

    def __init__(self, finished: Finished) -> None:
        super().__init__(finished.detail or finished.ending.value)
        self.finished = finished


class Repair(Struct, frozen=True):
    """The agent is asked again, because of these faults."""

    faults: tuple[str, ...]
    again: int
    asks: int


async def answer(
    desk: Desk,
    shelf: Shelf,
    session: Session,
    prompt: str,
    *,
    said: str,
    stop: asyncio.Event,
    schema: str,
    tell: Callable[[Event], None],
    parts: bool = False,
) -> tuple[str, Finished]:
    """Have one turn, and return what the agent answered with how it ended. `tell` hears of everything on the way."""
    texts: list[Text] = []
    finished: Finished | None = None
    events = turn(desk, shelf, session, prompt, said=said, stop=stop, schema=schema, parts=parts)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Text):
                texts.append(event)
            elif isinstance(event, Finished):
                finished = event
            tell(event)
    assert finished is not None, "a turn's last event is always Finished"
    # What an agent says on its way is not its answer; the last text is, where the answer is not kept apart.
    return finished.structured or (whole(texts)[-1] if texts else ""), finished


def after(desk: Desk, finished: Finished) -> Desk:
    """The desk for asking once more in the same call: what was taken is not there any more.

    Raises AgentEnded when a limit leaves nothing to ask with.
    """
    turns, usd = desk.max_turns, desk.max_usd
    left = None if turns is None else turns - finished.turns
    money = None if usd is None else usd - (finished.usage.usd or 0.0)
    if (left is not None and left < 1) or (money is not None and money <= 0):
        raise AgentEnded(replace(finished, ending=Ending.BUDGET, detail="Nothing is left to ask once more with."))
    return replace(desk, max_turns=left, max_usd=money)


def of_done(answered: tuple[str, Finished]) -> str:
    """The answer of an agent that was done. Raises AgentEnded."""
    text, finished = answered
    if finished.ending is not Ending.DONE:
        raise AgentEnded(finished)
    return text
