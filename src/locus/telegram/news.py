"""News: what is told unasked, to whom and when. Held back while a chat is muted or quiet, and then told at once."""

import time
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from locus.telegram.desk import Desk
from locus.telegram.grammar import Delivery, Notice
from locus.telegram.markup import Line, pages
from locus.telegram.outbox import Rows
from locus.telegram.store import Store

DIGEST_AT = "18:00"  # of the machine's own day, where nobody says otherwise
MOST_TOLD = 40  # pieces of news in one digest


class Wishes(Struct, frozen=True):
    """How one chat wants its news."""

    store: Store
    chat: int

    @property
    def quiet(self) -> str | None:
        """The quiet hours, as 22:00-07:00."""
        return self.store.get(f"quiet:{self.chat}")

    def set_quiet(self, hours: str | None) -> None:
        self.store.put(f"quiet:{self.chat}", hours)

    def mute_until(self, moment: float | None) -> None:
        """Hold news back until then, in seconds since 1970; None is no longer."""
        self.store.put(f"mute:{self.chat}", None if moment is None else str(moment))

    def delivery(self, kind: Notice) -> Delivery:
        return Delivery(self.store.get(f"notify:{self.chat}:{kind}") or Delivery.ON)

    def deliver(self, kind: Notice, how: Delivery) -> None:
        self.store.put(f"notify:{self.chat}:{kind}", how)

    @property
    def digest_at(self) -> str:
        """When digests come, as 18:00 of the machine's own day."""
        return self.store.get(f"digest-at:{self.chat}") or DIGEST_AT

    def set_digest_at(self, clock: str) -> None:
        self.store.put(f"digest-at:{self.chat}", clock)

    def holds(self, now: float) -> bool:
        """Whether news are held back at this moment."""
        muted = self.store.get(f"mute:{self.chat}")
        if muted is not None and now < float(muted):
            return True
        return self.quiet is not None and within(self.quiet, datetime.fromtimestamp(now).astimezone())


def within(hours: str, moment: datetime) -> bool:
    """Whether a moment is within hours such as 22:00-07:00, which may go over midnight."""
    begin, end = hours.split("-")
    clock = f"{moment:%H:%M}"
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


def tell(
    desk: Desk,
    chat: int,
    kind: Notice,
    lines: Sequence[Line],
    *,
    buttons: Rows = (),
    once: str,
    now: float | None = None,
) -> None:
    """Tell a piece of news as the chat wants it; `once` names it, so that it is never told twice."""
    moment = time.time() if now is None else now
    wishes = Wishes(desk.store, chat)
    how = wishes.delivery(kind)
    if how is Delivery.OFF:
        return
    if how is Delivery.DIGEST or wishes.holds(moment):
        desk.store.db.execute(
            "INSERT INTO held (chat, kind, text, made) VALUES (?, ?, ?, ?)",
            (chat, kind.value, pages(lines, longest=1000)[0], moment),
        )
        return
    desk.outbox.say(chat, lines, buttons=buttons, once=f"news:{chat}:{once}")


def release(desk: Desk, chat: int, *, now: float) -> None:
    """Tell what was held back, as soon as it may be told: all in one message, those for the digest once a day."""
    wishes = Wishes(desk.store, chat)
    if wishes.holds(now):
        return
    day = datetime.fromtimestamp(now).astimezone()
    last = f"digest:{chat}"
    due = f"{day:%H:%M}" >= wishes.digest_at and desk.store.get(last) != f"{day:%Y-%m-%d}"
    kinds = [kind for kind in Notice if due or wishes.delivery(kind) is not Delivery.DIGEST]
    marks = ", ".join("?" for _ in kinds)
    with desk.store.begin() as db:
        rows = db.execute(
            f"DELETE FROM held WHERE chat = ? AND kind IN ({marks}) RETURNING text, made",  # noqa: S608 - marks alone
            (chat, *kinds),
        ).fetchall()
        if due:
            desk.store.put(last, f"{day:%Y-%m-%d}")
        if not rows:
            return
        rows.sort(key=lambda row: row["made"])
        told: list[Line] = [f"<b>Meanwhile</b>, {len(rows)} news"]
        for row in rows[-MOST_TOLD:]:
            told += [f"<i>{datetime.fromtimestamp(row['made']).astimezone():%H:%M}</i>", *row["text"].split("\n")]
        desk.outbox.say(chat, [*told, "", "/dashboard shows what waits for you."])
