"""What is known of contents, by their hash, and of the trees that have them: one SQLite file that can be made again."""

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from locus.local.codemap.digest import Digest, Symbol
from locus.local.codemap.reading import Stamp
from locus.local.errors import LocalError

# Raise it when the tables change, or what is read of a content: an older file is thrown away.
VERSION = 2
BUSY = 30.0  # seconds to wait for another process that writes
NAMES, WORDS = 4.0, 1.0  # what a word in a definition's name counts, and elsewhere in the content
ROOM = 500  # numbers in one statement
SPARE = 1_000  # contents that no tree has any more, before they are cleared away

_TABLES = f"""
CREATE TABLE trees (id INTEGER PRIMARY KEY, root BLOB NOT NULL UNIQUE);
CREATE TABLE contents (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, lines INTEGER NOT NULL, note TEXT,
    symbols BLOB NOT NULL, identifiers TEXT NOT NULL
);
CREATE TABLE definitions (name TEXT NOT NULL, content INTEGER NOT NULL, PRIMARY KEY (name, content)) WITHOUT ROWID;
CREATE INDEX definitions_of ON definitions (content);
CREATE TABLE files (
    id INTEGER PRIMARY KEY, tree INTEGER NOT NULL, path BLOB NOT NULL, content INTEGER, note TEXT,
    size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL,
    UNIQUE (tree, path)
);
CREATE INDEX files_with ON files (content);
CREATE VIRTUAL TABLE texts USING fts5 (names, words, tokenize = 'porter unicode61');
CREATE VIRTUAL TABLE paths USING fts5 (words, tokenize = 'porter unicode61');
PRAGMA user_version = {VERSION};
"""


class File(Struct, frozen=True):
    """A file of a tree. `content` is None when it was not read, and `note` says why."""

    id: int
    path: str
    content: int | None
    note: str | None
    stamp: Stamp


class Content(Struct, frozen=True):
    """What is known of a content."""

    lines: int
    note: str | None
    symbols: Sequence[Symbol]


class Damaged(LocalError):
    """The index was damaged, and has been thrown away: whoever opens it again makes a new one."""


