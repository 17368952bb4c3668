"""Telegram's own library, loaded only here and where its types are used, and kept from writing the token anywhere."""

import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from locus.client.address import is_loopback
from locus.local.errors import LocalError, Usage

if TYPE_CHECKING:
    from telegram import Bot

READ = 15.0  # seconds without an answer
CONNECT = 10.0  # seconds
CONNECTIONS = 8


class NotInstalled(LocalError):
    """The extra is missing."""


def check_address(api: str) -> str:
    """The address of a Bot API: https, or http on this machine. Raises Usage."""
    from urllib.parse import urlsplit

    parts = urlsplit(api)
    here = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if (parts.scheme != "https" and not here) or not parts.hostname or parts.query or parts.username:
        raise Usage("The Bot API's address must be an https URL, or http on this machine.")
    return api.rstrip("/")


@asynccontextmanager
async def connected(token: str, api: str) -> "AsyncIterator[Bot]":
    """An open connection to the bot of this token. Raises LocalError, which never quotes the token."""
    try:
        from telegram.error import InvalidToken, TelegramError
        from telegram.request import HTTPXRequest
        from telegram.warnings import PTBUserWarning

        from telegram import Bot
    except ImportError as e:
        raise NotInstalled(
            "The Telegram bot is not installed here.", remedy="Install it: pip install 'locusai[telegram]'"
        ) from e
    # Addresses of requests hold the token, and these write them down.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # It advises against raw answers, which are wanted here.
    warnings.simplefilter("ignore", PTBUserWarning)
    # What is on this machine is asked directly, whatever proxy the environment names.
    options = {"trust_env": False} if api.startswith("http:") else {}
    bot = Bot(
        token,
        base_url=f"{api}/bot",
        request=HTTPXRequest(
            CONNECTIONS, read_timeout=READ, connect_timeout=CONNECT, pool_timeout=READ, httpx_kwargs=options
        ),
        get_updates_request=HTTPXRequest(1, read_timeout=READ, connect_timeout=CONNECT, httpx_kwargs=options),
    )
    try:
        await bot.initialize()
    except InvalidToken:
        raise LocalError(
            "Telegram does not know this token.", remedy="Ask @BotFather for it: /mybots, then API Token."
        ) from None
    except TelegramError as e:
        words = e.message.replace(token, "…")
        raise LocalError(f"Telegram cannot be reached: {words}", remedy="Check the network, then try again.") from None
    try:
        yield bot
    finally:
        await bot.shutdown()
