"""Limits on the command line and in the settings, as a worker takes them."""

from collections.abc import Sequence

import click

from locus.local.journal.limits import Caps, Limits
from locus.local.settings import BY_NAME, LIMITS, Settings, Value

EXAMPLE = "task_usd=2.50, run_tokens=500000 or day_usd=20"
NAMES = tuple(setting.name for setting in LIMITS if setting.name != "on_limit")


def limit_flags(given: Sequence[str]) -> dict[str, Value]:
    """The settings that `--limit NAME=AMOUNT` names.

    Raises click.UsageError for a name that is no limit, and for an amount that it may not have.
    """
    flags: dict[str, Value] = {}
    for one in given:
        name, equals, amount = one.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not amount.strip():
            raise click.UsageError(f"--limit {one}: write it as NAME=AMOUNT, as in {EXAMPLE}.")
        if name not in NAMES:
            raise click.UsageError(f"--limit {one}: there is no limit {name}. There are: {', '.join(NAMES)}.")
        if name in flags:
            raise click.UsageError(f"--limit {name} is given twice.")
        try:
            flags[name] = BY_NAME[name].kind.from_text(amount.strip())
        except ValueError as e:
            raise click.UsageError(f"--limit {one}: it {e}.") from e
    return flags


def limits_of(settings: Settings) -> Limits:
    """The limits in force."""
    return Limits(
        task=Caps(turns=settings.task_turns, tokens=settings.task_tokens, usd=settings.task_usd),
        run=Caps(settings.run_turns, settings.run_tokens, settings.run_usd, settings.run_minutes),
        day=Caps(settings.day_turns, settings.day_tokens, settings.day_usd, settings.day_minutes),
    )
