"""Limits as a person writes them, and as the terminal tells of them."""

import io
from datetime import UTC, datetime, timedelta

import click
import pytest
from rich.console import Console

from locus.cli.run.agent_words import agent_line, spent
from locus.cli.run.limits import NAMES, limit_flags, limits_of
from locus.cli.run.view import RunView
from locus.local.journal.limits import Caps, Limits
from locus.local.providers.base import Ending, Finished, Limit, Usage
from locus.local.settings import load
from locus.local.worker import told


def test_limits_of_the_command_line_have_the_names_and_amounts_of_the_settings() -> None:
    flags = limit_flags(["task_usd=2.50", "run-minutes=480", "day_tokens=1000000"])

    settings = load(flags=flags, environ={"LOCUS_CONFIG_DIR": "/nonexistent", "LOCUS_TASK_TURNS": "40"})
    assert limits_of(settings) == Limits(
        task=Caps(turns=40, usd=2.5), run=Caps(minutes=480), day=Caps(tokens=1_000_000)
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["task_usd"], "NAME=AMOUNT"),
        (["task_usd="], "NAME=AMOUNT"),
        (["task_eur=5"], "There are: "),
        (["task_usd=-5"], "must be an amount of US dollars"),
        (["task_usd=1e3"], "must be an amount of US dollars"),
        (["task_usd=nan"], "must be an amount of US dollars"),
        (["run_turns=0"], "must be a whole number"),
        (["run_turns=5", "run-turns=6"], "given twice"),
        (["on_limit=wait"], "there is no limit on_limit"),
    ],
)
def test_a_limit_that_is_written_wrongly_is_refused_with_what_to_write(given: list[str], said: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        limit_flags(given)

    assert said in refused.value.message


def test_every_limit_can_be_given_to_one_run() -> None:
    assert {f"{scope}_{kind}" for scope in ("task", "run", "day") for kind in ("turns", "tokens", "usd")} < set(NAMES)


def shown(*events: told.Told) -> str:
    out = io.StringIO()
    with RunView(Console(file=out, width=100)) as view:
        for event in events:
            view.tell(event)
    return out.getvalue()


def test_the_terminal_says_until_when_it_waits_and_that_no_task_is_held() -> None:
    until = datetime.now(UTC) + timedelta(minutes=1)
    later = datetime.now(UTC) + timedelta(days=3)

    assert f"until {until.astimezone():%H:%M}: the usage limit of claude" in shown(
        told.Parked(provider="claude", until=until, known=True)
    )
    assert f"{later.astimezone():%a %d %b %H:%M}" in shown(told.Parked(provider="claude", until=later, known=True))
    assert "does not say when" in shown(told.Parked(provider="codex", until=until, known=False))


def test_the_terminal_tells_sleep_outage_and_return() -> None:
    said = shown(told.Slept(seconds=12_000), told.ServerSilent(seconds=100), told.ServerBack())

    assert "slept for 3 h 20 min" in said
    assert "goes on for 1 min 40 s, then it is parked" in said
    assert "answers again" in said


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (Usage(1000, 800, 40, 0.05), "1,040 tokens, $0.05"),
        (Usage(1000, 800, 40, 0.05, by_list=True), "1,040 tokens, $0.05 by list prices"),
        (Usage(1000, 800, 40, 0.004), "1,040 tokens, less than $0.01"),
        (Usage(1000, 800, 40), "1,040 tokens, cost unknown"),
        (Usage(), ""),
    ],
)
def test_a_cost_says_where_it_is_from(usage: Usage, said: str) -> None:
    finished = Finished(Ending.DONE, "", session=None, usage=usage, turns=0, resets_at=None, exit=None)

    assert spent(finished) == said


def test_an_allowance_that_is_nearly_used_up_is_worth_a_line() -> None:
    line = agent_line(Limit(kind="five_hour", resets_at=None, rejected=False, utilization=0.93))

    assert line is not None and line.startswith("93% of the five hour usage limit")
    assert agent_line(Limit(kind="five_hour", resets_at=None, rejected=False, utilization=0.5)) is None
