"""A mail server on loopback that keeps what it is sent."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP
from tests.support.polling import until

from locus.server.settings import Relay

CODE = re.compile(r"\b([0-9A-Z]{4}-[0-9A-Z]{4})\b")
LINK = re.compile(r"https?://\S+")


@dataclass
class Postbox:
    """`answers` are what the server says to the next mails instead of taking them."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    tried: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.tried += 1
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    async def to(self, recipient: str, count: int = 1) -> EmailMessage:
        """The last of at least `count` mails to an address, once they are there."""

        async def there() -> bool:
            return len(self._to(recipient)) >= count

        await until(there, limit=30)
        return self._to(recipient)[-1]

    async def code(self, recipient: str, count: int = 1) -> str:
        """The code in the last mail to an address."""
        found = CODE.search(body(await self.to(recipient, count)))
        assert found is not None
        return found[1]

    def _to(self, recipient: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == recipient]


def body(mail: EmailMessage) -> str:
    """The text of a mail."""
    text: str = mail.get_content()
    return text


@asynccontextmanager
async def taking() -> AsyncIterator[tuple[Postbox, Relay]]:
    """A mail server that answers, and how to reach it."""
    postbox = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, hostname="localhost", loop=loop), "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield postbox, Relay(host="127.0.0.1", port=port, sender="locus@example.org")
    finally:
        server.close()
