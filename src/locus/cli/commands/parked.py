"""`locus parked`: work that was kept although its attempt did not get to the remote."""

import os
from collections.abc import Sequence

import click
import msgspec

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Column, Output
from locus.local import project
from locus.local.directories import directories
from locus.local.errors import LocalError, Usage
from locus.local.git import checkout, parked
from locus.local.git.checkout import Checkout
from locus.local.git.clone import Parked, parked as all_parked
from locus.local.git.parked import Kept


@frame.group("parked", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See, adopt or drop work that was kept when an attempt failed, was stopped or lost its lease. Alone it lists it.

    It lies in the worker's clone on this machine, and nowhere else.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@click.pass_obj
def list_(here: Invocation) -> None:
    """List parked work of this repository, newest first."""
    out = Output(here)
    _, found = session.run(_all(here))
    if here.json:
        out.json([kept for kept, _ in found])
        return
    if not found:
        out.note("Nothing is parked for this repository.")
        return
    rows = [
        [kept.name, f"{kept.when.astimezone():%Y-%m-%d %H:%M}", str(kept.files), f"+{kept.added} −{kept.removed}"]
        for kept, _ in found
    ]
    out.table([Column("WORK"), Column("WHEN"), Column("FILES", right=True), Column("LINES")], rows)
    out.note(f"Look at one: locus parked show {found[0][0].name}")


@command.command("show")
@click.argument("work", metavar="KEY/N")
@click.pass_obj
def show(here: Invocation, work: str) -> None:
    """Show parked work as a diff."""
    out = Output(here)
    found, (kept, ref) = session.run(_one(here, work))
    text = session.run(parked.diff(found, ref))
    if here.json:
        out.json({**msgspec.to_builtins(kept), "diff": text})
    else:
        out.text(text)


@command.command("adopt")
@click.argument("work", metavar="KEY/N")
@click.option("--branch", metavar="NAME", help="Name of the branch. Default: parked/KEY-N.")
@click.pass_obj
def adopt(here: Invocation, work: str, branch: str | None) -> None:
    """Make a branch of parked work in your repository, to go on with by hand. Nothing is checked out."""
    out = Output(here)
    found, (kept, ref) = session.run(_one(here, work))
    name = branch or f"parked/{kept.task}-{kept.fence}"
    session.run(parked.adopt(found, ref, name))
    if here.json:
        out.json({"branch": name, "commit": kept.commit})
    else:
        out.line(name)
        out.note(f"Look at it: git log -p {name}")


@command.command("drop")
@click.argument("work", metavar="KEY/N")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def drop(here: Invocation, work: str, yes: bool) -> None:
    """Forget parked work for good."""
    out = Output(here)
    found, (kept, ref) = session.run(_one(here, work))
    if not yes and not click.confirm(f"Forget {kept.name} ({kept.files} files)?", err=True):
        raise LocalError("Nothing was dropped.")
    session.run(parked.drop(found, ref))
    if here.json:
        out.json(kept)
    else:
        out.note(f"{kept.name} is dropped. Until git tidies up, its commit is {kept.commit}.")


async def _all(here: Invocation) -> tuple[Checkout, Sequence[tuple[Kept, Parked]]]:
    root = project.find(here.cwd)
    found = await checkout.find(root, os.environ)
    described = [(await parked.describe(found, one), one) for one in await all_parked(found, directories().state)]
    kept = [(one, ref) for one, ref in described if one is not None]
    names = parked.told_apart([one for one, _ in kept])
    named = [(one, ref) for one, (_, ref) in zip(names, kept, strict=True)]
    return found, sorted(named, key=lambda pair: pair[0].when, reverse=True)


async def _one(here: Invocation, work: str) -> tuple[Checkout, tuple[Kept, Parked]]:
    """The work that is meant: AUTH-12/3, or AUTH-12 when there is only one of that task."""
    found, everything = await _all(here)
    wanted = work.upper()
    # AUTH-12/3 stands for AUTH-12/3@… of every workspace that has one.
    matching = [
        pair
        for pair in everything
        if wanted in (pair[0].name.upper(), pair[0].name.partition("@")[0].upper(), pair[0].task)
    ]
    if len(matching) == 1:
        return found, matching[0]
    if matching:
        names = ", ".join(kept.name for kept, _ in matching)
        raise Usage(f"{work} was parked more than once.", remedy=f"Say which: {names}")
    raise LocalError(f"No work named {work} is parked for this repository.", remedy="See all: locus parked list")
