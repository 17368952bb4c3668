"""A person's phone: a private chat with the bot, typed and pressed by a test."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.telegram import BOT, WAIT, BotApi, Json, Message


@dataclass
class Phone:
    """A user of Telegram in their private chat with the bot."""

    api: BotApi
    user: int = 7
    name: str = "Ada"

    def person(self) -> Json:
        return {
            "id": self.user,
            "is_bot": False,
            "first_name": self.name,
            "username": f"{self.name.lower()}{self.user}",
        }

    def chat(self) -> Json:
        return {"id": self.user, "type": "private", "first_name": self.name}

    def message(self, text: str, *, reply_to: Message | None = None, **more: Any) -> Json:
        """What the body of a typed message looks like."""
        body: Json = {
            "message_id": 1 + len(self.api.calls) + len(self.api.updates),
            "from": self.person(),
            "chat": self.chat(),
            "date": int(time.time()),
            "text": text,
        }
        if text.startswith("/"):
            body["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        if reply_to is not None:
            body["reply_to_message"] = {
                "message_id": reply_to.id,
                "date": int(time.time()),
                "chat": self.chat(),
                "from": BOT,
                "text": reply_to.text,
            }
        return body | more

    def send(self, text: str, *, reply_to: Message | None = None, **more: Any) -> int:
        """Type a message and send it."""
        return self.api.push("message", self.message(text, reply_to=reply_to, **more))

    def press(self, message: Message, label: str, **more: Any) -> int:
        """Press the button of a message that has this label, or begins with it."""
        data = next(data for text, data in message.buttons.items() if text.startswith(label))
        return self.api.push("callback_query", self.pressed(message, data) | more)

    def pressed(self, message: Message, data: str) -> Json:
        query = f"q{time.monotonic_ns()}"
        self.api.queries.add(query)
        return {
            "id": query,
            "from": self.person(),
            "chat_instance": "1",
            "data": data,
            "message": {
                "message_id": message.id,
                "date": int(time.time()),
                "chat": self.chat(),
                "from": BOT,
                "text": message.text,
            },
        }

    async def ask(self, text: str, *, limit: float = WAIT) -> Message:
        """Send a message and return the bot's next one."""
        known = len(self.mine)
        self.send(text)
        return await self.next(after=known, limit=limit)

    async def next(self, *, after: int, limit: float = WAIT) -> Message:
        """The first message beyond the `after` that there were."""
        await self.api.until(lambda: len(self.mine) > after, limit=limit)
        return self.mine[after]

    @property
    def mine(self) -> Sequence[Message]:
        return [message for message in self.api.shown if message.chat == self.user]

    async def sees(self, *words: str, limit: float = WAIT) -> Message:
        """Wait for a message of the bot that holds all these words now, and return the newest such."""

        def found() -> Message | None:
            fitting = [m for m in self.mine if all(word in m.text for word in words)]
            return fitting[-1] if fitting else None

        message: Message = await self.api.until(found, limit=limit)
        return message
