"""One exchange of a discussion: the person's words go to the agent, a reply and insights come back."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct, field

from locus.local.codemap.told import Wanted, told_of_checkout
from locus.local.context.prompt import Mark
from locus.local.discussion.answer import Faults, judged, schema
from locus.local.discussion.insights import Insight, Insights, relevant
from locus.local.discussion.kept import Discussion, Discussions, Said, Speaker
from locus.local.providers.base import Ending, Event, Finished
from locus.local.sessions.answer import answer
from locus.local.sessions.desk import Desk
from locus.local.sessions.opening import opening
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf

ASKS = 2

ROLE = """\
You discuss a topic of this project with the person who owns it. Read the code before you speak of it; you can change
nothing. Say what you think and why. Ask one question at a time, and only one that matters. With each answer hand in the
insights that the person's last message brought: decisions, requirements, ideas, concerns, learnings. Hand in each once;
to correct an earlier one, name its id in `replaces`. Answer with one JSON object and nothing else: `reply` is what you
say to the person, `insights` is what is new, often nothing."""

SUMMARY = """\
Sum this discussion up for somebody who was not there: what was decided and why, what is wanted, what is open. Hand in
the summary as `reply`, and no insights."""


class Table(Struct, frozen=True):
    """What the people at a discussion share."""

    desk: Desk
    shelf: Shelf
    session: Session
    discussions: Discussions
    insights: Insights
    codemap: Wanted = field(default_factory=Wanted)
    """What the first message says of the codebase."""


class Exchange(Struct, frozen=True):
    """What came of one message. `reply` is None when the agent did not finish."""

    reply: str | None
    insights: Sequence[Insight]
    finished: Finished
    plain: bool = False
    """Whether the reply had no form, so that no insight could be taken from it."""


async def say(
    table: Table, discussion: Discussion, message: str, *, stop: asyncio.Event, tell: Callable[[Event], None]
) -> Exchange:
    """Say something in a discussion, and keep what comes back.

    A reply that is not of the form asked for is asked for again once, and then taken as words alone, without insights.
    """
    table.discussions.look_again(discussion)
    before = list(discussion.said)
    discussion.session, discussion.archived = table.session.id, False
    discussion.add(Speaker.PERSON, message)
    table.discussions.save(discussion)  # whatever happens to us, it was said
    exchange = await _remembering(table, discussion, before, message, stop, tell, discussion.id)
    if exchange.reply is not None:
        discussion.add(Speaker.AGENT, exchange.reply)
    table.discussions.save(discussion)
    return exchange


async def sum_up(
    table: Table, discussion: Discussion, *, stop: asyncio.Event, tell: Callable[[Event], None]
) -> Exchange:
    """Have the discussion summed up, and keep the summary."""
    table.discussions.look_again(discussion)
    exchange = await _remembering(table, discussion, discussion.said, SUMMARY, stop, tell, None)
    if exchange.reply is not None:
        discussion.session, discussion.summary = table.session.id, exchange.reply
        table.discussions.save(discussion)
    return exchange


async def _remembering(
    table: Table,
    discussion: Discussion,
    before: Sequence[Said],
    message: str,
    stop: asyncio.Event,
    tell: Callable[[Event], None],
    kept_for: str | None,
) -> Exchange:
    """Say something to an agent that knows what was said before, from its own memory or from ours."""
    prompt = await _first(table, discussion, before, message)
    exchange = await _exchange(table, prompt, message, stop, tell, kept_for)
    if exchange.finished.ending is Ending.SESSION_LOST:
        prompt = await _first(table, discussion, before, message)
        exchange = await _exchange(table, prompt, message, stop, tell, kept_for)
    return exchange


async def _first(table: Table, discussion: Discussion, before: Sequence[Said], message: str) -> str:
    """The message itself; when the agent remembers nothing, all that it needs before it."""
    if table.session.native is not None:
        return message
    known = relevant(table.insights.all(), f"{discussion.topic} {message}")
    # When the agent has lost its memory, what was said is told again: a discussion is the person's, not the agent's.
    said = [f"{one.by.value}: {one.text}" for one in before]
    mark = Mark.beside([discussion.topic, message, *said])
    parts = [ROLE, f"# The topic\n\n{mark.around('topic', discussion.topic)}"]
    if said:
        parts.append(f"# What was said before\n\n{mark.around('said', chr(10).join(said))}")
    parts.append(f"# The person says\n\n{mark.around('message', message)}")
    lines = [f"[{one.id}] {one.line}" for one in known]
    desk = table.desk
    about = f"{discussion.topic}\n{message}"
    codebase = await told_of_checkout(
        desk.folder.index, desk.root, desk.environment, about, table.codemap, trouble=lambda _: None
    )
    return opening("\n\n".join(parts), desk.root, read_only=True, insights=lines, codebase=codebase)


async def _exchange(
    table: Table,
    prompt: str,
    said: str,
    stop: asyncio.Event,
    tell: Callable[[Event], None],
    discussion: str | None,
) -> Exchange:
    text, first = "", prompt
    for attempt in range(1, ASKS + 1):
        text, finished = await answer(
            table.desk, table.shelf, table.session, prompt, said=said, stop=stop, schema=schema(), tell=tell, parts=True
        )
        if finished.ending is not Ending.DONE:
            return Exchange(None, (), finished)
        try:
            taken = judged(text, [one.id for one in table.insights.all()])
        except Faults as e:
            if attempt < ASKS:
                said = f"{e} Answer again as one JSON object with `reply` and `insights`, and nothing else."
                # Who remembers nothing is told all of it again.
                prompt = said if table.session.native is not None else f"{first}\n\n{said}"
            continue
        kept = table.insights.add(taken.insights, discussion) if discussion is not None else ()
        return Exchange(taken.reply, kept, finished)
    return Exchange(text.strip() or "(nothing)", (), finished, plain=True)