class Store:
    """The open file. Use `opened`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, which others wait for."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def tree(self, root: Path) -> int:
        """The number of the tree at `root`, which is noted when it is new."""
        key = os.fsencode(root)
        self._db.execute("INSERT OR IGNORE INTO trees (root) VALUES (?)", (key,))
        return int(self._db.execute("SELECT id FROM trees WHERE root = ?", (key,)).fetchone()[0])

    def files(self, tree: int) -> dict[str, File]:
        """The files of a tree as they were when they were last looked at, by their paths."""
        rows = self._db.execute(
            "SELECT id, path, content, note, size, mtime, ctime, inode FROM files WHERE tree = ? ORDER BY path", (tree,)
        )
        return {(path := os.fsdecode(row[1])): File(row[0], path, row[2], row[3], tuple(row[4:])) for row in rows}

    def known(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Which of the contents were read before."""
        found: dict[bytes, int] = {}
        for part in _parts(list(hashes)):
            marks = ",".join("?" * len(part))
            found.update(self._db.execute(f"SELECT hash, id FROM contents WHERE hash IN ({marks})", part))  # noqa: S608
        return found

    def add(self, key: bytes, digest: Digest) -> int:
        """Keep what was read of a content."""
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO contents (hash, lines, note, symbols, identifiers) VALUES (?, ?, ?, ?, ?)",
            (key, digest.lines, digest.note, msgspec.msgpack.encode(digest.symbols), "\n".join(digest.identifiers)),
        )
        if cursor.rowcount == 0:  # another process was faster
            return self.known([key])[key]
        number = int(cursor.lastrowid or 0)
        self._db.executemany(
            "INSERT OR IGNORE INTO definitions VALUES (?, ?)", [(symbol.name, number) for symbol in digest.symbols]
        )
        self._db.execute(
            "INSERT INTO texts (rowid, names, words) VALUES (?, ?, ?)", (number, digest.names, digest.words)
        )
        return number

    def put(self, tree: int, path: str, stamp: Stamp, *, words: str, content: int | None, note: str | None) -> None:
        """Note a file of a tree; `words` are those of its path."""
        key = os.fsencode(path)
        self.drop(tree, [path])
        cursor = self._db.execute(
            "INSERT INTO files (tree, path, content, note, size, mtime, ctime, inode) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (tree, key, content, note, *stamp),
        )
        self._db.execute("INSERT INTO paths (rowid, words) VALUES (?, ?)", (cursor.lastrowid, words))

    def drop(self, tree: int, paths: Iterable[str]) -> None:
        """Forget files of a tree."""
        for path in paths:
            key = (tree, os.fsencode(path))
            self._db.execute("DELETE FROM paths WHERE rowid IN (SELECT id FROM files WHERE tree = ? AND path = ?)", key)
            self._db.execute("DELETE FROM files WHERE tree = ? AND path = ?", key)

    def clear_away(self) -> None:
        """Forget trees that are gone, and contents that no tree has, when they have become many."""
        for tree, root in self._db.execute("SELECT id, root FROM trees").fetchall():
            if not os.path.isdir(root):  # noqa: PTH112 - bytes
                self._db.execute("DELETE FROM paths WHERE rowid IN (SELECT id FROM files WHERE tree = ?)", (tree,))
                self._db.execute("DELETE FROM files WHERE tree = ?", (tree,))
                self._db.execute("DELETE FROM trees WHERE id = ?", (tree,))
        unused = "SELECT id FROM contents WHERE id NOT IN (SELECT content FROM files WHERE content IS NOT NULL)"
        if self._db.execute(f"SELECT count(*) FROM ({unused})").fetchone()[0] > SPARE:  # noqa: S608
            for table, key in (("texts", "rowid"), ("definitions", "content"), ("contents", "id")):
                self._db.execute(f"DELETE FROM {table} WHERE {key} IN ({unused})")  # noqa: S608

    # ---- questions

    def texts_with(self, words: Collection[str]) -> dict[int, float]:
        """How well the contents fit the words, by number; more is better."""
        return self._fitting("texts", f"bm25(texts, {NAMES}, {WORDS})", words)

    def paths_with(self, words: Collection[str]) -> dict[int, float]:
        """How well the paths of files fit the words, by the number of the file; more is better."""
        return self._fitting("paths", "bm25(paths)", words)

    def _fitting(self, table: str, score: str, words: Collection[str]) -> dict[int, float]:
        if not words:
            return {}
        asked = " OR ".join(f'"{word}"' for word in words)  # words have no quotes
        rows = self._db.execute(f"SELECT rowid, -{score} FROM {table} WHERE {table} MATCH ?", (asked,))  # noqa: S608
        return {number: max(points, 1e-6) for number, points in rows}

    def definitions(self) -> dict[str, str]:
        """Every name that is defined, and the numbers of the contents that do, with commas between them.

        There are tens of thousands, of which a question needs a few: whoever asks takes the numbers apart.
        """
        return dict(self._db.execute("SELECT name, group_concat(content) FROM definitions GROUP BY name"))

    def identifiers(self, content: int) -> list[str]:
        """The identifiers that a content has."""
        row = self._db.execute("SELECT identifiers FROM contents WHERE id = ?", (content,)).fetchone()
        return row[0].split("\n") if row else []

    def contents(self, numbers: Collection[int]) -> dict[int, Content]:
        """What is known of contents, by number."""
        found: dict[int, Content] = {}
        for part in _parts(list(numbers)):
            marks = ",".join("?" * len(part))
            statement = f"SELECT id, lines, note, symbols FROM contents WHERE id IN ({marks})"  # noqa: S608
            for number, lines, note, symbols in self._db.execute(statement, part):
                found[number] = Content(lines, note, msgspec.msgpack.decode(symbols, type=list[Symbol]))
        return found

    def counts(self, numbers: Iterable[int]) -> Mapping[int, tuple[int, int, str | None]]:
        """Lines, definitions and the note of contents, by number."""
        wanted = set(numbers)
        rows = self._db.execute(
            "SELECT c.id, c.lines, (SELECT count(*) FROM definitions WHERE content = c.id), c.note FROM contents c"
        )
        return {number: (lines, defined, note) for number, lines, defined, note in rows if number in wanted}


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """The store in the file `path`, which is made when it is missing, of another version, or damaged.

    Raises LocalError when it cannot be written, and Damaged when that it is damaged shows only while it is used.
    """
    try:
        db = _whole(path)
    except (OSError, sqlite3.Error) as e:
        raise _trouble(path, e) from e
    with closing(db):
        try:
            yield Store(db)
        except sqlite3.DatabaseError as e:
            if e.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                _remove(path)
                raise _trouble(path, e, Damaged) from e
            raise _trouble(path, e) from e


def _trouble(path: Path, e: Exception, kind: type[LocalError] = LocalError) -> LocalError:
    return kind(
        f"The index {path} cannot be used: {e}.",
        remedy="Try again; when it stays so, check the space on the disk and the rights of its folder, or remove it.",
    )


def _whole(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _ready(path)
    except sqlite3.DatabaseError as e:
        if isinstance(e, sqlite3.OperationalError):
            raise  # busy, or no room: the file may be good
        _remove(path)
        return _ready(path)


def _ready(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    db = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")  # it can be made again
        db.execute("PRAGMA cache_size = -16000")  # KiB
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError("another version")
        if version == 0:
            with Store(db).writing():
                if db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    for statement in _TABLES.split(";\n"):
                        db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _parts(items: Sequence[bytes] | Sequence[int]) -> Iterator[Sequence[bytes] | Sequence[int]]:
    for at in range(0, len(items), ROOM):
        yield items[at : at + ROOM]
