"""One turn of a session: a question goes to the agent, events come back, and everything is written down."""

import time
from asyncio import Event as Flag
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import uuid4

from locus.local.journal import Account
from locus.local.providers.base import Ask, Ending, Event, Finished, SessionStarted, Text
from locus.local.providers.run import run as run_agent
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session, Turn
from locus.local.sessions.shelf import Shelf
from locus.local.sessions.spending import spending_of


async def turn(
    desk: Desk,
    shelf: Shelf,
    session: Session,
    prompt: str,
    *,
    said: str | None = None,
    stop: Flag | None = None,
    schema: str | None = None,
    parts: bool = False,
) -> AsyncGenerator[Event, None]:
    """Yield what the agent says and does; the last event is always Finished, exactly once.

    The conversation goes on where it was: the agent itself remembers it. `said` is what to write down as the question
    when `prompt` holds more than the person typed. `stop` ends the turn early; what the agent had said by then is kept
    as what it is. Before Finished is told, the session has been saved.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    answer: list[str] = []
    ask = Ask(
        prompt=prompt,
        cwd=desk.cwd,
        run_id=str(uuid4()),
        model=desk.model,
        effort=desk.effort,
        session=session.native,
        usage_before=session.used if session.native else None,
        max_turns=desk.max_turns,
        max_usd=desk.max_usd,
        read_only=desk.read_only,
        schema=schema,
        parts=parts,
    )
    with shelf.transcript(session).open("ab") as transcript:

        def keep(line: bytes) -> None:
            transcript.write(line)
            transcript.flush()

        events = run_agent(
            desk.provider,
            ask,
            environment=desk.environment,
            silence=desk.silence,
            wall=desk.wall,
            stop=stop,
            transcript=keep,
            sandbox=desk.sandbox,
        )
        name = f"session {session.id}"
        spending = spending_of(desk.account or Account(name, name, name), desk.model, desk.environment)
        async with aclosing(events):
            async for event in events:
                spending.hear(event)
                match event:
                    case SessionStarted(id=native, model=model):
                        session.native, session.model = native, model or session.model
                        shelf.save(session)  # whatever happens to us, it can be gone on with
                    case Text(text=text):
                        answer.append(text)
                    case Finished():
                        _close(session, event, said or prompt, "\n\n".join(answer), at, time.monotonic() - began)
                        shelf.save(session)
                yield event


def _close(session: Session, finished: Finished, asked: str, answer: str, at: datetime, seconds: float) -> None:
    if finished.ending is Ending.SESSION_LOST:
        session.native = None
    elif finished.session is not None:
        session.native = finished.session
    usage = finished.usage
    session.turns.append(
        Turn(
            prompt=asked,
            answer=answer,
            ending=finished.ending,
            detail=finished.detail,
            at=at,
            seconds=round(seconds, 3),
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            usd=usage.usd,
        )
    )
    session.updated_at = datetime.now(UTC)
