"""A discussion at the terminal, or one message of it: what the person sees of the reply and of its insights."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from locus.cli.beside import voice
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.reply import remedy, why
from locus.cli.beside.stage import Stage
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output, is_terminal
from locus.cli.run.agent_words import spent
from locus.local.codemap.told import Wanted
from locus.local.discussion.answer import Reply
from locus.local.discussion.insights import Insight, Insights, Kind
from locus.local.discussion.kept import Discussion, Discussions
from locus.local.discussion.talk import Exchange, Table, say, sum_up
from locus.local.errors import LocalError
from locus.local.providers.base import (
    AnswerPart,
    Ending,
    Event,
    Finished,
    Limit,
    Notice,
    Text,
    TextPart,
    ToolStarted,
)
from locus.local.sessions.desk import Desk
from locus.local.sessions.record import Session

STYLES = {
    Kind.DECISION: "green",
    Kind.REQUIREMENT: "blue",
    Kind.IDEA: "",
    Kind.CONCERN: "yellow",
    Kind.LEARNING: "magenta",
}
COMMANDS = {
    "/help": "what you can type",
    "/insights": "what has come of this discussion",
    "/summary": "have it summed up",
    "/exit": "leave; the discussion is kept",
}
HELP = "Ctrl+C interrupts the agent, Ctrl+D leaves. /insights lists what came of it, /summary sums it up."


class Talk(Struct, frozen=True):
    """One discussion, with the agent's place for it."""

    here: Invocation
    stage: Stage
    session: Session
    discussion: Discussion
    out: Output

    def desk(self) -> AbstractAsyncContextManager[Desk]:
        return self.stage.desk(lambda text: voice.print_beside(self.out, text))

    def table(self, desk: Desk) -> Table:
        folder = self.stage.folder
        codemap = Wanted.of(self.stage.settings)
        return Table(desk, self.stage.shelf, self.session, Discussions(folder), Insights(folder), codemap)


async def once(talk: Talk, message: str | None, interrupts: Interrupts) -> Exchange:
    """Say one thing, or with None have the discussion summed up. Raises LocalError when the agent does not finish."""

    async def work(stop: asyncio.Event) -> Exchange:
        async with talk.desk() as desk:
            return await _exchange(talk, talk.table(desk), message, stop)

    with talk.stage.shelf.using(talk.session):
        exchange = await interrupts.during(work)
    go_on = f'locus discuss -s {talk.discussion.id} "…"'
    if exchange.finished.ending is Ending.STOPPED:
        voice.print_beside(talk.out, f"Interrupted. Go on: {go_on}")
        raise KeyboardInterrupt
    if exchange.reply is None:
        finished, provider = exchange.finished, talk.discussion.provider
        raise LocalError(why(finished), remedy=remedy(finished, provider, go_on=go_on))
    return exchange


async def converse(talk: Talk, first: str | None, interrupted: Callable[[], Interrupts] = Interrupts) -> None:
    """Talk until the person leaves."""
    # Its own toolkit takes its time to import.
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory

    from locus.cli.beside.conversation import PROMPT, Names, describe_commands, keys

    talk.stage.folder.make()
    talk.stage.folder.history.touch(mode=0o600)
    typing: PromptSession[str] = PromptSession(
        history=FileHistory(str(talk.stage.folder.history)),
        completer=Names(talk.stage.root, COMMANDS),
        complete_while_typing=False,
        key_bindings=keys(),
        multiline=True,
        prompt_continuation="  ",
    )
    talk.out.line(HELP)
    message = first
    async with talk.desk() as desk:
        table = talk.table(desk)
        while True:
            if message is None:
                try:
                    message = (await typing.prompt_async(PROMPT)).strip()
                except KeyboardInterrupt:
                    continue
                except EOFError:
                    return
            said, message = message, None
            if not said:
                continue
            command = said if said.startswith("/") and len(said.split()) == 1 else ""
            if command in ("/exit", "/quit"):
                return
            if command == "/insights":
                found = [one for one in table.insights.all() if one.discussion == talk.discussion.id]
                tell_insights(talk.out, found)
            elif command and command != "/summary":
                describe_commands(talk.out, command, COMMANDS)
            else:
                try:
                    with talk.stage.shelf.using(talk.session), interrupted() as interrupts:
                        await _spoken(talk, table, None if command else said, interrupts)
                except LocalError as e:  # such as another command that is at work in the discussion
                    voice.print_all(talk.out, e.message, e.remedy)


async def _spoken(talk: Talk, table: Table, message: str | None, interrupts: Interrupts) -> None:
    async def work(stop: asyncio.Event) -> Exchange:
        return await _exchange(talk, table, message, stop)

    try:
        exchange = await interrupts.during(work)
    except asyncio.CancelledError:
        voice.print_beside(talk.out, "Ended at once.")
        exchange = None
    if interrupts.leaving:
        raise KeyboardInterrupt
    if exchange is None:
        return
    if exchange.reply is not None:
        show(talk.out, exchange)
        voice.print_beside(talk.out, spent(exchange.finished))
    elif exchange.finished.ending is Ending.STOPPED:
        voice.print_beside(talk.out, "Interrupted. Say it again, or something else.")
    else:
        voice.print_all(talk.out, why(exchange.finished), remedy(exchange.finished, talk.discussion.provider))


async def _exchange(talk: Talk, table: Table, message: str | None, stop: asyncio.Event) -> Exchange:
    """Have the agent answer, and show its reply: at a terminal while it comes, where the agent tells it in parts."""
    listener = _Listener(talk)
    if message is None:
        exchange = await sum_up(table, talk.discussion, stop=stop, tell=listener.tell)
    else:
        exchange = await say(table, talk.discussion, message, stop=stop, tell=listener.tell)
    listener.close(exchange)
    return exchange


class _Listener:
    """Hears an agent that discusses. Its words are the form that holds the reply, so they are not shown as they are."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._streams = is_terminal() and not talk.out.json_wanted
        self._over = False
        self._begin()

    def _begin(self) -> None:
        self._aloud, self._reply = voice.Aloud(self._talk.here), Reply()

    def tell(self, event: Event) -> None:
        match event:
            case AnswerPart(text=text) if self._streams:
                if self._over:
                    self._over = False
                    self._aloud.end_line()
                    voice.print_beside(self._talk.out, "· the answer has a fault; asked again")
                    self._begin()
                self._aloud.tell(TextPart(self._reply.feed(text)))
            case ToolStarted(name=name) if name != "StructuredOutput":
                self._aloud.tell(event)
            case Notice() | Limit():
                self._aloud.tell(event)
            case Finished():
                self._over = True

    def close(self, exchange: Exchange) -> None:
        if not self._talk.out.json_wanted:
            self._aloud.tell(exchange.finished if exchange.reply is None else Text(exchange.reply))


def show(out: Output, exchange: Exchange) -> None:
    """What was kept of a reply."""
    for insight in exchange.insights:
        voice.print_beside(out, f"+ {insight.kind.value}: {insight.title}  ({insight.id})")
    if exchange.plain:
        voice.print_beside(out, "The agent answered without the form, so no insights were taken from this.")


def tell_insights(out: Output, insights: Sequence[Insight]) -> None:
    """Insights as a list for eyes."""
    if not insights:
        out.note("No insights yet.")
    for one in insights:
        tags = f"  {', '.join(one.tags)}" if one.tags else ""
        out.line(f"{one.id}  ", Cell(f"{one.kind.value:<12}", STYLES[one.kind]), one.title, Cell(tags, "dim"))


def at_terminal() -> bool:
    """Whether there is somebody to talk with."""
    return is_terminal() and os.isatty(0)
