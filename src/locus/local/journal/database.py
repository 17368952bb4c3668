"""The file of the journal: SQLite, whose every write is on the disk when it returns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

BUSY = 10.0  # seconds to wait for another worker of this machine that writes
CLOCK_SLACK = 1.0  # seconds; creation times of processes are rounded to clock ticks

ATTEMPTS = """
    CREATE TABLE attempts (
        marker TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, task_id TEXT NOT NULL,
        key TEXT NOT NULL, fence INTEGER NOT NULL, root TEXT NOT NULL, slot TEXT, branch TEXT NOT NULL,
        pid INTEGER NOT NULL, pid_started REAL NOT NULL, step TEXT NOT NULL, base TEXT, made TEXT,
        report_kind TEXT, report BLOB, updated REAL NOT NULL
    ) STRICT
"""
# `held` is the change that an attempt lets through, `at_agent` whether its agent runs. A claim lies here from before it
# is asked for until its task has a row of its own; `kills` counts, by task, workers that died beside their agents.
CLAIMS_AND_KILLS = """
    ALTER TABLE attempts ADD COLUMN held BLOB;
    ALTER TABLE attempts ADD COLUMN at_agent INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE claims (
        key TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, root TEXT NOT NULL, agent_id TEXT NOT NULL,
        sprint_id TEXT, held BLOB, pid INTEGER NOT NULL, pid_started REAL NOT NULL, updated REAL NOT NULL
    ) STRICT;
    CREATE TABLE kills (task_id TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT
"""
VERSIONS = (ATTEMPTS, CLAIMS_AND_KILLS)


class Database:
    """One file for all workers of one user on one machine. `pid` and `pid_started` name the process that writes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._path = path
        me = psutil.Process()
        self.pid, self.pid_started = me.pid, me.create_time()
        with self.open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")  # several workers may be the first
            have = db.execute("PRAGMA user_version").fetchone()[0]
            for version in VERSIONS[have:]:
                for statement in version.split(";"):
                    db.execute(statement)
            if have < len(VERSIONS):
                db.execute(f"PRAGMA user_version = {len(VERSIONS)}")
            db.execute("COMMIT")

    def write(self, *statements: tuple[str, *tuple[object, ...]]) -> None:
        """Execute statements with their values, all or none."""
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            for statement, *values in statements:
                db.execute(statement, values)
            db.execute("COMMIT")

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """What a statement finds."""
        with self.open() as db:
            return db.execute(statement, values).fetchall()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own: threads and crashes have nothing to share, and it costs a fraction of the fsync."""
        with closing(sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = FULL")
            yield db


def lives(pid: int, started: float) -> bool:
    """Whether the process that had this number then still runs."""
    try:
        return abs(psutil.Process(pid).create_time() - started) < CLOCK_SLACK
    except psutil.Error:
        return False
