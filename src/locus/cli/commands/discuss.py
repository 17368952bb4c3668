"""`locus discuss`: think something through with an agent, and keep what comes of it."""

from contextlib import suppress
from typing import Any

import click

from locus.cli import session as sessions, words
from locus.cli.beside import voice
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.reply import where
from locus.cli.beside.stage import Wish, folder, options, permissions_option, prepare
from locus.cli.beside.talking import Talk, at_terminal, converse, once, show, tell_insights
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.run.agent_words import count
from locus.cli.text import ago
from locus.local.discussion.insights import Insights
from locus.local.discussion.kept import Discussion, Discussions, Speaker
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import NoSuchSession, Shelf

ACTIONS = ("list", "show", "summary", "archive", "delete")


@_command("discuss")
@click.argument("topic", required=False)
@click.option("--resume", "-s", "going_on", metavar="ID", help="Go on with this discussion; TOPIC is what you say.")
@click.option("--list", "list_", is_flag=True, help="List discussions.")
@click.option("--all", "everything", is_flag=True, help="With --list: archived ones, too.")
@click.option("--show", metavar="ID", help="Show what was said, and what came of it.")
@click.option("--summary", metavar="ID", help="Have a discussion summed up.")
@click.option("--archive", metavar="ID", help="Take a discussion off the list; its insights stay.")
@click.option("--delete", metavar="ID", help="Delete a discussion; its insights stay.")
@permissions_option
@options
@click.pass_obj
def command(
    here: Invocation,
    /,
    topic: str | None,
    going_on: str | None,
    list_: bool,
    everything: bool,
    show: str | None,
    summary: str | None,
    archive: str | None,
    delete: str | None,
    **wish: Any,
) -> None:
    """Discuss a topic of this project with an agent, which reads the code and changes nothing.

    Decisions, requirements, ideas, concerns and learnings are kept as insights. See, edit and export them with
    `locus insights`; those that have to do with a later plan or task are told to its agent. At a terminal the
    discussion goes on until you leave; without one each call says one thing.

    \b
    Examples:
      locus discuss "How should we store sessions?"
      locus discuss -s k3f9 "Then let us take cookies."
    """
    asked = (list_, show is not None, summary is not None, archive is not None, delete is not None)
    chosen = [name for name, wanted in zip(ACTIONS, asked, strict=True) if wanted]
    if everything and not list_:
        raise click.UsageError("--all belongs to --list.")
    if len(chosen) > 1 or (chosen and (topic is not None or going_on is not None)):
        raise click.UsageError(f"--{chosen[0]} stands alone.")
    if list_:
        _list(here, everything=everything)
    elif show is not None:
        _show(here, show)
    elif archive is not None:
        _archive(here, archive)
    elif delete is not None:
        _delete(here, delete)
    elif summary is not None:
        _talk(here, None, summary, Wish(**wish))
    elif topic is None and (going_on is None or not at_terminal()):
        raise click.UsageError('Say what it is about: locus discuss "…"')
    else:
        _talk(here, words.message(topic) or "", going_on, Wish(**wish))


def _talk(here: Invocation, message: str | None, going_on: str | None, wish: Wish) -> None:
    """Begin or go on; without a message, sum up."""
    out = Output(here)
    _, ours = folder(here)
    discussions = Discussions(ours)
    earlier = discussions.find(going_on) if going_on else None
    session = _session(Shelf(ours), earlier)
    stage = prepare(here, wish, command="discuss", read_only=True, going_on=session.id if session else None)
    session = session or stage.session()
    discussion = earlier or discussions.new(message or "", provider=stage.provider.NAME, session=session.id)
    talk = Talk(here, stage, session, discussion, out)
    if not here.json:
        voice.print_beside(out, where(stage))
    if message is not None and at_terminal() and not here.json:
        sessions.run(converse(talk, message or None))
        if discussion.said:
            voice.print_beside(out, f"The discussion is kept: locus discuss -s {discussion.id}")
        return
    with Interrupts() as interrupts:
        exchange = sessions.run(once(talk, message, interrupts))
    if here.json:
        out.json({"discussion": discussion.id, "reply": exchange.reply, "insights": list(exchange.insights)})
        return
    show(out, exchange)
    if message is not None:
        voice.close(out, exchange.finished, go_on=f'locus discuss -s {discussion.id} "…"')


def _session(shelf: Shelf, earlier: Discussion | None) -> Session | None:
    """The agent's side of an earlier discussion; None when it is gone, which the discussion survives."""
    if earlier is None:
        return None
    try:
        return shelf.find(earlier.session)
    except NoSuchSession:
        return None


def _list(here: Invocation, *, everything: bool) -> None:
    out = Output(here)
    found = [one for one in Discussions(folder(here)[1]).all() if everything or not one.archived]
    if here.json:
        out.json(found)
    elif not found:
        out.note('No discussions here. Begin one: locus discuss "What you think about"')
    else:
        columns = [Column("ID"), Column("TOPIC", grows=True), Column("SAID", right=True), Column("LAST")]
        rows: list[list[str | Cell]] = [
            [one.id, one.topic, str(len(one.said)), Cell(ago(one.updated_at), "dim")] for one in found
        ]
        if everything:
            columns.append(Column(""))
            for row, one in zip(rows, found, strict=True):
                row.append(Cell("archived" if one.archived else "", "dim"))
        out.table(columns, rows)


def _show(here: Invocation, wanted: str) -> None:
    out = Output(here)
    _, ours = folder(here)
    found = Discussions(ours).find(wanted)
    insights = [one for one in Insights(ours).all() if one.discussion == found.id]
    if here.json:
        out.json({"discussion": found, "insights": insights})
        return
    out.line(Cell(found.topic, "bold"), Cell(f"  {found.id}, {count(len(found.said), 'message')}", "dim"))
    for said in found.said:
        out.line()
        out.line(Cell("You" if said.by is Speaker.PERSON else found.provider, "bold"), Cell(f"  {ago(said.at)}", "dim"))
        out.text(said.text)
    if found.summary:
        out.line()
        out.line(Cell("Summary", "bold"))
        out.text(found.summary)
    out.line()
    tell_insights(out, insights)


def _archive(here: Invocation, wanted: str) -> None:
    discussions = Discussions(folder(here)[1])
    found = discussions.find(wanted)
    found.archived = True
    discussions.save(found)
    out = Output(here)
    if here.json:
        out.json(found)
    else:
        out.note(f"Archived the discussion {found.id}. Its insights stay: locus insights")


def _delete(here: Invocation, wanted: str) -> None:
    _, ours = folder(here)
    discussions = Discussions(ours)
    name = discussions.name(wanted)
    session = discussions.delete(name)
    if session is not None:
        with suppress(NoSuchSession):  # the agent's side was deleted before
            Shelf(ours).delete(session)
    out = Output(here)
    if here.json:
        out.json({"deleted": [name]})
    else:
        out.note(f"Deleted the discussion {name}. Its insights stay: locus insights")
