"""`locus iterate`: what was said about a pull request goes back to the agent that made it."""

import asyncio
import os
import time
from contextlib import suppress
from typing import Any

import click
from msgspec.structs import replace

from locus.cli import session as sessions
from locus.cli.beside import review_view
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.iterating import Closed, Iterating, Outcome
from locus.cli.beside.reviewing import Failure
from locus.cli.beside.settling import Round
from locus.cli.beside.stage import Wish, options
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.cli.run import consent
from locus.cli.run.alone import place
from locus.cli.run.limits import limits_of
from locus.local import sandbox
from locus.local.forge.base import ForgeError
from locus.local.git.trouble import GitError, Reason
from locus.local.journal import LEDGER, Ledger
from locus.local.providers.table import choose
from locus.local.worker import told
from locus.local.worker.follow_purse import FollowPurse
from locus.local.worker.workplace import Options

POLL = 30.0  # seconds between two looks at the forge
TROUBLE = 2.0  # seconds before the first look after one that failed; then twice as long, up to POLL
ROUNDS, MINUTES = 5, 120  # of --watch, unless somebody says otherwise


def _target(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    name = value.removeprefix("#") if value is not None else None
    if name is not None and not (name.isascii() and name.replace("-", "").isalnum()):
        raise click.BadParameter("name a pull request by its number, or a task by its key.")
    return name


@_command("iterate")
@click.argument("target", required=False, metavar="[N | KEY]", callback=_target)
@click.option("--watch", is_flag=True, help="Go on looking for what is said, within the bounds below.")
@click.option("--rounds", type=click.IntRange(1, 50), metavar="N", help=f"Bound of --watch. Default: {ROUNDS}.")
@click.option("--minutes", type=click.IntRange(1, 1440), metavar="N", help=f"Bound of --watch. Default: {MINUTES}.")
@options
@click.pass_obj
def command(
    here: Invocation,
    /,
    target: str | None,
    watch: bool,
    rounds: int | None,
    minutes: int | None,
    **wish: Any,
) -> int:
    """Take unresolved review comments and failed checks of a pull request back to the agent that made it.

    Without a target it looks at every open pull request that Locus made. Each comment goes to the task whose commit
    wrote the line, in the agent's own conversation where this machine has it. The change is checked, committed to the
    same branch and pushed, never with force, and the threads are answered. Only comments of people who may write to the
    repository are taken up; others are named. Your checkout is not touched.

    \b
    Examples:
      locus iterate
      locus iterate 12
      locus iterate SHOP-4 --watch --max-usd 5
    """
    if not watch and (rounds is not None or minutes is not None):
        raise click.UsageError("--rounds and --minutes are bounds of --watch.")
    out, asked, outcome = Output(here), Wish(**wish), Outcome()
    flags = {"provider": asked.provider, "model": asked.model, "effort": asked.effort, "network": asked.network}
    settings = sessions.settings(here, **flags, sandbox="off" if asked.no_sandbox else None)
    provider = choose(settings.provider, command=settings.agent_command or ())
    consent.make_sure(settings, sandbox.policy.of(settings, os.environ), yes=asked.yes, command="iterate")
    chosen = Options(
        model=settings.model,
        effort=settings.effort,
        check_rounds=settings.check_rounds,
        silence=settings.silence_minutes * 60.0,
        wall=settings.wall_minutes * 60.0,
        limits=limits_of(settings),
    )

    async def work(stop: asyncio.Event) -> None:
        async with sessions.plane(here, settings_=settings) as plane:
            found = await place(here, plane, settings, chosen, lambda what: _tell(out, what))
            iterating = Iterating(
                work=replace(found, provider=provider),
                out=out,
                stop=stop,
                named=asked.provider is not None,
                purse=FollowPurse(Ledger(found.state / LEDGER), found.options.limits),
                agent_command=settings.agent_command or (),
                made=lambda made: _show(out, made),
                patient=watch,
                outcome=outcome,
                max_usd=asked.max_usd,
                max_turns=asked.max_turns,
            )
            if not watch:
                await iterating.once(target)
            else:
                await _watch(iterating, target, rounds or ROUNDS, (minutes or MINUTES) * 60.0)

    with Interrupts() as interrupts:
        try:
            sessions.run(interrupts.during(work))
        except KeyboardInterrupt:
            if out.json_wanted or outcome.failed:
                _say(out, outcome)  # what was done until then is done
            raise
    _say(out, outcome)
    if interrupts.first is not None:
        return interrupts.exit_code
    return 1 if outcome.failed else 0


async def _watch(iterating: Iterating, target: str | None, rounds: int, seconds: float) -> None:
    """Look again and again until a bound is reached, something went wrong, or somebody stops it.

    Trouble that passes by itself is waited for. Once something was done, it is told whatever happens afterwards.
    """
    end, done, looked, trouble = time.monotonic() + seconds, 0, False, TROUBLE
    bounds = f"at most {rounds} round{'s' * (rounds != 1)} and {seconds / 60:.0f} minutes"
    iterating.note(f"Looking every {POLL:.0f} s for what is said, {bounds}. Ctrl+C ends it.")
    while done < rounds and not iterating.stop.is_set() and not iterating.outcome.failed:
        pause = POLL
        try:
            done += await iterating.once(target)
            looked, trouble = True, TROUBLE
        except Closed as e:
            if not looked:
                raise
            iterating.note(e.message)
            return
        except (ForgeError, GitError) as e:
            if not _passes(e):
                if not looked:
                    raise
                iterating.outcome.failed.append(Failure(target or "the pull requests", str(e)))
                return
            waits = e.retry_after if isinstance(e, ForgeError) else None
            pause, trouble = waits or trouble, min(2 * trouble, POLL)
            iterating.note(f"{e.message} Looking again in {pause:.0f} s.")
        if (over := _over(iterating, done >= rounds, time.monotonic() >= end)) is not None:
            iterating.note(over)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(iterating.stop.wait(), min(pause, max(end - time.monotonic(), 0.0)))


def _over(iterating: Iterating, rounds: bool, minutes: bool) -> str | None:
    """The bound that is reached, in words."""
    limit = iterating.max_usd
    if limit is not None and iterating.outcome.usd >= limit:
        return f"The {limit:g} $ that this call may cost are spent (--max-usd)."
    if rounds:
        return "That was the last round (--rounds)."
    return "The time for looking is over (--minutes)." if minutes else None


def _passes(error: ForgeError | GitError) -> bool:
    """Whether trying again later can help without anybody doing anything."""
    if isinstance(error, GitError):
        return error.reason in (Reason.UNREACHABLE, Reason.TIMEOUT)
    return error.passes


def _tell(out: Output, what: told.Told) -> None:
    if out.json_wanted:
        return
    match what:
        case told.CheckStarted(check=check):
            out.note(Cell("· ", "dim"), f"{check.name}  {check.run}")
        case told.Preparing(command=command) if command:
            out.note(Cell("· ", "dim"), command)
        case told.ChecksRed(names=names, round_number=number, rounds=rounds):
            out.note(Cell("! ", "yellow"), f"{', '.join(names)} red; back to the agent ({number} of {rounds})")
        case told.Note(text=text):
            out.note(Cell("! ", "yellow"), text)


def _show(out: Output, one: Round) -> None:
    if out.json_wanted:
        return
    what = f"pushed {one.commit[:10]}" if one.commit else "nothing was changed"
    memory = "" if one.resumed else ", in a new conversation"
    out.line(Cell("✓ ", "green"), Cell(one.task, "bold"), f" on pull request {one.pull_request}: {what}, {one.done}")
    out.note(Cell(f"  {', '.join(one.checks) or 'no checks'}{memory}", "dim"))


def _say(out: Output, outcome: Outcome) -> None:
    if out.json_wanted:
        out.json(outcome)
        return
    for failure in outcome.failed:
        review_view.failed(out, failure)
    if not outcome.rounds and not outcome.failed:
        out.note("Nothing waits for an answer.")
