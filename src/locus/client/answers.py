"""What an answer other than success means, and what it means that there is none: errors with a remedy."""

from itertools import pairwise

import msgspec

from locus.client.errors import BadAnswer, NotSignedIn, PlaneError, Refused, Unreachable, refusal
from locus.client.lean import httpx
from locus.wire.problems import Problem

AGAIN = frozenset({429, 502, 503, 504})
LATER = "Try again in a while; `locus doctor` looks closer."
RIGHT_URL = "Check the URL: `locus config get server`."
NOUNS = {
    "workspaces": "workspace",
    "tasks": "task",
    "sprints": "sprint",
    "docs": "doc",
    "agents": "agent",
    "keys": "key",
    "checklist": "checklist item",
}


def meaning(url: str, response: httpx.Response, body: bytes) -> PlaneError:
    """What an answer other than success means."""
    status = response.status_code
    problem = _problem(response, body)
    if status == 401 and problem:
        return NotSignedIn(f"{url} does not accept the key: {problem.detail}", remedy="Run `locus login`.")
    if status in (502, 503, 504):
        why = problem.detail if problem else response.reason_phrase
        down = Unreachable(f"{url} cannot serve requests now ({status}): {why}", remedy=LATER)
        down.retry_after = _retry_after(response)
        return down
    if status == 429:
        told = problem or Problem(title="Too many requests", status=429, code="busy", detail="Too many requests.")
        busy = refusal(told)
        busy.retry_after = _retry_after(response)
        return busy
    if status >= 500:
        number = response.headers.get("X-Request-ID", "unknown")
        return BadAnswer(
            f"The control plane at {url} failed ({status}).", remedy=f"Its log has it as request {number}."
        )
    if problem and problem.code == "not_found":
        return refusal(msgspec.structs.replace(problem, detail=_missing(response.request.url.path)))
    if problem and status >= 400:
        return refusal(problem)
    if 300 <= status < 400:
        return BadAnswer(f"{url} points elsewhere ({status}), which is not followed.", remedy=RIGHT_URL)
    return BadAnswer(f"{url} does not answer as a control plane does ({status}).", remedy=RIGHT_URL)


def trouble(url: str, error: httpx.HTTPError) -> PlaneError:
    """What it means that there was no answer, or half of one."""
    if isinstance(error, httpx.DecodingError):
        return BadAnswer(f"{url} sent an answer that cannot be read.", remedy=RIGHT_URL)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        why = "does not answer in time" if isinstance(error, httpx.ConnectTimeout) else "cannot be reached"
        if "CERTIFICATE" in str(error).upper():
            return Unreachable(
                f"{url} does not prove who it is: {error}.",
                remedy="Check the URL. For an authority of your own, set SSL_CERT_FILE to its certificate.",
            )
        return Unreachable(f"{url} {why}.", remedy="Start one with `locus up`, or name another with `--server`.")
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"{url} does not answer in time.", remedy=LATER)
    return Unreachable(f"The connection to {url} broke: {type(error).__name__}.", remedy=LATER)


def passing(error: PlaneError) -> bool:
    """Whether the same request may well succeed a moment later."""
    return isinstance(error, Unreachable) or (isinstance(error, Refused) and error.problem.status in AGAIN)


def _problem(response: httpx.Response, body: bytes) -> Problem | None:
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        return None
    try:
        return msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _missing(path: str) -> str:
    """What a 404 is about. The server says the same for everything, so that it tells nobody what exists elsewhere."""
    parts = path.split("/")
    named = [f"{NOUNS[part]} {name}" for part, name in pairwise(parts) if part in NOUNS]
    inner = named[1:] or named
    if not inner:
        return "There is no such thing here."
    if inner[0] == "sprint active":
        return "No sprint is active."
    return f"There is no {' or no '.join(inner)} here."


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks us to wait; a date is not worth its parsing."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
