"""`locus sessions`: what you asked agents in this repository, and what they answered."""

import sys
from datetime import datetime

import click
from msgspec import Struct

from locus.cli.beside.stage import folder
from locus.cli.frame import command as _command, group
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.run.agent_words import count
from locus.cli.text import ago
from locus.local.errors import LocalError
from locus.local.providers.base import Ending
from locus.local.sessions.record import Session
from locus.local.sessions.shelf import Shelf

ENDED = {Ending.DONE: "green", Ending.STOPPED: "yellow"}


class Listed(Struct, frozen=True):
    """One line of `locus sessions list --json`."""

    id: str
    title: str
    provider: str
    model: str | None
    turns: int
    read_only: bool
    created_at: datetime
    updated_at: datetime


@group("sessions", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See, read and delete your sessions with agents in this repository. Alone it lists them.

    A session is named by its id, or by the beginning of it when that is enough. They are kept on this machine only.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@_command("list")
@click.pass_obj
def list_(here: Invocation) -> None:
    """List sessions, the last one used first."""
    out = Output(here)
    found = _shelf(here).all()
    if here.json:
        out.json([_listed(one) for one in found])
        return
    if not found:
        out.note('No sessions here yet. Begin one: locus exec "What is to be done"')
        return
    columns = [Column("ID"), Column("ASKED", grows=True), Column("AGENT"), Column("TURNS", right=True), Column("USED")]
    out.table(
        columns,
        [(one.id, one.title, one.provider, str(len(one.turns)), Cell(ago(one.updated_at), "dim")) for one in found],
    )


@_command("show")
@click.argument("session", metavar="ID")
@click.pass_obj
def show(here: Invocation, session: str) -> None:
    """Show what was asked and answered in a session."""
    out = Output(here)
    shelf = _shelf(here)
    found = shelf.find(session)
    if here.json:
        out.json(found)
        return
    model = f", {found.model}" if found.model else ""
    out.line(
        f"{found.id}  {found.provider}{model}, {count(len(found.turns), 'turn')}", Cell(f"  in {found.cwd}", "dim")
    )
    for turn in found.turns:
        out.line()
        out.line(Cell("You", "bold"), Cell(f"  {ago(turn.at)}", "dim"))
        out.text(turn.prompt)
        out.line(Cell(found.provider, "bold"), Cell(f"  {turn.ending.value}", ENDED.get(turn.ending, "red")))
        out.text(turn.answer or turn.detail or "(nothing)")
    out.line()
    out.note(f"The agent's own lines: {shelf.transcript(found)}")
    if found.native is not None:
        out.note(f'Go on: locus exec -s {found.id} "…"')


@_command("delete")
@click.argument("sessions", metavar="ID…", nargs=-1, required=True)
@click.pass_obj
def delete(here: Invocation, sessions: tuple[str, ...]) -> None:
    """Forget sessions: the record, the transcript, and what the agent kept of them in the sandbox."""
    out = Output(here)
    shelf = _shelf(here)
    names = list(dict.fromkeys(shelf.name(session) for session in sessions))  # all are found before one is deleted
    for name in names:
        shelf.delete(name)
    if here.json:
        out.json({"deleted": names})
    else:
        out.note(f"Deleted {count(len(names), 'session')}: {', '.join(names)}.")


@_command("clear")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def clear(here: Invocation, yes: bool) -> None:
    """Forget all sessions of this repository."""
    out = Output(here)
    shelf = _shelf(here)
    names = shelf.ids()
    if names and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Deleting needs --yes when nobody can be asked.")
        if not click.confirm(f"Delete {count(len(names), 'session')} for good?", err=True):
            raise LocalError("Nothing was deleted.")
    for name in names:
        shelf.delete(name)
    if here.json:
        out.json({"deleted": names})
    else:
        out.note(f"Deleted {count(len(names), 'session')}.")


def _shelf(here: Invocation) -> Shelf:
    return Shelf(folder(here)[1])


def _listed(one: Session) -> Listed:
    return Listed(
        one.id, one.title, one.provider, one.model, len(one.turns), one.read_only, one.created_at, one.updated_at
    )


for part in (list_, show, delete, clear):
    command.add_command(part)
