"""What is to be said, kept on the disk until it was: in order, each message once, at the pace that Telegram allows.

A message is marked before it is sent. When nobody can know whether it arrived (the bot was killed, the answer got
lost), it is not sent again, and the person is told that one may be missing. An edit says how a message should look, so
repeating it is harmless, and a newer one takes the place of one that still waits.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from locus.telegram.markup import Line, pages
from locus.telegram.store import Store

if TYPE_CHECKING:
    from telegram import Bot

PAUSES = (0.5, 2.0, 5.0, 15.0, 30.0)  # seconds before another try when Telegram cannot be reached
SETTLING = 20.0  # seconds; longer than one request takes
MISSING = "A message may be missing here: the bot was stopped, or lost its connection, while it sent it."


class Button(Struct, frozen=True):
    """A button below a message: one that says `token` when it is pressed, or opens `url`."""

    label: str
    token: str = ""
    url: str = ""


Rows = Sequence[Sequence[Button]]


class Outbox:
    """The queue, and the loop that empties it. `redact` goes over every text on its way in."""

    def __init__(self, store: Store, redact: Callable[[str], str], *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self.redact = redact
        self._now = now
        self._filled = asyncio.Event()
        self._flood_until = 0.0

    # ---- filling it

    def say(
        self,
        chat: int,
        lines: Sequence[Line] | str,
        *,
        buttons: Rows = (),
        ref: str | None = None,
        once: str | None = None,
        asks: bool = False,
        silent: bool = False,
    ) -> None:
        """Queue a message, in as many pages as it needs; the buttons are below the last.

        `ref` is a name by which `show` finds it later, `once` one that is never queued a second time, whatever
        happens; `asks` makes the phone open a reply to it.
        """
        texts = self._texts(lines)
        with self._store.begin() as db:
            for place, text in enumerate(texts):
                last = place == len(texts) - 1
                body = {"text": text, "silent": silent}
                if last:
                    body |= {"rows": _rows(buttons), "asks": asks}
                db.execute(
                    "INSERT OR IGNORE INTO outbox (chat, ref, method, body, once, state, not_before, made)"
                    " VALUES (?, ?, 'send', ?, ?, 'waiting', 0, ?)",
                    (chat, ref if last else None, json.dumps(body), once and f"{once}#{place}", self._now()),
                )
        self._filled.set()

    def show(self, chat: int, ref: str, lines: Sequence[Line] | str, *, buttons: Rows = (), after: float = 0.0) -> None:
        """Make the message called `ref` look like this, in `after` seconds at the earliest; say it when it is new."""
        text = self._texts(lines)[0]
        body = json.dumps({"text": text, "silent": False, "rows": _rows(buttons), "asks": False})
        with self._store.begin() as db:
            waiting = db.execute(
                "UPDATE outbox SET body = ? WHERE chat = ? AND ref = ? AND state = 'waiting'", (body, chat, ref)
            ).rowcount
            if not waiting:
                known = db.execute("SELECT 1 FROM messages WHERE chat = ? AND ref = ?", (chat, ref)).fetchone()
                sending = db.execute(
                    "SELECT 1 FROM outbox WHERE chat = ? AND ref = ? AND state = 'sending'", (chat, ref)
                ).fetchone()
                db.execute(
                    "INSERT INTO outbox (chat, ref, method, body, state, not_before, made)"
                    " VALUES (?, ?, ?, ?, 'waiting', ?, ?)",
                    (chat, ref, "edit" if known or sending else "send", body, self._now() + after, self._now()),
                )
        self._filled.set()

    def _texts(self, lines: Sequence[Line] | str) -> list[str]:
        said: Sequence[Line] = [lines] if isinstance(lines, str) else lines
        return [self.redact(page) for page in pages(said)] or ["(nothing)"]

    def message_id(self, chat: int, ref: str) -> int | None:
        """The number that Telegram gave to a message."""
        row = self._store.db.execute(
            "SELECT message_id FROM messages WHERE chat = ? AND ref = ?", (chat, ref)
        ).fetchone()
        return None if row is None else int(row["message_id"])

    def ref_of(self, chat: int, message_id: int) -> str | None:
        """The name of a message, if it has one."""
        row = self._store.db.execute(
            "SELECT ref FROM messages WHERE chat = ? AND message_id = ?", (chat, message_id)
        ).fetchone()
        return None if row is None else str(row["ref"])

    # ---- emptying it

    def recover(self) -> None:
        """Settle what an earlier bot was sending when it ended: edits wait again, messages are not sent twice."""
        with self._store.begin() as db:
            db.execute("UPDATE outbox SET state = 'waiting' WHERE state = 'sending' AND method = 'edit'")
            lost = db.execute("UPDATE outbox SET state = 'lost' WHERE state = 'sending' RETURNING chat, id").fetchall()
            for row in lost:
                self._say_missing(int(row["chat"]), int(row["id"]))

    async def deliver(self, bot: "Bot") -> None:
        """Send what waits, for ever. Raises InvalidToken when Telegram does not know the bot any more."""
        failures = 0
        while True:
            self._filled.clear()
            row = self._next()
            if row is None:
                await self._wait()
                continue
            failures = 0 if await self._one(bot, row) else failures + 1
            if failures:
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES)) - 1])

    async def known(self, chat: int, message_id: int) -> str | None:
        """The name of a message, if it has one; the answer to it may come before Telegram's receipt."""
        async with asyncio.timeout(SETTLING):
            while (ref := self.ref_of(chat, message_id)) is None:
                if self._store.db.execute("SELECT 1 FROM outbox WHERE state = 'sending'").fetchone() is None:
                    return None
                await asyncio.sleep(0.01)
        return ref

    async def drained(self, limit: float) -> None:
        """Wait until nothing waits, at most `limit` seconds."""
        end = asyncio.get_running_loop().time() + limit
        while asyncio.get_running_loop().time() < end:
            left = self._store.db.execute(
                "SELECT 1 FROM outbox WHERE state IN ('waiting', 'sending') AND not_before <= ? LIMIT 1",
                (self._now(),),
            ).fetchone()
            if left is None or self._flood_until > self._now() + limit:
                return
            await asyncio.sleep(0.02)

    def _next(self) -> Any:
        if self._now() < self._flood_until:
            return None
        return self._store.db.execute(
            "SELECT * FROM outbox WHERE state = 'waiting' AND not_before <= ? ORDER BY id LIMIT 1", (self._now(),)
        ).fetchone()

    async def _wait(self) -> None:
        due = self._store.db.execute("SELECT min(not_before) FROM outbox WHERE state = 'waiting'").fetchone()[0]
        limit = None if due is None else max(0.01, max(due, self._flood_until) - self._now())
        try:
            async with asyncio.timeout(limit):
                if self._flood_until > self._now():
                    await asyncio.sleep(self._flood_until - self._now())
                else:
                    await self._filled.wait()
        except TimeoutError:
            pass

    async def _one(self, bot: "Bot", row: Any) -> bool:
        """Send one; false when the network has to be given a pause."""
        from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

        self._set(row, "sending")
        try:
            message_id = await self._send(bot, row)
        except RetryAfter as e:
            seconds = e.retry_after if isinstance(e.retry_after, int | float) else e.retry_after.total_seconds()
            self._flood_until = self._now() + seconds
            self._set(row, "waiting")
            return True
        except InvalidToken:
            self._set(row, "waiting")
            raise
        except BadRequest as e:
            # An edit that changes nothing is done; anything else would be refused again.
            self._set(row, "sent" if "not modified" in e.message else "refused")
            return True
        except Forbidden:
            self._set(row, "refused")
            return True
        except NetworkError as e:
            if row["method"] == "edit" or _never_left(e):
                self._set(row, "waiting")
                return False
            with self._store.begin():
                self._set(row, "lost")
                self._say_missing(row["chat"], row["id"])
            return False
        except TelegramError:
            self._set(row, "refused")
            return True
        with self._store.begin() as db:
            self._set(row, "sent")
            if row["ref"] is not None and message_id is not None:
                db.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", (row["ref"], row["chat"], message_id))
        return True

    async def _send(self, bot: "Bot", row: Any) -> int | None:
        from telegram import ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions

        body = json.loads(row["body"])
        keyboard = [
            [InlineKeyboardButton(b["label"], callback_data=b["token"] or None, url=b["url"] or None) for b in line]
            for line in body.get("rows") or []
        ]
        inline = InlineKeyboardMarkup(keyboard) if keyboard else None
        preview = LinkPreviewOptions(is_disabled=True)
        if row["method"] == "edit":
            message_id = self.message_id(row["chat"], row["ref"])
            if message_id is not None:
                await bot.edit_message_text(
                    body["text"],
                    chat_id=row["chat"],
                    message_id=message_id,
                    parse_mode="HTML",
                    reply_markup=inline,
                    link_preview_options=preview,
                )
            return None
        sent = await bot.send_message(
            row["chat"],
            body["text"],
            parse_mode="HTML",
            reply_markup=ForceReply(input_field_placeholder="Your feedback") if body.get("asks") else inline,
            link_preview_options=preview,
            disable_notification=body["silent"],
        )
        return sent.message_id

    def _set(self, row: Any, state: str) -> None:
        self._store.db.execute("UPDATE outbox SET state = ? WHERE id = ?", (state, row["id"]))

    def _say_missing(self, chat: int, lost: int) -> None:
        self.say(chat, MISSING, once=f"missing:{lost}")


def _rows(buttons: Rows) -> list[list[dict[str, str]]]:
    return [[{"label": b.label, "token": b.token, "url": b.url} for b in row] for row in buttons]


def _never_left(error: Exception) -> bool:
    """Whether a request certainly did not reach Telegram: no connection was made."""
    import httpx

    return isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
