"""Limits of turns, tokens, money and time: kept while the agent works, at most one answer beyond them."""

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from tests.support.agent_rigs import ClaudeRig, CodexRig, Rig
from tests.support.model_server import Says
from tests.support.workshop import IDENTITY, Ran, Workshop, one_of

from locus.local.journal import LEDGER, Account, Amounts, Ledger
from locus.local.journal.limits import Caps, Limits
from locus.local.prices import shipped
from locus.local.providers.base import Finished, Spent
from locus.local.sessions.spending import UNCOUNTED
from locus.local.worker import told
from locus.local.worker.outcome import Failed, Released
from locus.wire.tasks import BlockedReason, Status
from locus.wire.work import FailReason, ReleaseReason

RIGS = {"claude": ClaudeRig, "codex": CodexRig}
THINKS = 0.5  # seconds that the model takes for an answer; real ones take several
# What one answer of the scripted models takes, in tokens and, at list prices, in US dollars.
TOKENS = {"claude": 2630, "codex": 1040}
MODEL = {"claude": "claude-sonnet-5-5", "codex": "gpt-5.5"}
USD = {"claude": 0.00195, "codex": 0.0026}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, shop: Workshop) -> Rig:
    return RIGS[request.param](shop.place / "agent")


async def worked(shop: Workshop, rig: Rig, limits: Limits, *, turns: int = 99) -> tuple[Ran, int]:
    """A run whose agent has so many answers to give, and how many it was asked for."""
    script = [rig.runs(f"echo {number} > work.txt") for number in range(1, turns)]
    with rig.server([*script, Says("Done.")]) as served:
        served.thinks = THINKS
        shop.environment |= {**rig.environment(served.url), **IDENTITY}
        ran = await shop.run(rig.provider, limits=limits, model=MODEL[rig.name])
        return ran, len(served.requests)


def taken(shop: Workshop) -> Amounts:
    return Ledger(shop.state / LEDGER).of_today()


@pytest.mark.real_agent
@pytest.mark.parametrize("kind", ["turns", "tokens", "usd"])
async def test_a_task_that_reaches_its_limit_is_ended_at_most_one_answer_later(
    shop: Workshop, rig: Rig, kind: str
) -> None:
    task = await shop.task("Never finished")
    # Two answers and a half; of turns, three.
    most = {"turns": 3, "tokens": int(TOKENS[rig.name] * 2.5), "usd": USD[rig.name] * 2.5}[kind]

    ran, asked = await worked(shop, rig, Limits(task=Caps(**{kind: most})))

    outcome = one_of([one.outcome for one in ran.of(told.TaskEnded)])
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailReason.BUDGET
    assert f"task_{kind}" in outcome.detail
    assert outcome.parked is not None, "what it did is kept"
    now = await shop.now(task)
    assert (now.status, now.blocked_reason) == (Status.BLOCKED, BlockedReason.NEEDS_INPUT)
    # The third answer reaches the limit; the fourth may have been asked for before the agent heard of it.
    assert 3 <= asked <= 4
    spent = taken(shop)
    assert 3 <= spent.turns <= 4
    assert TOKENS[rig.name] * 3 <= spent.tokens <= TOKENS[rig.name] * 4
    assert USD[rig.name] * 2.99 <= spent.usd <= USD[rig.name] * 4.01
    assert outcome.numbers.usd_micros == pytest.approx(spent.usd * 1e6, abs=2)


@pytest.mark.real_agent
async def test_an_agent_that_is_done_at_its_limit_keeps_what_it_did(shop: Workshop, rig: Rig) -> None:
    task = await shop.task("Finished in two")

    ran, _ = await worked(shop, rig, Limits(task=Caps(turns=2)), turns=2)

    assert ran.result.succeeded
    assert (await shop.now(task)).status is Status.IN_REVIEW


@pytest.mark.real_agent
async def test_a_limit_of_the_run_gives_the_task_back_and_ends_the_run(shop: Workshop, rig: Rig) -> None:
    task = await shop.task("Never finished")

    ran, _ = await worked(shop, rig, Limits(run=Caps(turns=2)))

    outcome = one_of([one.outcome for one in ran.of(told.TaskEnded)])
    assert isinstance(outcome, Released)
    assert (outcome.reason, outcome.parked) == (
        ReleaseReason.STOPPED,
        f"refs/locus/parked/{shop.server.workspace.id}/WEB-1/1",
    )
    assert not ran.result.succeeded
    assert "2 turns for this run" in ran.result.why
    now = await shop.now(task)
    assert (now.status, now.attempts) == (Status.BACKLOG, 0)


@pytest.mark.real_agent
async def test_a_limit_of_the_day_counts_what_earlier_runs_took(shop: Workshop) -> None:
    rig = ClaudeRig(shop.place / "agent")
    await shop.task("First")
    await worked(shop, rig, Limits(), turns=3)
    task = await shop.task("Second")

    ran, asked = await worked(shop, rig, Limits(day=Caps(tokens=3 * TOKENS["claude"])))

    assert asked == 0, "nothing is claimed and nobody asked"
    assert not ran.result.succeeded
    assert "tokens for today" in ran.result.why and "day_tokens" in ran.result.why
    assert (await shop.now(task)).fence == 0


@pytest.mark.real_agent
async def test_what_claude_says_of_its_cost_outranks_the_list_and_what_codex_took_is_priced_by_it(
    shop: Workshop, rig: Rig
) -> None:
    await shop.task("Finished in two")

    ran, _ = await worked(shop, rig, Limits(), turns=2)

    finished = one_of([one.event for one in ran.of(told.AgentEvent) if isinstance(one.event, Finished)])
    assert finished.usage.by_list == (rig.name == "codex")
    assert finished.usage.usd == pytest.approx(USD[rig.name] * 2)
    assert taken(shop).usd == pytest.approx(USD[rig.name] * 2)
    assert [one.event for one in ran.of(told.AgentEvent) if isinstance(one.event, Spent)] != []


