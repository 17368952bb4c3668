"""`locus logout`: forget the key of a control plane."""

from dataclasses import dataclass

import click

from locus.cli import session
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.local import credentials


@dataclass(frozen=True)
class Forgotten:
    """What `--json` says."""

    server: str
    had_key: bool


@_command("logout")
@click.pass_obj
def command(here: Invocation) -> None:
    """Forget the key of a control plane on this machine. The key itself stays valid until it is revoked."""
    server = session.settings(here).server
    had = credentials.forget(server)
    out = Output(here)
    if here.json:
        out.json(Forgotten(server, had))
    else:
        out.note(f"Forgot the key for {server}." if had else f"There was no key for {server}.")
