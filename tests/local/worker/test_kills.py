"""What workers leave behind that were killed before they had the answer to a claim, or beside their agent."""

import subprocess
import sys
from typing import Any
from uuid import UUID, uuid4

import msgspec
from tests.support.workshop import Ran, Workshop, one_of

from locus.local.journal import LEDGER, Account, Amounts, Entry, HeldChange, Journal, Ledger, OpenClaim
from locus.local.worker import told
from locus.local.worker.agent import registration
from locus.local.worker.loop import JOURNAL
from locus.local.worker.recovery import FREE_KILLS, Recovery
from locus.wire.tasks import BlockedReason, Status
from locus.wire.work import Claim, Claimed, FailReason, OutcomeKind

# Writes into the journal and dies: its entries are those of a killed worker.
WRITER = """
import os, signal, sys, msgspec
from pathlib import Path
from locus.local.journal import Entry, Journal, OpenClaim
journal, kind, text, at_agent = Journal(Path(sys.argv[1])), sys.argv[2], sys.argv[3], sys.argv[4] == "True"
if kind == "claim":
    journal.claims.begin(msgspec.json.decode(text, type=OpenClaim, dec_hook=lambda kind, value: kind(value)))
else:
    entry = msgspec.json.decode(text, type=Entry, dec_hook=lambda kind, value: kind(value))
    journal.begin(entry)
    journal.at_agent(entry.marker, at_agent)
os.kill(os.getpid(), signal.SIGKILL)
"""


