"""What the bot must not forget, in one SQLite file: which updates were taken up, what is to be sent, buttons, jobs.

Every table has one owner among the modules of this package; here are the file, its schema and the small values.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from locus.local.errors import LocalError

BUSY = 10.0  # seconds to wait for `locus telegram setup`, which writes to the same file
KEPT = 30 * 86_400.0  # seconds that what is settled can still be looked at

SCHEMA = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE acts (
        update_id INTEGER PRIMARY KEY, person INTEGER NOT NULL, chat INTEGER NOT NULL, what TEXT NOT NULL,
        state TEXT NOT NULL, begun REAL NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, chat INTEGER NOT NULL, ref TEXT, method TEXT NOT NULL, body TEXT NOT NULL,
        once TEXT UNIQUE, state TEXT NOT NULL, not_before REAL NOT NULL, made REAL NOT NULL
    ) STRICT;
    CREATE INDEX outbox_waiting ON outbox (id) WHERE state IN ('waiting', 'sending');
    CREATE TABLE messages (
        ref TEXT NOT NULL, chat INTEGER NOT NULL, message_id INTEGER NOT NULL, PRIMARY KEY (ref, chat)
    ) STRICT;
    CREATE TABLE buttons (
        token TEXT PRIMARY KEY, person INTEGER NOT NULL, press TEXT NOT NULL, expires REAL NOT NULL,
        once INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE held (
        id INTEGER PRIMARY KEY, chat INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, made REAL NOT NULL
    ) STRICT;
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, argv TEXT NOT NULL,
        person INTEGER NOT NULL, chat INTEGER NOT NULL, marker TEXT NOT NULL, state TEXT NOT NULL,
        began REAL NOT NULL, ended REAL, said TEXT
    ) STRICT;
    CREATE TABLE codes (hash TEXT PRIMARY KEY, expires REAL NOT NULL, tries INTEGER NOT NULL) STRICT;
    PRAGMA user_version = 1;
"""


class Store:
    """The open file. Statements outside of `begin` are each a transaction of their own.

    Raises LocalError when the file cannot be opened, or was written by a newer Locus.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            path.touch(mode=0o600)
            self.db = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
            self.db.row_factory = sqlite3.Row
            self.db.execute("PRAGMA journal_mode = WAL")
            # What was said to have happened must still have happened after a power cut.
            self.db.execute("PRAGMA synchronous = FULL")
            with self.begin():
                version = self.db.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    for statement in SCHEMA.split(";"):
                        self.db.execute(statement)
        except (sqlite3.Error, OSError) as e:
            raise LocalError(f"{path} cannot be used: {e}.", remedy="Remove it; the bot then begins anew.") from e
        if version > 1:
            raise LocalError(f"{path} was written by a newer Locus.", remedy="Upgrade Locus.")

    @contextmanager
    def begin(self) -> Iterator[sqlite3.Connection]:
        """A transaction; one that is open already goes on."""
        if self.db.in_transaction:
            yield self.db
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def get(self, name: str) -> str | None:
        """A small value by name."""
        row = self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def put(self, name: str, value: str | None) -> None:
        """Keep a small value; None forgets it."""
        if value is None:
            self.db.execute("DELETE FROM facts WHERE name = ?", (name,))
        else:
            self.db.execute(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
            )

    def forget_old(self) -> None:
        """Let go of what was settled long ago."""
        before = time.time() - KEPT
        with self.begin() as db:
            db.execute("DELETE FROM acts WHERE state = 'done' AND begun < ?", (before,))
            db.execute("DELETE FROM outbox WHERE state IN ('sent', 'lost', 'refused') AND made < ?", (before,))
            db.execute("DELETE FROM buttons WHERE expires < ?", (time.time(),))
            db.execute("DELETE FROM jobs WHERE ended < ?", (before,))
            db.execute("DELETE FROM codes WHERE expires < ?", (time.time(),))

    def close(self) -> None:
        self.db.close()
