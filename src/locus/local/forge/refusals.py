"""What an answer of GitHub that is no success means. Decided by status and structure, hardly ever by wording."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import msgspec

from locus.local.forge.base import ForgeError, Reason

LONGEST_WAIT = 3600.0  # seconds; GitHub's own window
TEXT_LIMIT = 300  # characters of the forge's words


class _Problem(msgspec.Struct):
    message: str = ""
    field: str = ""


class _Refusal(msgspec.Struct):
    message: str = ""
    errors: list[_Problem | str] = []


# What an answer of GraphQL with errors would be as the status of one of REST.
_STATUS = {
    "RATE_LIMITED": 429,
    "FORBIDDEN": 403,
    "INSUFFICIENT_SCOPES": 403,
    "NOT_FOUND": 404,
    "SERVICE_UNAVAILABLE": 503,
}


def error_in(kinds: Sequence[str], messages: Sequence[str]) -> ForgeError:
    """Return the error that an answer of GraphQL means, which has one or more."""
    status = next((_STATUS[kind] for kind in kinds if kind in _STATUS), 200)
    if status == 200 and any("something went wrong" in message.lower() for message in messages):
        status = 502  # how it says that it took too long
    body = msgspec.json.encode(
        {"message": "; ".join(message for message in messages if message) or "There was an error."}
    )
    return error_of(status, {}, body)


def error_of(status: int, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> ForgeError:
    """Return the error that an answer means. `now` is in seconds since the epoch."""
    refusal = _read(body)
    said = f"GitHub says: {_words(refusal)}" if refusal and _words(refusal) else f"GitHub answered with {status}."
    wait = _wait(headers, now if now is not None else time.time())
    if status == 429 or (status == 403 and (wait is not None or "rate limit" in said.lower())):
        wait = wait or 60.0
        minutes = math.ceil(wait / 60)
        return ForgeError(
            f"{said} (rate limit)",
            reason=Reason.RATE_LIMITED,
            remedy=f"Try again in {minutes} minute{'s' * (minutes != 1)}.",
            retry_after=wait,
        )
    if status == 401:
        return ForgeError(
            f"GitHub does not accept the token. {said}",
            reason=Reason.AUTH,
            remedy="Sign in again with gh auth login, or renew GITHUB_TOKEN.",
        )
    if status == 403:
        return ForgeError(
            f"The token may not do this. {said}",
            reason=Reason.FORBIDDEN,
            remedy="It needs write access to pull requests and contents of this repository.",
        )
    if status in (404, 410):
        return ForgeError(
            f"GitHub does not show us the repository. {said}",
            reason=Reason.NOT_FOUND,
            remedy="Look at the address of the remote, and whether the token has access to it.",
        )
    if status == 422:
        exists = "already exists" in said
        return ForgeError(said, reason=Reason.EXISTS if exists else Reason.INVALID)
    if status >= 500 or status == 408:
        return ForgeError(
            f"GitHub has trouble at the moment ({status}).",
            reason=Reason.UNREACHABLE,
            remedy="Try again later.",
            retry_after=wait,
        )
    return ForgeError(said, reason=Reason.OTHER)


def _read(body: bytes) -> _Refusal | None:
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except msgspec.DecodeError:  # a page of a proxy, or nothing
        return None


def _words(refusal: _Refusal) -> str:
    texts = [refusal.message, *(e if isinstance(e, str) else e.message or e.field for e in refusal.errors)]
    joined = "; ".join(text for text in texts if text)
    return " ".join("".join(char if char.isprintable() else " " for char in joined).split())[:TEXT_LIMIT]


def _wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait as the headers say, or None when they say nothing."""
    after = headers.get("retry-after", "")
    if after.isdigit():
        return min(float(after), LONGEST_WAIT)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return min(max(float(reset) - now, 1.0), LONGEST_WAIT)
    return None