def left_behind(shop: Workshop, what: Entry | OpenClaim, *, at_agent: bool = False) -> None:
    """Have it in the journal as of a worker that was killed."""
    kind = "claim" if isinstance(what, OpenClaim) else "attempt"
    text = msgspec.json.encode(what, enc_hook=str).decode()
    command = [sys.executable, "-c", WRITER, str(shop.state / JOURNAL), kind, text, str(at_agent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr


async def claimed(shop: Workshop, key: str, **fields: Any) -> tuple[UUID, Claimed]:
    """What a worker got that was killed before it read of it: its agent, and the answer."""
    work = shop.workplace(shop.agent("pass"))
    async with work.plane:
        agent = await work.plane.agents.register(registration(work))
        return agent.id, await work.plane.dispatch.claim(Claim(agent_id=agent.id, **fields), idempotency_key=key)


def open_claim(shop: Workshop, agent_id: UUID, key: str, held: HeldChange | None = None) -> OpenClaim:
    workspace_id = shop.server.workspace.id
    return OpenClaim(key=key, workspace_id=workspace_id, root=shop.checkout.root, agent_id=agent_id, held=held)


async def recovered(shop: Workshop) -> Ran:
    """Settle what was left behind, as a new run does first."""
    run = shop.worker(shop.agent("pass"))
    async with run.work.plane:
        await Recovery(run.work, run.journal).run()
    return Ran(None, list(shop.said))  # type: ignore[arg-type]


async def test_a_task_whose_claim_was_answered_to_nobody_is_done_by_the_next_run_at_once(shop: Workshop) -> None:
    task, key = await shop.task("Write one"), str(uuid4())
    agent_id, answer = await claimed(shop, key)
    assert answer.lease is not None
    left_behind(shop, open_claim(shop, agent_id, key))

    ran = await shop.run(shop.agent("pathlib.Path('one.txt').touch()"))

    assert one_of(ran.of(told.Recovered)).key == "WEB-1"
    now = await shop.now(task)
    assert (now.status, now.fence, now.attempts) == (Status.IN_REVIEW, 2, 1)
    outcomes = [one.outcome async for one in shop.plane.tasks.attempts(task.id)]
    assert outcomes == [OutcomeKind.COMPLETED, OutcomeKind.RELEASED]
    assert Journal(shop.state / JOURNAL).claims.left_behind() == []


async def test_a_claim_that_never_arrived_gets_nothing_when_it_is_repeated(shop: Workshop) -> None:
    agent_id, answer = await claimed(shop, str(uuid4()))
    assert answer.lease is None
    task = await shop.task("Write one")
    left_behind(shop, open_claim(shop, agent_id, str(uuid4())))

    ran = await recovered(shop)

    assert ran.of(told.Recovered) == []
    assert ((await shop.now(task)).status, (await shop.now(task)).fence) == (Status.BACKLOG, 0)
    assert Journal(shop.state / JOURNAL).claims.left_behind() == []


async def test_a_run_leaves_no_claim_behind_and_has_its_claim_in_the_journal_while_it_asks(shop: Workshop) -> None:
    await shop.task("Write one")
    look = f"import sqlite3\ndb = sqlite3.connect({str(shop.state / JOURNAL)!r})\n"
    look += "rows = [db.execute(f'SELECT count(*) FROM {t}').fetchone()[0] for t in ('claims', 'attempts')]\n"
    look += "at_agent = db.execute('SELECT at_agent FROM attempts').fetchone()[0]\n"
    look += f"pathlib.Path({str(shop.place / 'seen')!r}).write_text(str([*rows, at_agent]))\n"

    await shop.run(shop.agent(look + "pathlib.Path('one.txt').touch()"))

    assert (shop.place / "seen").read_text() == "[0, 1, 1]"  # the attempt has taken the claim's place, its agent runs
    journal = Journal(shop.state / JOURNAL)
    assert journal._database.rows("SELECT * FROM claims") == []


async def kill(shop: Workshop, *, at_agent: bool) -> told.Recovered:
    """A worker claims, is killed, and the next run settles it."""
    _, answer = await claimed(shop, str(uuid4()))
    assert answer.lease is not None, "there is nothing to claim"
    entry = Entry(
        marker=str(uuid4()),
        workspace_id=shop.server.workspace.id,
        task_id=answer.lease.task_id,
        key="WEB-1",
        fence=answer.lease.fence,
        root=shop.checkout.root,
        slot="1",
        branch="locus/sprint-1",
    )
    left_behind(shop, entry, at_agent=at_agent)
    # Answer by answer, before the kill.
    taken = Amounts(turns=3, usd=0.25, seconds=4.5, input_tokens=1000, cached_tokens=800, output_tokens=200)
    Ledger(shop.state / LEDGER).add(Account(entry.marker, "a run", entry.marker, entry.task_id), taken)
    return one_of((await recovered(shop)).of(told.Recovered))


async def test_an_agent_that_kills_its_worker_each_time_uses_up_its_attempts(shop: Workshop) -> None:
    task = await shop.task("Kill the worker")

    counted = [(await kill(shop, at_agent=True)).kills for _ in range(FREE_KILLS + 3)]

    assert counted == [*([0] * FREE_KILLS), *range(FREE_KILLS + 1, FREE_KILLS + 4)]
    now = await shop.now(task)
    assert (now.status, now.blocked_reason) == (Status.BLOCKED, BlockedReason.ATTEMPTS_EXHAUSTED)
    attempts = [one async for one in shop.plane.tasks.attempts(task.id)]
    reasons = [one.fail_reason for one in attempts]
    assert reasons == [FailReason.AGENT_CRASHED] * 3 + [None] * FREE_KILLS
    numbers = [one.numbers for one in attempts]
    took = [(one.turns, one.usd_micros, one.agent_ms) for one in numbers if one is not None]
    tokens = [(one.input_tokens, one.cached_tokens, one.output_tokens) for one in numbers if one is not None]
    assert took == [(3, 250_000, 4_500)] * len(attempts), "what was taken by then is told"
    assert tokens == [(1000, 800, 200)] * len(attempts)


async def test_kills_of_a_worker_whose_agent_did_not_run_use_up_nothing(shop: Workshop) -> None:
    task = await shop.task("Write one")

    counted = [(await kill(shop, at_agent=False)).kills for _ in range(FREE_KILLS + 2)]

    assert not any(counted)
    assert (await shop.now(task)).attempts == 0


async def test_an_attempt_that_ended_by_itself_makes_earlier_kills_forgotten(shop: Workshop) -> None:
    task = await shop.task("Write one")
    for _ in range(FREE_KILLS):
        await kill(shop, at_agent=True)
    await shop.run(shop.agent("sys.exit(3)"), max_tasks=1)
    assert (await shop.now(task)).attempts == 1

    assert (await kill(shop, at_agent=True)).kills == 0
