"""`locus serve`: the server program itself, in the foreground, for operators."""

import os
from collections.abc import Sequence

import click

from locus.cli.invocation import Invocation
from locus.local import hosting
from locus.local.directories import directories


def become(here: Invocation, name: str, arguments: Sequence[str]) -> None:
    """Replace this process with the server program; its flags, answers and exit codes are its own."""
    environ = hosting.server_environment(os.environ, directories().data)
    argv = hosting.server_command(name, *arguments)
    os.chdir(here.cwd)
    os.execve(argv[0], argv, environ)  # noqa: S606 - no shell wanted


# Not frame.command: every flag, --help and --json too, is the server program's.
@click.command("serve", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(here: Invocation, arguments: tuple[str, ...]) -> None:
    """Run the control plane in the foreground, as `python -m locus.server serve` does."""
    become(here, "serve", arguments)
