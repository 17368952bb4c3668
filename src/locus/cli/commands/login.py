"""`locus login`: keep a key for a control plane."""

import os
import sys

import click
from msgspec import Struct

from locus.cli import session
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.letting_in import key_from_browser, machine_name
from locus.cli.output import Cell, Output
from locus.client.errors import PlaneError
from locus.client.plane import ControlPlane
from locus.client.workspaces import choose
from locus.local import credentials
from locus.local.credentials import VARIABLE
from locus.local.errors import Usage
from locus.local.settings import BY_NAME, Origin, Settings, set_user
from locus.wire.workspaces import Me, Workspace

LONGEST_KEY = 1000  # characters


class SignedIn(Struct, frozen=True):
    """What `--json` says. The key itself is nowhere in it."""

    server: str
    me: Me
    workspace: Workspace | None


@_command("login")
@click.option("--key", "ask", is_flag=True, help="Ask for an API key, without showing it.")
@click.option("--key-stdin", is_flag=True, help="Read an API key from standard input.")
@click.option("--device", is_flag=True, help="Sign in with a browser, also when there is no terminal.")
@click.option("--machine", metavar="NAME", help="What the page calls this machine. Default: its host name.")
@click.pass_obj
def command(here: Invocation, ask: bool, key_stdin: bool, device: bool, machine: str | None) -> None:
    """Sign in to a control plane.

    At a terminal it shows a code and a page of the server. Whoever is signed in there compares the code, sees the name
    of this machine, and decides what it may do; then this machine gets a key of its own.

    With --key, --key-stdin or LOCUS_API_KEY it takes a key that exists. A key on the command line is not possible,
    because everybody on the machine can read command lines. Either way the key is checked with the server and kept in
    a file that only you can read.
    """
    if ask + key_stdin + device > 1:
        raise Usage("--key, --key-stdin and --device exclude each other.", remedy="Give one of them, or none.")
    settings = session.settings(here)
    out = Output(here)
    browser = device or not (ask or key_stdin or VARIABLE in os.environ)
    if browser and (device or sys.stdin.isatty()):
        secret = session.run(key_from_browser(settings.server, machine_name(machine), out))
    else:
        secret = _secret(settings.server, key_stdin=key_stdin)
    me, workspace = session.run(_verify(settings.server, secret, settings.workspace))
    credentials.store(session.credential_for(settings.server, secret, workspace))
    _keep_server(settings)
    if here.json:
        out.json(SignedIn(settings.server, me, workspace))
        return
    where = f" in {workspace.name}" if workspace else f" in {me.organization.name}"
    until = f", until {me.expires_at:%Y-%m-%d}" if me.expires_at else ""
    out.note(Cell("✓ ", "green"), f"Signed in to {settings.server} as {me.name} ({me.purpose}){where}{until}.")
    if workspace is None:
        out.note("The key opens several workspaces. Choose one: locus config set workspace NAME")


def _secret(server: str, *, key_stdin: bool) -> str:
    if key_stdin:
        secret = sys.stdin.buffer.readline(LONGEST_KEY).decode("ascii", "replace").strip()
    elif VARIABLE in os.environ:
        secret = os.environ[VARIABLE].strip()
    elif sys.stdin.isatty():
        secret = click.prompt(f"API key for {server}", hide_input=True, err=True).strip()
    else:
        raise Usage("There is no terminal to ask at.", remedy=f"Use --device or --key-stdin, or set {VARIABLE}.")
    if not secret:
        raise Usage("The key is empty.", remedy="Make one with the server's owner, or run `locus up` for your own.")
    return secret


async def _verify(server: str, secret: str, wanted: str | None) -> tuple[Me, Workspace | None]:
    async with ControlPlane(server, secret, egress=session.egress()) as plane:
        me = await plane.me()
        try:
            return me, await choose(plane.transport, wanted)
        except PlaneError:
            # Several and none chosen is no reason to refuse the key; a wrong choice is.
            if wanted is not None:
                raise
            return me, None


def _keep_server(settings: Settings) -> None:
    """Later commands talk to the server that was signed in to with --server."""
    if settings.origins["server"] is Origin.FLAG and session.settings(Invocation()).server != settings.server:
        set_user(BY_NAME["server"], settings.server)
