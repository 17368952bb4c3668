"""`locus logout`: forget the key of a control plane."""

import click
from msgspec import Struct

from locus.cli import session
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.local import credentials


class Forgotten(Struct, frozen=True):
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
