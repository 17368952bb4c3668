"""`locus review`: an agent that did not write a change looks at it, and says what it finds."""

import asyncio
from typing import Any

import click
from msgspec.structs import replace

from locus.cli import session as sessions
from locus.cli.beside import review_view
from locus.cli.beside.interrupts import Interrupts
from locus.cli.beside.reviewing import Outcome, Reviewing
from locus.cli.beside.stage import Stage, Wish, options, prepare
from locus.cli.frame import command as _command
from locus.cli.invocation import Invocation
from locus.cli.output import Cell, Output
from locus.local import project
from locus.local.git.remote import check_branch
from locus.local.review.answer import Verdict
from locus.local.review.kept import Kept
from locus.local.review.text import TITLES

LOCAL = "local"


def _target(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None or value == LOCAL:
        return value
    name = value.removeprefix("#")
    try:
        return check_branch(name)
    except ValueError as e:
        raise click.BadParameter("name a pull request by its number, a branch, or say local.") from e


@_command("review")
@click.argument("target", required=False, metavar="[N | BRANCH | local]", callback=_target)
@click.option("--staged", is_flag=True, help="With local: what is staged, and nothing else.")
@click.option("--again", is_flag=True, help="Review a commit that was reviewed before once more.")
@click.option("--no-post", is_flag=True, help="Write the review to a file, and nothing to the forge.")
@click.option("--exit-code", is_flag=True, help="End with 1 when a review asks for changes.")
@click.option(
    "--tokens",
    type=click.IntRange(1000, 2_000_000),
    metavar="N",
    help="How much of a change is shown to the reviewer, about. Default: as the project says, or 60000.",
)
@options
@click.pass_obj
def command(
    here: Invocation,
    /,
    target: str | None,
    staged: bool,
    again: bool,
    no_post: bool,
    exit_code: bool,
    tokens: int | None,
    **wish: Any,
) -> int:
    """Have a change reviewed by an agent that did not write it, and that can change nothing.

    Without a target it reviews every open pull request that Locus made; with a number that one, with a branch that
    branch, and with `local` what your checkout has on top of its last commit. Findings have a file, a line, a severity
    and a confidence. They are posted as one review, once for each commit; without a forge, and of local changes, they
    are written to .locus/artifacts. A pull request of your own account gets comments and no verdict.

    \b
    Examples:
      locus review
      locus review 12 --provider codex
      locus review local --staged
    """
    if staged and target != LOCAL:
        raise click.UsageError("--staged belongs to `locus review local`.")
    if target == LOCAL and (again or no_post):
        raise click.UsageError("Local changes are reviewed each time, and never posted.")
    out = Output(here)
    stage = _stage(here, Wish(**wish))

    outcome = Outcome()

    async def work(stop: asyncio.Event) -> None:
        room = tokens or project.load(stage.root).review_tokens
        reviewing = Reviewing(
            stage=stage,
            out=out,
            stop=stop,
            tokens=room,
            made=lambda review: _show(out, review),
            again=again,
            post=not no_post,
            outcome=outcome,
        )
        await (reviewing.local(staged=staged) if target == LOCAL else reviewing.remote(target))

    with Interrupts() as interrupts:
        try:
            sessions.run(interrupts.during(work))
        except KeyboardInterrupt:
            if out.json_wanted or outcome.already or outcome.failed:
                _say(out, outcome)  # what was posted until then is posted
            raise
    _say(out, outcome)
    verdicts = [*(one.verdict for one in outcome.reviews), *(one.verdict for one in outcome.already)]
    asked_for = Verdict.REQUEST_CHANGES in verdicts
    return 1 if outcome.failed or (exit_code and asked_for) else 0


def _stage(here: Invocation, wish: Wish) -> Stage:
    """Who reviews: what the flags say, else what the project says of reviewers, else who works."""
    settings = sessions.settings(here)
    provider = wish.provider or settings.review_provider
    stage = prepare(here, replace(wish, provider=provider), command="review", read_only=True)
    model = wish.model or settings.review_model
    if model is None and settings.provider == stage.provider.NAME:
        model = settings.model
    # The model of one agent means nothing to another.
    return replace(stage, settings=replace(stage.settings, model=model))


def _show(out: Output, review: Kept) -> None:
    if not out.json_wanted:
        review_view.show(out, review)
        review_view.told(out, review)


def _say(out: Output, outcome: Outcome) -> None:
    if out.json_wanted:
        out.json(outcome)
        return
    for one in outcome.already:
        where = f": {one.url}" if one.url else ""
        said = f" ({TITLES[one.verdict]})" if one.verdict else ""
        out.line(Cell("= ", "dim"), f"{one.what} was reviewed at {one.head[:7]} already{said}{where}")
    if outcome.already and not outcome.reviews:
        out.note("Have it reviewed once more: locus review … --again")
    for failure in outcome.failed:
        review_view.failed(out, failure)