@pytest.mark.real_agent
async def test_a_model_without_a_price_is_counted_in_tokens_and_that_is_said_once(shop: Workshop) -> None:
    rig = CodexRig(shop.place / "agent")
    await shop.task("Finished in three")
    with rig.server([rig.runs("echo 1 > one.txt"), rig.runs("echo 2 > two.txt"), Says("Done.")]) as served:
        shop.environment |= {**rig.environment(served.url), **IDENTITY}
        ran = await shop.run(rig.provider, model="gpt-nobody-knows", limits=Limits(task=Caps(usd=0.001)))

    notes = [one.text for one in ran.of(told.Note) if "No price is known for gpt-nobody-knows" in one.text]
    assert len(notes) == 1
    assert ran.result.succeeded
    spent = taken(shop)
    assert (spent.tokens, spent.usd) == (3 * TOKENS["codex"], 0.0)


async def test_an_agent_that_tells_nothing_is_held_by_time_alone_and_that_is_said(shop: Workshop) -> None:
    await shop.task("Write a file")

    ran = await shop.run(
        shop.agent("pathlib.Path('one.txt').touch(); pathlib.Path('one.txt').write_text('1')"),
        limits=Limits(task=Caps(turns=1)),
    )

    assert ran.result.succeeded
    assert UNCOUNTED in [one.text for one in ran.of(told.Note)]


async def test_the_minutes_of_agents_in_a_day_are_counted_and_kept(shop: Workshop) -> None:
    await shop.task("Hang")
    Ledger(shop.state / LEDGER).add(account_of("earlier"), Amounts(seconds=59.0))

    ran = await shop.run(shop.agent("print('busy', flush=True); time.sleep(600)"), limits=Limits(day=Caps(minutes=1)))

    assert isinstance(one_of([one.outcome for one in ran.of(told.TaskEnded)]), Released)
    assert "day_minutes" in ran.result.why
    assert taken(shop).seconds > 59.5


async def test_the_minutes_of_a_run_end_it_wherever_it_is(shop: Workshop) -> None:
    task = await shop.task("Hang")
    run = shop.worker(shop.agent("print('busy', flush=True); time.sleep(600)"))
    run.ending.after(1 / 60, run._out_of_time)  # type: ignore[arg-type]  # a minute is too long for a test

    result = await run.run()
    await run.work.plane.__aexit__(None, None, None)

    assert not result.succeeded
    assert "run_minutes" in result.why
    assert (await shop.now(task)).attempts == 0


def account_of(attempt: str, *, run: str = "run", budget: str = "budget") -> Account:
    return Account(attempt, run, budget)


def test_a_day_begins_at_midnight_and_survives_the_end_of_the_process(tmp_path: Path) -> None:
    today = date(2026, 11, 22)
    ledger = Ledger(tmp_path / "ledger.sqlite3", today=lambda: today)
    ledger.add(account_of("one"), Amounts(turns=2, input_tokens=10, usd=0.5))
    ledger.add(account_of("one"), Amounts(turns=1, output_tokens=5, usd=0.25))

    again = Ledger(tmp_path / "ledger.sqlite3", today=lambda: today)
    tomorrow = Ledger(tmp_path / "ledger.sqlite3", today=lambda: date(2026, 11, 23))
    tomorrow.add(account_of("one"), Amounts(turns=7))

    assert again.of_today() == Amounts(turns=3, input_tokens=10, output_tokens=5, usd=0.75)
    assert again.of_today().tokens == 15
    assert tomorrow.of_today().turns == 7
    assert tomorrow.of_budget("budget").turns == tomorrow.of_run("run").turns == 10


def test_a_ledger_from_before_tokens_were_told_apart_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            """CREATE TABLE spent (attempt TEXT NOT NULL, day TEXT NOT NULL, run TEXT NOT NULL, budget TEXT NOT NULL,
                   task_id TEXT, turns INTEGER NOT NULL, tokens INTEGER NOT NULL, usd REAL NOT NULL,
                   seconds REAL NOT NULL, PRIMARY KEY (attempt, day)) STRICT"""
        )
        db.execute("INSERT INTO spent VALUES ('one', ?, 'run', 'budget', NULL, 2, 100, 0.5, 1)", (str(date.today()),))
        db.commit()

    ledger = Ledger(path)
    ledger.add(account_of("one"), Amounts(turns=1, input_tokens=10, output_tokens=5))

    assert ledger.of_run("run") == Amounts(turns=3, usd=0.5, seconds=1.0, input_tokens=110, output_tokens=5)


def test_the_list_prices_what_claude_prices() -> None:
    """Each recorded run of claude says what it cost; the list comes to the same."""
    recordings = Path(__file__).parents[2] / "recordings"
    compared = 0
    for path in recordings.glob("claude-*/*.jsonl"):
        for line in path.read_text().splitlines():
            for model, used in (json.loads(line).get("model_usage_since_last_result") or {}).items():
                price = shipped().find(model)
                assert price is not None, model
                written, cached = used["cacheCreationInputTokens"], used["cacheReadInputTokens"]
                cost = price.of(
                    input=used["inputTokens"] + written + cached,
                    cached=cached,
                    written=written,
                    output=used["outputTokens"],
                )
                assert cost == pytest.approx(used["costUSD"]), path.name
                compared += 1
    assert compared > 5
