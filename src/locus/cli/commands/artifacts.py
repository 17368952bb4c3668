"""`locus artifacts`: what agents wrote down for you in this repository."""

import sys
from typing import Any

import click

from locus.cli import session
from locus.cli.beside.stage import Wish, options
from locus.cli.frame import command as _command, group
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.text import ago
from locus.local import project
from locus.local.artifacts import artifacts, path_of, text_of, title_of
from locus.local.errors import LocalError
from locus.wire.docs import Doc, DocDraft

NAME = click.argument("name")


@group("artifacts", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See what agents wrote down in `.locus/artifacts`, and make a plan or a doc of it. Alone it lists them."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@_command("list")
@click.pass_obj
def list_(here: Invocation) -> None:
    """List artifacts, the last changed first."""
    out = Output(here)
    found = artifacts(project.find(here.cwd))
    if here.json:
        out.json(found)
    elif not found:
        out.note("No artifacts here. Agents leave them as Markdown files in .locus/artifacts.")
    else:
        columns = [Column("NAME", grows=True), Column("SIZE", right=True), Column("CHANGED")]
        out.table(columns, [(one.name, f"{one.size:,}", Cell(ago(one.changed_at), "dim")) for one in found])


@_command("show")
@NAME
@click.pass_obj
def show(here: Invocation, name: str) -> None:
    """Show what an artifact says."""
    out = Output(here)
    text = text_of(project.find(here.cwd), name)
    if here.json:
        out.json({"name": name.removesuffix(".md"), "text": text})
    else:
        out.text(text.rstrip("\n"))


@_command("plan")
@NAME
@options
@click.pass_obj
def plan(here: Invocation, /, name: str, **wish: Any) -> None:
    """Have a sprint planned from an artifact, as `locus plan --from` does."""
    from locus.cli.commands.plan import propose_from  # the agent's side is needed here alone

    propose_from(here, str(path_of(project.find(here.cwd), name)), Wish(**wish))


@_command("doc")
@NAME
@click.option("--title", metavar="TEXT", help="Its title; the first heading, if left out.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before it leaves this machine.")
@click.pass_obj
def doc(here: Invocation, name: str, title: str | None, yes: bool) -> None:
    """Make a doc of an artifact: its whole text goes to the control plane, after you have seen it."""
    out = Output(here)
    text = text_of(project.find(here.cwd), name)
    if not text.strip():
        raise LocalError(f"The artifact {name!r} is empty, so there is nothing to send.")
    called = title or title_of(name.removesuffix(".md"), text)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("This leaves the machine, so it needs --yes when nobody can be asked.")
        out.line(Cell(called, "bold"))
        out.text(text.rstrip("\n"))
        if not click.confirm(f"Send these {len(text):,} characters to the control plane?", err=True):
            raise LocalError("Nothing was sent.")
    made, new = session.run(_send(here, DocDraft(title=called, text=text)))
    if here.json:
        out.json(made)
    else:
        out.line(str(made.id))
        out.note(f"It is the doc {made.title!r} {'now' if new else 'already'}.")


async def _send(here: Invocation, draft: DocDraft) -> tuple[Doc, bool]:
    """The doc, and whether it is a new one: what is there with the same words is not sent again."""
    async with session.plane(here) as plane:
        async for ref in plane.docs.all():
            if ref.title == draft.title and (found := await plane.docs.get(ref.id)).text == draft.text:
                return found, False
        return await plane.docs.create(draft), True


for part in (list_, show, plan, doc):
    command.add_command(part)
