"""`locus docs`: the docs of the workspace, here as files, and on the control plane."""

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import click

from locus.cli import session, yes_or_no
from locus.cli.beside.stage import folder
from locus.cli.frame import command as _command, group
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Column, Output
from locus.cli.text import ago
from locus.client.plane import ControlPlane
from locus.local.docs.base import Bases
from locus.local.docs.folder import FOLDER, Documents
from locus.local.docs.leaving import Leaving
from locus.local.docs.push import Push, Wish, kind_of, kinds, prepared, push as send
from locus.local.docs.rules import TROUBLE, Act
from locus.local.docs.sync import Done, Sync
from locus.local.errors import LocalError
from locus.wire.docs import Doc, DocRef

STYLES = {
    **dict.fromkeys((Act.PULLED, Act.RESTORED, Act.REMOVED, Act.MERGED, Act.ADOPTED), "green"),
    **dict.fromkeys((Act.SENT, Act.DELETED), "magenta"),
    **dict.fromkeys((Act.UNSENT, Act.NEW, Act.FORGOTTEN), "dim"),
    **dict.fromkeys(TROUBLE, "yellow"),
}


@group("docs", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read the workspace's docs, keep them as files in `.locus/documents`, and push files as docs. Alone it lists them.

    Bringing docs here is free. What you write leaves this machine only when you push its file, or when you agree that
    a sync sends what changed in a file that was pushed before.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@_command("list")
@click.pass_obj
def list_(here: Invocation) -> None:
    """List the docs of the workspace, the last changed first."""
    out = Output(here)

    async def asked() -> list[DocRef]:
        async with session.plane(here) as plane:
            return [ref async for ref in plane.docs.all()]

    found = session.run(asked())
    if here.json:
        out.json(found)
    elif not found:
        out.note("No docs here yet. Push a file as one: locus docs push FILE")
    else:
        columns = [Column("ID"), Column("TITLE", grows=True), Column("KIND"), Column("GROUP"), Column("CHANGED")]
        rows = [
            (str(ref.id)[:8], ref.title, _words(ref.kind.value), ref.group, Cell(ago(ref.updated_at), "dim"))
            for ref in found
        ]
        out.table(columns, rows)


@_command("show")
@click.argument("doc", metavar="DOC")
@click.pass_obj
def show(here: Invocation, doc: str) -> None:
    """Show a doc: by its id, the beginning of it, or its title."""
    out = Output(here)

    async def asked() -> Doc:
        async with session.plane(here) as plane:
            return await plane.docs.get(await _named(plane, doc))

    found = session.run(asked())
    if here.json:
        out.json(found)
        return
    out.line(Cell(found.title, "bold"))
    group_ = f", in {found.group}" if found.group else ""
    said = f"{_words(found.kind.value)}{group_}, version {found.version}, {ago(found.updated_at)}"
    out.line(Cell(said, "dim"))
    out.text(found.text.rstrip("\n"))


@_command("sync")
@click.option("--delete", is_flag=True, help="Delete there what you have deleted here; without it, it comes back.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Send what changed in files that were pushed before, without asking.")
@click.pass_obj
def sync(here: Invocation, delete: bool, dry_run: bool, yes: bool) -> None:
    """Make the files in `.locus/documents` and the docs of the workspace the same.

    Changed, renamed and deleted docs follow in both directions. What was changed on both sides is merged when it is
    different parts of a doc (title, kind, group, text); else both are kept, and the exit code is 1. Of what you wrote,
    only docs whose file was pushed once are sent, after you have agreed.
    """
    out = Output(here)
    root, ours = folder(here)
    documents = Documents(root)

    async def run() -> list[Done]:
        async with session.plane(here) as plane:
            bases = Bases(ours.place, _workspace(plane))
            wanted = Sync(
                plane.docs,
                documents,
                bases,
                agree=lambda leaving: _agreed(out, leaving, yes=yes),
                delete=delete,
                dry_run=dry_run,
            )
            return await wanted.run()

    done = session.run(run())
    if here.json:
        out.json({"dry_run": dry_run, "docs": done})
    else:
        _told(out, done, dry_run=dry_run)
    if any(one.act in TROUBLE for one in done):
        sys.exit(1)


@_command("push")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", metavar="TEXT", help="Its title; if left out, the one it has, or the first heading.")
@click.option("--kind", type=click.Choice(kinds()), help="What kind of doc it is.")
@click.option("--group", "group_", metavar="NAME", help="The group that it belongs to.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before it leaves this machine.")
@click.pass_obj
def push(here: Invocation, file: Path, title: str | None, kind: str | None, group_: str | None, yes: bool) -> None:
    """Make a doc of a file, or bring the doc up to date that it is: its text goes to the control plane.

    Where nobody says a title, it is the one that the doc has, else the first heading of the text, else its first words.

    It is shown before it leaves, and refused when a secret seems to be in it. From then on a sync may send what changes
    in it. Nothing but title, kind, group and text leaves; the file's name and place do not.
    """
    out = Output(here)
    root, ours = folder(here)
    documents = Documents(root)
    wish = Wish(title, kind_of(kind) if kind else None, group_)

    async def run() -> Doc:
        async with session.plane(here) as plane:
            bases = Bases(ours.place, _workspace(plane))
            wanted = prepared(documents, bases, here.cwd / file, wish)
            _show(out, wanted, quiet=yes)
            if not _agreed(out, [wanted.leaving], yes=yes, needed=True):
                raise LocalError("Nothing was sent.")
            return await send(plane.docs, documents, bases, wanted)

    made = session.run(run())
    if here.json:
        out.json(made)
    else:
        out.line(str(made.id))
        out.note(f"It is the doc {made.title!r}, version {made.version}, and here {FOLDER}/{made.id}.md")


def _show(out: Output, wanted: Push, *, quiet: bool) -> None:
    """What would leave, to be read by a person; in JSON and with --yes nobody reads."""
    if out.json_wanted or quiet:
        return
    content, base = wanted.content, wanted.base
    out.line(Cell(content.title, "bold"))
    out.line(Cell(f"{_words(content.kind.value)}{f', in {content.group}' if content.group else ''}", "dim"))
    if base is None:
        out.text(content.text.rstrip("\n"))
        return
    changed = difflib.unified_diff(base.text.splitlines(), content.text.splitlines(), "there", "here", lineterm="")
    out.text("\n".join(changed) or "Its text is the same.")


def _agreed(out: Output, leaving: Sequence[Leaving], *, yes: bool, needed: bool = False) -> bool:
    """Whether a person lets this leave. Nobody can be asked without a terminal."""
    if yes:
        return True
    if not sys.stdin.isatty() or out.json_wanted:
        if needed:
            raise click.UsageError("This leaves the machine, so it needs --yes when nobody can be asked.")
        return False
    for one in leaving:
        what = "deleted there" if one.deleted else f"{one.size:,} bytes of text"
        out.note(f"  {one.path}: {one.content.title!r}, {what}")
    some = "this" if len(leaving) == 1 else f"these {len(leaving)}"
    return yes_or_no.asked(f"Send {some} to the control plane?")


def _told(out: Output, done: Sequence[Done], *, dry_run: bool) -> None:
    for one in done:
        name = one.path if one.title == Path(one.path).name else f"{one.title}  {one.path}"
        out.line(Cell(f"{one.act.value:<10}", STYLES.get(one.act, "")), name, under=10)
        if one.why:
            out.line(Cell(f"          {one.why}", "dim"), under=10)
    if not done:
        out.note("Both sides are the same.")
    elif dry_run:
        out.note("Nothing was done.")


def _words(kind: str) -> str:
    return kind.lower().replace("_", " ")


def _workspace(plane: ControlPlane) -> UUID:
    assert plane.workspace_id is not None
    return plane.workspace_id


async def _named(plane: ControlPlane, wanted: str) -> UUID:
    """The doc of that id, beginning of an id of four letters or more, or title. Raises LocalError."""
    try:
        return UUID(wanted)
    except ValueError:
        refs = [ref async for ref in plane.docs.all()]
    found = [ref for ref in refs if ref.title.casefold() == wanted.casefold()]
    if not found and len(wanted) >= 4:
        found = [ref for ref in refs if str(ref.id).startswith(wanted.lower())]
    if len(found) == 1:
        return found[0].id
    if found:
        ids = ", ".join(str(ref.id)[:8] for ref in found)
        raise LocalError(f"{len(found)} docs are called {wanted!r}.", remedy=f"Name one by its id: {ids}.")
    raise LocalError(f"There is no doc {wanted!r}.", remedy="See: locus docs list")


for part in (list_, show, sync, push):
    command.add_command(part)
