"""One turn of a session: a question goes to the agent, events come back, and everything is written down."""

import time
from asyncio import Event as Flag, Task, create_task
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from datetime import UTC, datetime
from uuid import uuid4

from msgspec.structs import replace

from locus.local.journal import Account
from locus.local.journal.limits import Caps
from locus.local.providers.base import (
    AnswerPart,
    Ask,
    Ending,
    Event,
    Finished,
    Notice,
    SessionStarted,
    Spent,
    Text,
    TextPart,
    Thinking,
    Usage,
    whole,
)
from locus.local.providers.run import run as run_agent
from locus.local.sessions.bounds import Bounds
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session, Turn
from locus.local.sessions.shelf import Shelf
from locus.local.sessions.spending import UNCOUNTED, spending_of, unpriced


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
    as what it is. Limits of the desk end it, too, at most one answer later. Before Finished is told, the session has
    been saved.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    answer: list[Text] = []
    name = f"session {session.id}"
    spending = spending_of(desk.account or Account(name, name, name), desk.model, desk.environment)
    bounds = Bounds(spending, Caps(turns=desk.max_turns, usd=desk.max_usd), desk.day)
    wall, why_wall = bounds.wall(desk.wall)
    ask = Ask(
        prompt=prompt,
        cwd=desk.cwd,
        run_id=str(uuid4()),
        model=desk.model,
        effort=desk.effort,
        session=session.native,
        usage_before=session.used if session.native else None,
        max_turns=desk.max_turns,
        # Who goes on with a conversation counts the money of all of it.
        max_usd=None if desk.max_usd is None else desk.max_usd + (session.used.usd or 0.0 if session.native else 0.0),
        read_only=desk.read_only,
        schema=schema,
        parts=parts or bounds.counted,
    )
    limit = bounds.over()
    if limit is None and bounds.counted and not desk.provider.COUNTS:
        yield Notice(UNCOUNTED)
    ending = Flag()
    said_unpriced = False
    with ExitStack() as until_over:
        transcript = until_over.enter_context(shelf.transcript(session).open("ab"))

        def keep(line: bytes) -> None:
            transcript.write(line)
            transcript.flush()

        if limit is not None:
            events = _not_begun(session, limit)
        else:
            until_over.callback(_also(stop, ending).cancel)
            if desk.asking is not None:
                ask = replace(ask, asking=until_over.enter_context(desk.asking(session.id)))
            events = run_agent(
                desk.provider,
                ask,
                environment=desk.environment,
                silence=desk.silence,
                wall=wall,
                stop=ending,
                transcript=keep,
                sandbox=desk.sandbox,
            )
        async with aclosing(events):
            async for event in events:
                spending.hear(event)
                match event:
                    case SessionStarted(id=native, model=model):
                        session.native, session.model = native, model or session.model
                        shelf.save(session)  # whatever happens to us, it can be gone on with
                    case Spent():
                        if limit is None and (limit := bounds.over()) is not None:
                            ending.set()
                        elif bounds.unpriced and not said_unpriced:
                            said_unpriced = True
                            yield Notice(unpriced(spending.model))
                    case Text():
                        answer.append(event)
                    case TextPart() | AnswerPart() | Thinking() if not parts:
                        continue
                    case Finished(ending=Ending.STOPPED) if limit is not None:
                        event = replace(event, ending=Ending.BUDGET, detail=limit)
                    case Finished(ending=Ending.WALL_LIMIT) if why_wall is not None:
                        event = replace(event, ending=Ending.BUDGET, detail=why_wall)
                if isinstance(event, Finished):
                    event = replace(event, usage=spending.with_cost(event.usage))
                    said_whole = whole(answer)
                    if event.structured is not None:  # it is an answer, too, and may hold what was told on the way
                        said_whole = [*(one for one in said_whole if one not in event.structured), event.structured]
                    answered = "\n\n".join(said_whole).strip("\n")
                    _close(session, event, said or prompt, answered, at, time.monotonic() - began)
                    shelf.save(session)
                yield event


async def _not_begun(session: Session, limit: str) -> AsyncGenerator[Event, None]:
    """Nobody is started when a limit is reached already."""
    yield Finished(Ending.BUDGET, limit, session=session.native, usage=Usage(), turns=0, resets_at=None, exit=None)


def _also(stop: Flag | None, ending: Flag) -> Task[None]:
    """End a turn when its caller says so; a limit of ours ends it by the same flag."""

    async def wait() -> None:
        if stop is not None:
            await stop.wait()
            ending.set()

    return create_task(wait())


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
