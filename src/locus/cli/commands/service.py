"""`locus service`: parts of Locus that go on after you log out, under your own supervisor."""

import os
import sys

import click

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Column, Output
from locus.cli.params import OneOf
from locus.local import project
from locus.local.directories import directories
from locus.local.errors import LocalError
from locus.local.service.supervisor import LINES, Supervisor, here as supervisor
from locus.local.service.units import Part, Service, service
from locus.local.settings import load

PART = click.argument("part", type=OneOf(Part), metavar="PART")


@frame.group("service")
def command() -> None:
    """Keep the bot, a worker or the server at work, under systemd or launchd.

    PART is bot, worker or server. A worker is that of the repository you are in. Everything belongs to you: nothing
    here asks for a password or for the rights of somebody else.
    """


@command.command("install")
@PART
@click.option("--print", "shown", is_flag=True, help="Print the file and change nothing.")
@click.pass_obj
def install(here: Invocation, part: Part, shown: bool) -> None:
    """Install a service and start it, now and whenever you log in. Doing it again brings it up to date."""
    out, of_user = Output(here), supervisor()
    wanted = _service(here, part)
    if shown:
        out.text(of_user.text(wanted))
        return
    _ready(here, part)
    path = session.run(of_user.install(wanted))
    if here.json:
        out.json({"name": wanted.name, "file": str(path)})
        return
    out.note(f"{wanted.name} works: {path}")
    if of_user.program == "systemctl":
        out.note("To let it work while you are logged out: loginctl enable-linger")


@command.command("status")
@click.pass_obj
def status(here: Invocation) -> None:
    """Show the services that are installed, and whether they work."""
    out = Output(here)
    of_user = supervisor()
    of_user.check()
    found = session.run(of_user.installed())
    if here.json:
        out.json(found)
    elif found:
        out.table(
            [Column("SERVICE"), Column("STATE"), Column("FILE", grows=True)],
            [[one.name, one.state, one.file] for one in found],
        )
    else:
        out.note("No service is installed. Install one: locus service install bot")


@command.command("logs")
@PART
@click.option(
    "--lines", "-n", type=click.IntRange(1, 10_000), metavar="N", default=LINES, show_default=True, help="How many."
)
@click.pass_obj
def logs(here: Invocation, part: Part, lines: int) -> None:
    """Show the last lines of a service's log."""
    of_user = supervisor()
    name = _installed(of_user, here, part)
    Output(here).text(session.run(of_user.log(name, lines)))


@command.command("remove")
@PART
@click.pass_obj
def remove(here: Invocation, part: Part) -> None:
    """Stop a service and forget it. What it worked with stays."""
    of_user = supervisor()
    name = _installed(of_user, here, part)
    session.run(of_user.remove(name))
    Output(here).note(f"{name} is removed.")


def _service(here: Invocation, part: Part) -> Service:
    root = project.find(here.cwd) if part is Part.WORKER else None
    places = directories()
    home = supervisor().home
    return service(part, python=sys.executable, root=root, home=home, state=places.state, environ=os.environ)


def _installed(of_user: Supervisor, here: Invocation, part: Part) -> str:
    name = _service(here, part).name
    if not of_user.file(name).exists():
        raise LocalError(f"There is no service {name}.", remedy=f"Install it: locus service install {part}")
    of_user.check()
    return name


def _ready(here: Invocation, part: Part) -> None:
    """Refuse to install what could not start: nobody could answer its questions."""
    if part is Part.BOT:
        # Here, because a worker or a server needs nothing of the bot.
        from locus.telegram import account

        account.need()
    if part is Part.WORKER:
        settings = load(root=project.find(here.cwd))
        if not (settings.consent or settings.sandbox_consent):
            raise LocalError("Nobody has agreed to agents on this machine yet.", remedy="Run once: locus run")
