"""What follow-ups may take: each task its own, the call and the day together."""

from pathlib import Path

from locus.local.journal import Account, Amounts, Ledger
from locus.local.journal.limits import Caps, Limits
from locus.local.worker.follow_purse import SHORTEST_WALL, FollowPurse


def test_limits_count_what_a_task_a_call_and_a_day_took(tmp_path: Path) -> None:
    ledger, now = Ledger(tmp_path / "ledger.sqlite3"), [0.0]
    limits = Limits(task=Caps(turns=3), run=Caps(turns=5, minutes=2), day=Caps(usd=1.0))
    purse = FollowPurse(ledger, limits, clock=lambda: now[0])
    ledger.add(Account("before", "a run", "WEB-1"), Amounts(turns=9))

    ledger.add(purse.account("WEB-1"), Amounts(turns=2, seconds=30.0))
    assert purse.over("WEB-1") is None
    assert purse.wall("WEB-1", 100.0) == 70.0, "rounds share the time of a task"
    ledger.add(purse.account("WEB-1"), Amounts(turns=1))
    over = purse.over("WEB-1")
    assert over is not None and over.name == "task_turns"
    assert purse.over("WEB-2") is None, "another task has a budget of its own"
    ledger.add(purse.account("WEB-2"), Amounts(turns=2))
    over = purse.over("WEB-2")
    assert over is not None and over.name == "run_turns", "of both tasks together"
    assert FollowPurse(ledger, limits).over("WEB-2") is None, "the next call begins anew"

    now[0] = 100.0
    assert purse.wall("WEB-3", 100.0) == 20.0, "the minutes of a call pass also where no agent works"
    now[0] = 500.0
    assert purse.wall("WEB-3", 100.0) == SHORTEST_WALL
    ledger.add(purse.account("WEB-3"), Amounts(usd=1.5))
    over = purse.over("WEB-3")
    assert over is not None and over.name == "day_usd"
