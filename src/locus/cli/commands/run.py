"""`locus run`: a worker on the active sprint, until nothing is left for it."""

import os
from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console

from locus.cli import frame, session
from locus.cli.invocation import Invocation
from locus.cli.params import setting_words
from locus.cli.places import remote_of, state
from locus.cli.run import asking, consent
from locus.cli.run.asking import AtTerminal
from locus.cli.run.critic import critic_of
from locus.cli.run.limits import EXAMPLE, limit_flags, limits_of
from locus.cli.run.lines import RunLines
from locus.cli.run.signals import stoppable
from locus.cli.run.view import RunView
from locus.client.plane import ControlPlane
from locus.local import credentials, prices, project, sandbox
from locus.local.codemap.told import Wanted
from locus.local.directories import directories
from locus.local.forge.table import Choice
from locus.local.git import checkout
from locus.local.providers.base import Provider
from locus.local.providers.run import version
from locus.local.providers.table import choose
from locus.local.replay.record import Recorder
from locus.local.settings import Settings
from locus.local.worker.loop import Run
from locus.local.worker.parking import OnLimit
from locus.local.worker.workplace import Options, Workplace


@frame.command("run")
@click.option("--sprint", metavar="N", help="Work on this sprint, by number or id. Default: the active one.")
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=setting_words("provider"),
    help="Agent that does the work: claude, codex or command.",
)
@click.option("--model", metavar="NAME", help="Model that the agent uses.")
@click.option("--effort", metavar="WORD", help="How hard the model thinks, in the agent's own words.")
@click.option("--base", metavar="BRANCH", help="Branch that the sprint's branch starts from.")
@click.option("--max-tasks", type=click.IntRange(1), metavar="N", help="Stop after this many tasks.")
@click.option(
    "--limit", "limits", metavar="NAME=AMOUNT", multiple=True, help=f"A limit of this run, such as {EXAMPLE}."
)
@click.option(
    "--on-limit",
    metavar="WORD",
    shell_complete=setting_words("on_limit"),
    help="When the usage limit of the provider is reached: wait for its end, switch to another one, or stop.",
)
@click.option("--once", is_flag=True, help="Stop after one task.")
@click.option("--watch", is_flag=True, help="Wait for more work when the sprint is drained.")
@click.option("--resume", is_flag=True, help="Take over from a worker that is gone, also from another machine's.")
@click.option("--in-place", is_flag=True, help="Work in this checkout, when it is clean.")
@click.option(
    "--network",
    metavar="WORD",
    shell_complete=setting_words("network"),
    help="Reach of the sandbox: open, or provider for the model's service alone.",
)
@click.option(
    "--permissions",
    metavar="WORD",
    shell_complete=setting_words("permissions"),
    help="What the agent may do: allow, or ask for a yes before commands.",
)
@click.option("--no-sandbox", is_flag=True, help="Let agents and checks work with your rights.")
@click.option("--no-pr", is_flag=True, help="Do not create or update the pull request.")
@click.option("--no-summaries", is_flag=True, help="Send no words of the agent, even if the workspace asks for some.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep what the agents do in a file, without secrets, for `locus replay`.",
)
@click.option("--yes", "-y", is_flag=True, help="Agree for this run to what an agent can reach.")
@click.option("--verbose", "-v", is_flag=True, help="Show everything the agent says, not only what it does.")
@click.pass_obj
def command(
    here: Invocation,
    sprint: str | None,
    provider: str | None,
    model: str | None,
    effort: str | None,
    base: str | None,
    max_tasks: int | None,
    limits: tuple[str, ...],
    on_limit: str | None,
    once: bool,
    watch: bool,
    in_place: bool,
    resume: bool,
    network: str | None,
    permissions: str | None,
    no_sandbox: bool,
    no_pr: bool,
    no_summaries: bool,
    record: Path | None,
    yes: bool,
    verbose: bool,
    player: Provider | None = None,  # who does the work in place of the settings' agent: `locus replay`
) -> int:
    """Claim the tasks of a sprint one by one and have an agent do them.

    Each task becomes one commit on the branch locus/sprint-N: the agent edits, your checks run, the commit is pushed
    and seen on the remote, and the task turns IN_REVIEW. At the end there is one pull request. Ctrl+C parks the work
    and gives the task back, as do SIGTERM and the end of the terminal; a second one ends everything at once.
    """
    if once and max_tasks is not None:
        raise click.UsageError("--once and --max-tasks say different things; give one of them.")
    named = limit_flags(limits)
    if max_tasks is not None and "max_tasks" in named:
        raise click.UsageError("--max-tasks and --limit max_tasks say the same thing; give one of them.")
    flags = {"provider": provider, "model": model, "effort": effort, "base": base, "on_limit": on_limit, **named}
    flags["max_tasks"] = named.get("max_tasks") if max_tasks is None else max_tasks
    walls = {"network": network, "sandbox": "off" if no_sandbox else None, "permissions": permissions}
    words = {"summaries": False if no_summaries else None}
    settings = session.settings(here, **flags, **walls, **words)
    # A repository may suggest an agent, but its program comes from the user alone.
    chosen = player or choose(settings.provider, command=settings.agent_command or ())
    root = project.find(here.cwd)
    found = project.load(root)
    chosen.locate(os.environ)
    if found.review_required and player is None and record is None:
        critic_of(settings).provider.locate(os.environ)
    policy = sandbox.policy.of(settings, os.environ)
    if policy is not None:
        session.run(sandbox.probe(os.environ))
    consent.make_sure(settings, policy, yes=yes)
    terminal = AtTerminal(state()) if asking.at_terminal() and not here.json else None
    asker = None if player else asking.asker(settings, chosen, state(), root, terminal=terminal is not None)
    if record is not None:
        chosen = Recorder(chosen, here.cwd / record)
    options = Options(
        sprint=sprint,
        model=settings.model,
        effort=settings.effort,
        base=settings.base,
        max_tasks=1 if once else settings.max_tasks,
        check_rounds=settings.check_rounds,
        silence=settings.silence_minutes * 60.0,
        wall=settings.wall_minutes * 60.0,
        watch=watch,
        in_place=in_place,
        resume=resume,
        pull_request=not no_pr,
        summaries=settings.summaries,
        limits=limits_of(settings),
        codemap=Wanted.of(settings),
        on_limit=OnLimit(settings.on_limit),
    )

    async def work(view: RunView | RunLines) -> int:
        async with session.plane(here, settings_=settings) as plane:
            run = Run(
                Workplace(
                    plane=plane,
                    connect=lambda: another(plane, settings),
                    checkout=await checkout.find(root, os.environ, remote=remote_of(settings)),
                    project=found,
                    provider=chosen,
                    provider_version=await version(chosen, os.environ),
                    options=options,
                    environment=os.environ,
                    state=state(),
                    tell=view.tell if terminal is None else terminal.also(view.tell),
                    policy=policy,
                    forge=Choice(settings.forge, settings.forge_api),
                    # A recording holds one agent's words: then that one reviews, too.
                    critic=critic_of(settings) if player is None and record is None else None,
                    prices=lambda: prices.load(directories().prices),
                    asker=asker,
                )
            )
            with terminal.listening() if terminal is not None and asker is not None else nullcontext():
                came = await stoppable(run.run(), run.interrupt)
        return came.exit_code(lambda result: result.succeeded)

    with _view(here, verbose=verbose) as view:
        return session.run(work(view))


def another(plane: ControlPlane, settings: Settings) -> ControlPlane:
    """A second connection to the same control plane, for the heartbeat."""
    secret = credentials.find(settings.server).secret
    return ControlPlane(plane.url, secret, plane.workspace_id, egress=session.egress(), patience=1.0)


def _view(here: Invocation, *, verbose: bool) -> RunView | RunLines:
    if here.json:
        return RunLines()
    return RunView(Console(highlight=False, markup=False, emoji=False), verbose=verbose, quiet=here.quiet)
