"""Shapes of updates × user × chat × age × seen before: exactly the legal cell acts."""

from itertools import product
from typing import Any

import pytest
from tests.support.telegram import BOT

from locus.telegram.account import Person
from locus.telegram.inbound import Pressed, Said, Stranger, judge
from telegram import Update

NOW = 1_800_000_000
ADA = Person(user=7, chat=7, name="Ada")
OTHER_CHAT = {"id": -100500, "type": "supergroup", "title": "Everybody"}
FORWARD = {"type": "user", "date": NOW, "sender_user": {"id": 7, "is_bot": False, "first_name": "Ada"}}

# What differs from a plain message, or whether it is a message at all. `legal` acts when everything else is right.
SHAPES: dict[str, dict[str, Any]] = {
    "legal": {},
    "forwarded": {"forward_origin": FORWARD},
    "forwarded from a channel": {
        "forward_origin": {"type": "channel", "date": NOW, "chat": {"id": -1, "type": "channel"}, "message_id": 1}
    },
    "automatic forward": {"is_automatic_forward": True},
    "edited in place": {"edit_date": NOW},
    "via a bot": {"via_bot": {"id": 9, "is_bot": True, "first_name": "x"}},
    "as a chat": {"sender_chat": OTHER_CHAT},
    "without text": {"text": None},
    "without a person": {"from": None},
    "from a bot": {"from": {"id": 7, "is_bot": True, "first_name": "x"}},
    "answers another chat": {
        "external_reply": {"origin": FORWARD, "chat": OTHER_CHAT},
    },
}
KINDS = (
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_message",
    "inline_query",
    "my_chat_member",
    "poll",
)
USERS = {"on the list": 7, "stranger": 8}
CHATS = {
    "private": None,
    "group": {**OTHER_CHAT, "type": "group"},
    "supergroup": OTHER_CHAT,
    "other": {"id": 9, "type": "private"},
}
AGES = {"now": 0, "two minutes": 120, "too old": 121, "a day": 86_400, "of the future": -60}


def who(user: int) -> Person | None:
    return ADA if user == ADA.user else None


def message(user: int = 7, chat: dict[str, Any] | None = None, age: int = 0, **more: Any) -> dict[str, Any]:
    person = {"id": user, "is_bot": False, "first_name": "Ada"}
    body = {
        "message_id": 5,
        "from": person,
        "chat": chat or {"id": user, "type": "private"},
        "date": NOW - age,
        "text": "/run",
    }
    return {name: value for name, value in (body | more).items() if value is not None}


def update(kind: str, body: dict[str, Any]) -> Update:
    made = Update.de_json({"update_id": 1, kind: body}, None)
    assert made is not None
    return made


CELLS = list(product(SHAPES, USERS, CHATS, AGES))


def test_exactly_the_legal_cells_of_messages_act() -> None:
    acting = []
    for shape, user, chat, age in CELLS:
        body = message(USERS[user], CHATS[chat], AGES[age], **SHAPES[shape])
        heard = judge(update("message", body), who, now=NOW, since=NOW)
        if isinstance(heard, Said):
            acting.append((shape, user, chat, age))
        elif isinstance(heard, Stranger):
            assert (shape, user, chat) == ("legal", "stranger", "private"), (shape, user, chat, age)

    assert len(CELLS) > 400
    assert acting == [("legal", "on the list", "private", "now"), ("legal", "on the list", "private", "two minutes")]


@pytest.mark.parametrize("kind", KINDS)
def test_updates_of_another_kind_do_nothing(kind: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "inline_query": {
            "id": "1",
            "from": {"id": 7, "is_bot": False, "first_name": "A"},
            "query": "/run",
            "offset": "",
        },
        "poll": {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        },
        "my_chat_member": {
            "chat": {"id": 7, "type": "private"},
            "from": {"id": 7, "is_bot": False, "first_name": "A"},
            "date": NOW,
            "old_chat_member": {"status": "member", "user": BOT},
            "new_chat_member": {"status": "kicked", "user": BOT, "until_date": 0},
        },
    }
    heard = judge(update(kind, bodies.get(kind, message())), who, now=NOW, since=NOW)

    assert not isinstance(heard, Said | Pressed | Stranger)


@pytest.mark.parametrize(
    ("user", "chat", "inline", "waited", "acts"),
    [
        (7, {"id": 7, "type": "private"}, None, 0, True),
        (7, {"id": 7, "type": "private"}, None, 120, True),
        (7, {"id": 7, "type": "private"}, None, 121, False),
        (8, {"id": 7, "type": "private"}, None, 0, False),
        (8, {"id": 8, "type": "private"}, None, 0, False),
        (7, OTHER_CHAT, None, 0, False),
        (7, {"id": 9, "type": "private"}, None, 0, False),
        (7, None, "inline", 0, False),
        (7, None, None, 0, False),
    ],
)
def test_a_press_counts_from_its_person_in_their_chat_while_the_bot_listened(
    user: int, chat: dict[str, Any] | None, inline: str | None, waited: int, acts: bool
) -> None:
    body: dict[str, Any] = {
        "id": "1",
        "from": {"id": user, "is_bot": False, "first_name": "A"},
        "chat_instance": "1",
        "data": "b123",
    }
    if chat is not None:
        body["message"] = {"message_id": 5, "date": NOW, "chat": chat, "text": "x"}
    if inline is not None:
        body["inline_message_id"] = inline
    heard = judge(update("callback_query", body), who, now=NOW, since=NOW - waited)

    assert isinstance(heard, Pressed) == acts
