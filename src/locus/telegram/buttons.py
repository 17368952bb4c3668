"""Buttons: what a press means is kept here, and the phone only has a random word for it.

A word belongs to one person and has an end; what changes something is taken with its first press.
"""

import secrets
import time
from collections.abc import Callable

import msgspec

from locus.telegram.outbox import Button
from locus.telegram.presses import Press
from locus.telegram.store import Store

CONFIRM = 60.0  # seconds in which a destructive act can be confirmed
LASTS = 7 * 86_400.0  # seconds of any other button


class Buttons:
    """Makes buttons and takes presses."""

    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    def make(self, label: str, person: int, press: Press, *, lasts: float = LASTS, once: bool = True) -> Button:
        """A button for this person; `press` is what it means, `lasts` is in seconds."""
        token = f"b{secrets.token_urlsafe(12)}"
        self._store.db.execute(
            "INSERT INTO buttons (token, person, press, expires, once) VALUES (?, ?, ?, ?, ?)",
            (token, person, msgspec.json.encode(press).decode(), self._now() + lasts, int(once)),
        )
        return Button(label, token=token)

    def take(self, token: str, person: int) -> Press | None:
        """What a press means, if it still means anything; one that may happen once does not again."""
        row = self._store.db.execute(
            "UPDATE buttons SET used = used + 1 WHERE token = ? AND person = ? AND expires > ?"
            " AND (once = 0 OR used = 0) RETURNING press",
            (token, person, self._now()),
        ).fetchone()
        return None if row is None else msgspec.json.decode(row["press"], type=Press)
