"""A question and the agent's reply, and the words for how it ended."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from locus.cli.beside import voice
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.stage import Stage
from locus.local.discussion.insights import told_about
from locus.local.providers.base import Ending, Event, Finished
from locus.local.sessions.desk import Desk
from locus.local.sessions.opening import opening
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf
from locus.local.sessions.turn import turn

FAILED = 1

# Where the agent remembers what it did, and would go on with it.
GOES_ON = frozenset({Ending.BUDGET, Ending.SILENT, Ending.WALL_LIMIT, Ending.USAGE_LIMIT, Ending.PROVIDER_DOWN})

Listen = Callable[[Event], None]


async def reply(
    desk: Desk, shelf: Shelf, session: Session, asked: str, stop: asyncio.Event, listen: Listen, *, parts: bool = True
) -> Finished:
    """Have the agent answer, tell `listen` every event, and return the last one."""
    prompt = asked
    if session.native is None:
        prompt = opening(asked, desk.root, read_only=desk.read_only, insights=told_about(desk.folder, asked))
    last: Event | None = None
    events = turn(desk, shelf, session, prompt, said=asked, stop=stop, parts=parts)
    async with aclosing(events):
        async for last in events:
            listen(last)
    assert isinstance(last, Finished), "a turn's last event is always Finished"
    return last


def code_of(finished: Finished, interrupts: Interrupts) -> int:
    """The exit code for how a turn ended."""
    if finished.ending is Ending.DONE:
        return 0
    return interrupts.exit_code if finished.ending is Ending.STOPPED else FAILED


def why(finished: Finished) -> str:
    """What went wrong, in our words and then in the agent's."""
    return "\n".join(part for part in (voice.ENDED[finished.ending], finished.detail.strip()) if part)


def remedy(finished: Finished, provider: str, *, go_on: str | None = None) -> str | None:
    """What the person can do about it; `go_on` is the command that goes on with the session, if there is one."""
    if finished.ending in GOES_ON and go_on is not None and finished.session is not None:
        until = f"It is reset at {finished.resets_at.astimezone():%H:%M}. " if finished.resets_at is not None else ""
        return f"{until}Go on: {go_on}"
    if finished.too_long:
        return "Begin a new session, or ask for less at once."
    if finished.ending is Ending.SESSION_LOST:
        return "Begin a new session: leave out -s."
    if finished.resets_at is not None:
        return f"It is reset at {finished.resets_at.astimezone():%H:%M}."
    if finished.ending is Ending.NOT_SIGNED_IN:
        return f"Start {provider} once and sign in."
    return None


def forgotten(session: Session) -> str | None:
    """What somebody should know who goes on with a session that its agent does not remember."""
    if session.native is not None or not session.turns:
        return None
    return f"{session.provider} remembers nothing of the session {session.id}, so it begins anew."


def where(stage: Stage) -> str:
    """Who works where, and what it may do there."""
    if stage.policy is not None:
        may = "may change nothing" if stage.read_only else "may change files, not .git"
        return f"{stage.provider.NAME} in {stage.root}, in the sandbox: it {may}."
    may = "was asked to change nothing" if stage.read_only else "works with your rights"
    return f"{stage.provider.NAME} in {stage.root}, WITHOUT a sandbox: it {may}."
