"""How somebody gets onto the list: a code that the terminal shows, typed to the bot once, within ten minutes."""

import hashlib
import secrets
import time
from collections.abc import Callable

from locus.telegram.store import Store

LASTS = 600.0  # seconds
TRIES = 5  # wrong codes from anybody, after which a code is worth nothing any more
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 10


class Enrolment:
    """Makes codes and takes them. Only their hashes are kept."""

    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def make(self) -> str:
        """A new code, in place of any other."""
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        with self._store.begin() as db:
            db.execute("DELETE FROM codes")
            db.execute("INSERT INTO codes VALUES (?, ?, 0)", (_hash(code), self._now() + LASTS))
        return f"{code[:5]}-{code[5:]}"

    @property
    def open(self) -> bool:
        """Whether there is a code that somebody may type."""
        found = self._store.db.execute("SELECT 1 FROM codes WHERE expires > ? AND tries < ?", (self._now(), TRIES))
        return found.fetchone() is not None

    def take(self, text: str) -> bool:
        """Whether this text is the code; it is used up by that, and worn out by wrong ones."""
        typed = text.strip().removeprefix("/start").replace("-", "").replace(" ", "").upper()
        with self._store.begin() as db:
            taken = db.execute(
                "DELETE FROM codes WHERE hash = ? AND expires > ? AND tries < ? RETURNING hash",
                (_hash(typed), self._now(), TRIES),
            ).fetchone()
            if taken is None:
                db.execute("UPDATE codes SET tries = tries + 1")
        return taken is not None


def _hash(code: str) -> str:
    # Fifty random bits for ten minutes and five tries: a slow hash would protect nothing more.
    return hashlib.sha256(code.encode()).hexdigest()
