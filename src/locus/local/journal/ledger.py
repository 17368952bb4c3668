"""The ledger: what agents took on this machine, day by day, written to the disk after each answer of a model.

All workers of a user write to the same one, so that a limit of a day holds for all of them together, and after a crash.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from msgspec import Struct
from msgspec.structs import astuple

BUSY = 10.0  # seconds to wait for another worker of this machine that writes
KEPT = timedelta(days=100)
LEDGER = "ledger.sqlite3"  # in the state directory

SCHEMA = """
    CREATE TABLE IF NOT EXISTS spent (
        attempt TEXT NOT NULL, day TEXT NOT NULL, run TEXT NOT NULL, budget TEXT NOT NULL, task_id TEXT,
        turns INTEGER NOT NULL, usd REAL NOT NULL, seconds REAL NOT NULL,
        input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
        PRIMARY KEY (attempt, day)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS spent_by_day ON spent (day);
    CREATE INDEX IF NOT EXISTS spent_by_run ON spent (run);
    CREATE INDEX IF NOT EXISTS spent_by_budget ON spent (budget);
    CREATE INDEX IF NOT EXISTS spent_by_task ON spent (task_id);
"""
ADD = """
    INSERT INTO spent (attempt, day, run, budget, task_id, turns, usd, seconds,
                       input_tokens, cached_tokens, output_tokens)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (attempt, day) DO UPDATE SET turns = turns + excluded.turns, usd = usd + excluded.usd,
        seconds = seconds + excluded.seconds, input_tokens = input_tokens + excluded.input_tokens,
        cached_tokens = cached_tokens + excluded.cached_tokens, output_tokens = output_tokens + excluded.output_tokens
"""
SUM = """
    SELECT coalesce(sum(turns), 0), coalesce(sum(usd), 0.0), coalesce(sum(seconds), 0.0),
           coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(output_tokens), 0)
"""


class Amounts(Struct, frozen=True):
    """What agents took. `usd` is what is known of it: a model without a price costs nothing here."""

    turns: int = 0
    usd: float = 0.0
    seconds: float = 0.0  # that agents worked
    input_tokens: int = 0  # cached or not
    cached_tokens: int = 0  # of them, read from a cache
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All of them: what a limit of tokens counts."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


class Account(Struct, frozen=True):
    """For what something was taken. `budget` is shared by the attempts that a limit of a task counts together."""

    attempt: str
    run: str
    budget: str
    task_id: UUID | None = None


class Ledger:
    """The ledger of one user on one machine. What was added is on the disk when `add` returns."""

    def __init__(self, path: Path, *, today: Callable[[], date] = date.today) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._path = path
        self._today = today
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")  # several workers may be the first
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            _tell_tokens_apart(db)
            db.execute("DELETE FROM spent WHERE day < ?", ((self._today() - KEPT).isoformat(),))
            db.execute("COMMIT")

    def add(self, account: Account, taken: Amounts) -> None:
        """Write down what was taken since the last time."""
        where = (account.attempt, self._today().isoformat(), account.run, account.budget)
        task_id = None if account.task_id is None else str(account.task_id)
        with self._open() as db:
            db.execute(ADD, (*where, task_id, *astuple(taken)))

    def of_attempt(self, attempt: str) -> Amounts:
        """What one attempt took."""
        return self._sum("FROM spent WHERE attempt = ?", attempt)

    def of_budget(self, budget: str) -> Amounts:
        """What the attempts that share a budget took."""
        return self._sum("FROM spent WHERE budget = ?", budget)

    def of_run(self, run: str) -> Amounts:
        """What one run took."""
        return self._sum("FROM spent WHERE run = ?", run)

    def of_today(self) -> Amounts:
        """What all runs of this user on this machine took since midnight, local time."""
        return self._sum("FROM spent WHERE day = ?", self._today().isoformat())

    def budget_of(self, task_id: UUID) -> str | None:
        """The budget that the last attempt at a task took from."""
        with self._open() as db:
            row = db.execute(
                "SELECT budget FROM spent WHERE task_id = ? ORDER BY rowid DESC LIMIT 1", (str(task_id),)
            ).fetchone()
        return None if row is None else str(row[0])

    def _sum(self, of: str, value: str) -> Amounts:
        with self._open() as db:
            return Amounts(*db.execute(SUM + of, (value,)).fetchone())

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = FULL")
            yield db


def _tell_tokens_apart(db: sqlite3.Connection) -> None:
    """A ledger from before had one number of tokens, which limits count the same as input."""
    if any(column[1] == "tokens" for column in db.execute("PRAGMA table_info(spent)")):
        db.execute("ALTER TABLE spent RENAME COLUMN tokens TO input_tokens")
        for column in ("cached_tokens", "output_tokens"):
            db.execute(f"ALTER TABLE spent ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
