"""Asks an agent for a plan until one is right, a bounded number of times. Of a wrong one no part is taken."""

import asyncio
from collections.abc import Callable, Collection

from locus.local.errors import LocalError
from locus.local.planning.answer import judged, schema
from locus.local.planning.prompt import repair_prompt
from locus.local.providers.base import Event
from locus.local.sessions.answer import ASKS, Faults, Repair, after, answer, of_done
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf
from locus.wire.plans import PlanDraft


class NoPlan(LocalError):
    """The agent gave no plan that is right."""


async def propose(
    desk: Desk,
    shelf: Shelf,
    session: Session,
    prompt: str,
    goal: str,
    checks: Collection[str],
    *,
    stop: asyncio.Event,
    tell: Callable[[Event | Repair], None],
    asks: int = ASKS,
) -> PlanDraft:
    """Ask for a plan, at most `asks` times in one conversation, and return the first that has no fault.

    Raises NoPlan when there is none, AgentEnded when the agent did not finish.
    """
    first, said, faults = prompt, goal, Faults([])
    for attempt in range(1, asks + 1):
        try:
            asked = answer(desk, shelf, session, prompt, said=said, stop=stop, schema=schema(checks), tell=tell)
            answered = await asked
            return judged(of_done(answered), checks)
        except Faults as e:
            faults = e
        if attempt < asks:
            tell(Repair(faults.faults, attempt + 1, asks))
            desk = after(desk, answered[1])
            said = repair_prompt(faults.faults, again=attempt + 1, asks=asks)
            # One that has no memory hears everything again.
            prompt = said if session.native else f"{first}\n{said}"
    found = "\n".join(f"- {fault}" for fault in faults.faults)
    raise NoPlan(
        f"{session.provider} gave no plan that can be taken, in {asks} tries. The last one:\n{found}",
        remedy=f"What it said: locus sessions show {session.id}\nSay the goal in other words, or try another --model.",
    )
