"""Which updates count. Pure: an update is from somebody on the list, in their own chat, now; or it is nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from locus.telegram.account import Person

if TYPE_CHECKING:
    from telegram import CallbackQuery, Message, Update, User

OLDEST = 120.0  # seconds; what is older was meant for a moment that has passed
AHEAD = 30.0  # seconds that Telegram's clock may be ahead of ours
LONGEST_NAME = 40  # characters
KINDS = ("message", "callback_query")


class Said(Struct, frozen=True):
    """Somebody on the list typed something."""

    person: Person
    text: str
    reply_to: int | None  # the number of the message that it answers


class Pressed(Struct, frozen=True):
    """Somebody on the list pressed a button."""

    person: Person
    token: str
    query: str
    message_id: int


class Stranger(Struct, frozen=True):
    """Somebody who is not on the list typed something in a private chat: it can only be a code."""

    user: int
    chat: int
    name: str
    text: str


class Nothing(Struct, frozen=True):
    """An update that does nothing. `query` is a press that was too late, whose phone waits for a word."""

    why: str
    query: str | None = None


Heard = Said | Pressed | Stranger | Nothing


def judge(update: "Update", who: Callable[[int], Person | None], *, now: float, since: float) -> Heard:
    """What an update is to the bot.

    `who` finds a person of the list by user id; `now` and `since` are seconds since 1970: a press has no time of its
    own, but it is not older than the last moment at which nothing waited at Telegram.
    """
    if update.message is not None:
        return _message(update.message, who, now)
    if update.callback_query is not None:
        return _press(update.callback_query, who, now, since)
    return Nothing("is of another kind")


def _message(message: "Message", who: Callable[[int], Person | None], now: float) -> Heard:
    user = message.from_user
    if user is None or user.is_bot or message.sender_chat is not None:
        return Nothing("has no person behind it")
    if message.chat.type != "private" or message.chat.id != user.id:
        return Nothing("is not from a private chat")
    if message.forward_origin is not None or message.via_bot is not None or message.is_automatic_forward:
        return Nothing("was written elsewhere")
    if message.edit_date is not None:
        return Nothing("was edited")
    if message.external_reply is not None:
        return Nothing("answers another chat")
    if not message.text:
        return Nothing("has no text")
    age = now - message.date.timestamp()
    if not -AHEAD <= age <= OLDEST:
        return Nothing("is too old")
    person = who(user.id)
    if person is None:
        return Stranger(user.id, message.chat.id, _name(user), message.text)
    if person.chat != message.chat.id:
        return Nothing("is from another chat")
    reply = message.reply_to_message
    return Said(person, message.text, reply.message_id if reply is not None else None)


def _press(query: "CallbackQuery", who: Callable[[int], Person | None], now: float, since: float) -> Heard:
    person = who(query.from_user.id)
    if person is None or query.from_user.is_bot:
        return Nothing("is from a stranger")
    if query.message is None or query.message.chat.type != "private" or query.message.chat.id != person.chat:
        return Nothing("is from another chat")
    if query.inline_message_id is not None or not query.data:
        return Nothing("is not a button of ours")
    if now - since > OLDEST:
        return Nothing("is too old", query=query.id)
    return Pressed(person, query.data, query.id, query.message.message_id)


def _name(user: "User") -> str:
    return " ".join(part for part in (user.first_name, user.last_name) if part)[:LONGEST_NAME] or str(user.id)
