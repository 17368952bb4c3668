"""Asking Telegram for updates, again and again: what is only passing is waited out, the rest ends the bot in words."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any

from locus.local.errors import LocalError
from locus.telegram.inbound import KINDS

if TYPE_CHECKING:
    from telegram import Bot as Api

BATCH = 100  # updates of one answer
POLL = 50  # seconds that Telegram holds back an answer without updates
READ = 15.0  # seconds beyond that without an answer
PAUSES = (1.0, 3.0, 10.0, 30.0)  # seconds before Telegram is asked again after it could not be reached


class Conflict(LocalError):
    """Another program asks Telegram for the updates of the same bot."""


async def batches(api: "Api", offset: Callable[[], int]) -> AsyncIterator[Sequence[dict[str, Any]]]:
    """Updates from the number `offset` on, as they came. Raises Conflict, InvalidToken."""
    from telegram.error import Conflict as Taken, EndPointNotFound, InvalidToken, NetworkError, RetryAfter

    failures, patience = 0, 0
    while True:
        # The first answer after a silence comes at once: nobody could tell whether a button was pressed before or now.
        asked = {"offset": offset(), "limit": BATCH, "timeout": patience, "allowed_updates": list(KINDS)}
        try:
            # Not `get_updates`: one update of a shape that the library does not know would keep all others away.
            updates = await api.do_api_request("getUpdates", api_kwargs=asked, read_timeout=POLL + READ)
        except Taken as e:
            raise Conflict(
                f"Another program takes the updates of this bot: {e.message}",
                remedy="Stop it, or give this machine a bot of its own.",
            ) from e
        except (InvalidToken, EndPointNotFound) as e:
            raise InvalidToken from e.with_traceback(None)
        except RetryAfter as e:
            seconds = e.retry_after
            await asyncio.sleep(seconds if isinstance(seconds, int | float) else seconds.total_seconds())
        except NetworkError:
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures, patience = failures + 1, 0
        else:
            failures, patience = 0, POLL
            yield updates
