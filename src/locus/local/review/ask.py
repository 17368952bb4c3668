"""Asks an agent for its opinion of a change until it can be taken, a bounded number of times."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from locus.local.errors import LocalError
from locus.local.providers.base import Event
from locus.local.review.answer import Opinion, judged, schema
from locus.local.review.prompt import Occasion, repair_prompt, review_prompt
from locus.local.sessions.answer import ASKS, Faults, Repair, answer, of_done
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf


class NoReview(LocalError):
    """The agent gave no opinion that can be taken."""


async def opinion_of(
    ask: Callable[[str], Awaitable[str]],
    occasion: Occasion,
    *,
    who: str,
    tell: Callable[[Repair], None],
    remedy: str | None = None,
    asks: int = ASKS,
) -> Opinion:
    """Ask at most `asks` times in one conversation, and return the first opinion that has no fault.

    `ask` returns what the agent answers to a prompt. Raises NoReview when no answer can be taken.
    """
    prompt, faults = review_prompt(occasion), Faults([])
    for attempt in range(1, asks + 1):
        said = await ask(prompt)
        try:
            return judged(said, occasion.material.shown)
        except Faults as e:
            faults = e
        if attempt < asks:
            tell(Repair(faults.faults, attempt + 1, asks))
            prompt = repair_prompt(faults.faults, again=attempt + 1, asks=asks)
    found = "\n".join(f"- {fault}" for fault in faults.faults)
    raise NoReview(f"{who} gave no review that can be taken, in {asks} tries. The last one:\n{found}", remedy=remedy)


class Reviewer(Struct, frozen=True):
    """Who reviews, and where it is written down."""

    desk: Desk
    shelf: Shelf
    session: Session
    stop: asyncio.Event
    tell: Callable[[Event | Repair], None]

    async def opinion(self, occasion: Occasion) -> Opinion:
        """What the agent thinks. Raises NoReview, and AgentEnded when it did not finish."""
        first = ""

        async def ask(prompt: str) -> str:
            nonlocal first
            if not first:
                first = prompt
                return await self._ask(prompt, f"Review {occasion.what}")
            # One that has no memory hears everything again.
            return await self._ask(prompt if self.session.native else f"{first}\n{prompt}", prompt)

        kept = f"What it said: locus sessions show {self.session.id}"
        return await opinion_of(ask, occasion, who=self.session.provider, tell=self.tell, remedy=kept)

    async def _ask(self, prompt: str, said: str) -> str:
        asked = answer(
            self.desk, self.shelf, self.session, prompt, said=said, stop=self.stop, schema=schema(), tell=self.tell
        )
        return of_done(await asked)
