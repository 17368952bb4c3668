"""`locus status`: the sprint, the agents, what is next and what waits for a person."""

import shutil
from datetime import UTC, datetime

import click

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.output import Output
from locus.cli.status import screen
from locus.cli.status.standing import ask


@frame.command("status")
@click.option("--watch", "-w", "live", is_flag=True, help="Keep it up to date until Ctrl+C.")
@click.pass_obj
def command(here: Invocation, live: bool) -> None:
    """See the sprint, the agents and what waits for you."""
    session.run(_show(here, Output(here), live))


async def _show(here: Invocation, out: Output, live: bool) -> None:
    async with session.plane(here) as plane:
        assert plane.workspace_id is not None  # the session has chosen one
        workspace = (await plane.workspaces.get(plane.workspace_id)).name
        if live:
            from locus.cli.status.watch import watch

            await watch(plane, workspace, out)
            return
        standing = await ask(plane, workspace)
    if out.json_wanted:
        out.json(standing)
        return
    width = shutil.get_terminal_size().columns if out.terminal else None
    for line in screen.lines(standing, now=datetime.now(UTC), width=width):
        out.line(*line)
