"""`locus migrate`: brings a database up to date, for operators."""

import click

from locus.cli.commands.serve import become
from locus.cli.invocation import Invocation


@click.command("migrate", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(here: Invocation, arguments: tuple[str, ...]) -> None:
    """Bring a database up to date, as `python -m locus.server migrate` does."""
    become(here, "migrate", arguments)
