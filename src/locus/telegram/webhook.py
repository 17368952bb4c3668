"""Telegram brings updates instead of being asked for them: a small HTTP server behind a proxy that speaks TLS.

Only requests that repeat the secret of this start are read. An update is answered when it is written down, so one that
was not is brought again, and one that was already does nothing, as with polling.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from locus.client.address import is_loopback
from locus.local.errors import LocalError, Usage
from locus.telegram.account import Webhook
from locus.telegram.inbound import KINDS

if TYPE_CHECKING:
    import h11

    from telegram import Bot as Api

HEADER = b"x-telegram-bot-api-secret-token"
LARGEST = 1 << 20  # bytes of an update
PATIENCE = 20.0  # seconds for a whole request
AT_ONCE = 16  # connections
LOOK = 20.0  # seconds between looks whether something waits at Telegram
CHUNK = 1 << 16  # bytes

Take = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]


def parse(url: str, listen: str) -> Webhook:
    """Where Telegram brings updates to, and where we take them. Raises Usage."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if (parts.scheme != "https" and not local) or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise Usage("The webhook's address must be an https URL, without a query.")
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise Usage(f"{listen!r} is no address to listen on.", remedy="Write HOST:PORT, as in 127.0.0.1:8443.")
    return Webhook(url=url, host=host, port=int(port))


async def receive(api: "Api", hook: Webhook, take: Take, nothing_waits: Callable[[float], None]) -> None:
    """Tell Telegram where to bring updates, and `take` each, until cancelled.

    `nothing_waits` hears the moments, in seconds since 1970, at which Telegram had nothing left to bring.
    Raises LocalError when the port is taken or Telegram does not accept the address, and InvalidToken.
    """
    secret = secrets.token_urlsafe(32)
    server = _Server(urlsplit(hook.url).path or "/", secret.encode(), take)
    try:
        listening = await asyncio.start_server(server.accept, hook.host, hook.port, limit=CHUNK)
    except OSError as e:
        raise LocalError(
            f"The bot cannot listen on {hook.host}:{hook.port}: {e.strerror}.", remedy="Choose another: --listen"
        ) from e
    async with listening:
        await _announce(api, hook, secret)
        while True:
            await _look(api, nothing_waits)
            await asyncio.sleep(LOOK)


async def _announce(api: "Api", hook: Webhook, secret: str) -> None:
    from telegram.error import InvalidToken, NetworkError, TelegramError

    try:
        # One after the other: their order is the order of what a person did.
        await api.set_webhook(hook.url, secret_token=secret, max_connections=1, allowed_updates=list(KINDS))
    except InvalidToken:
        raise
    except (NetworkError, TelegramError) as e:
        raise LocalError(
            f"Telegram does not take this address for a webhook: {e.message}",
            remedy="Check the address, or ask Telegram instead: locus telegram run --poll",
        ) from None


async def _look(api: "Api", nothing_waits: Callable[[float], None]) -> None:
    """A press has no time of its own: it is as old as the last moment at which nothing waited."""
    from telegram.error import InvalidToken, TelegramError

    before = time.time()
    try:
        waiting = (await api.get_webhook_info()).pending_update_count
    except InvalidToken:
        raise
    except TelegramError:
        return
    if not waiting:
        nothing_waits(before)


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Server:
    """Takes requests. `path` is the only address that there is."""

    def __init__(self, path: str, secret: bytes, take: Take) -> None:
        self._path = path.encode()
        self._secret = secret
        self._take = take
        self._order = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._places.locked():
                async with self._places, asyncio.timeout(PATIENCE):
                    writer.write(await self._answer(reader))
                    await writer.drain()
        except (OSError, TimeoutError):
            pass  # it went away, or never said what it wanted
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        import h11

        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=CHUNK)
        try:
            update = self._update(await self._request(connection, reader))
        except _Refused as e:
            return _response(connection, e.status)
        except h11.RemoteProtocolError as e:
            return _response(connection, e.error_status_hint)
        # Until it is written down it is not ours: Telegram brings it again.
        async with self._order:
            await self._take([update])
        return _response(connection, 200)

    async def _request(self, connection: "h11.Connection", reader: asyncio.StreamReader) -> bytes:
        """The body of a request that may be from Telegram. Raises _Refused."""
        import h11

        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(CHUNK))
            elif isinstance(event, h11.Request):
                self._check(event)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST:
                    raise _Refused(413)
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            else:
                raise _Refused(400)

    def _check(self, request: "h11.Request") -> None:
        given = next((value for name, value in request.headers if name == HEADER), b"")
        # Before anything else, and in the same time whatever is wrong with it.
        if not hmac.compare_digest(given, self._secret):
            raise _Refused(403)
        if request.target.partition(b"?")[0] != self._path:
            raise _Refused(404)
        if request.method != b"POST":
            raise _Refused(405)

    def _update(self, body: bytes) -> dict[str, Any]:
        try:
            update = msgspec.json.decode(body)
        except msgspec.DecodeError as e:
            raise _Refused(400) from e
        if not isinstance(update, dict) or type(update.get("update_id")) is not int:
            raise _Refused(400)
        return update


def _response(connection: "h11.Connection", status: int) -> bytes:
    import h11

    if connection.our_state is h11.ERROR or connection.our_state is h11.MUST_CLOSE:
        return b""
    head = h11.Response(status_code=status, headers=[("content-length", "0"), ("connection", "close")])
    return (connection.send(head) or b"") + (connection.send(h11.EndOfMessage()) or b"")
