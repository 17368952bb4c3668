"""`locus replay`: a worker that does again what agents did in a recorded run."""

from pathlib import Path

import click

from locus.cli import frame
from locus.cli.commands import run
from locus.local.replay.player import Player
from locus.local.replay.recording import load


@frame.command("replay")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sprint", metavar="N", help="Work on this sprint, by number or id. Default: the active one.")
@click.option("--max-tasks", type=click.IntRange(1), metavar="N", help="Stop after this many tasks.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="X",
    help="How many times faster than it was: 1 is as it was, 0 leaves no pauses.",
)
@click.option("--no-sandbox", is_flag=True, help="Let the played agents and the checks work with your rights.")
@click.option("--no-pr", is_flag=True, help="Do not create or update the pull request.")
@click.option("--yes", "-y", is_flag=True, help="Agree for this run to what an agent can reach.")
@click.option("--verbose", "-v", is_flag=True, help="Show everything that the agents said.")
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    sprint: str | None,
    max_tasks: int | None,
    speed: float,
    no_sandbox: bool,
    no_pr: bool,
    yes: bool,
    verbose: bool,
) -> int:
    """Run a worker whose agents are played from a recording of `locus run --record`.

    Everything but the model is real: tasks are claimed, checks run, commits are pushed. So give it a sprint and a
    repository that are made for it. The first run of an agent is played for the first task, and so on; the same
    recording on the same tasks and the same base gives the same tree and the same events.
    """
    player = Player(load(file), speed=speed)
    done: int = context.invoke(
        run.command,
        player=player,
        sprint=sprint,
        max_tasks=max_tasks,
        no_sandbox=no_sandbox,
        no_pr=no_pr,
        yes=yes,
        verbose=verbose,
    )
    return done
