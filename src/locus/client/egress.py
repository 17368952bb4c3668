"""What is told of every request before it leaves: the transport asks for somebody to tell, and sends nothing without.

The log that keeps it is locus.local.egress; this side knows only whom to ask.
"""

from typing import Protocol

from msgspec import Struct


class Outgoing(Struct, frozen=True):
    """One request as it is about to be sent. The key is not in it."""

    method: str
    server: str  # the control plane's URL
    path: str
    query: str
    headers: dict[str, str]  # those that differ from request to request
    body: bytes | None


class Egress(Protocol):
    """Writes down what leaves this machine. A request tried three times leaves three times."""

    def sent(self, request: Outgoing) -> int:
        """Write a request down and return its number. Raises NotLogged; then it must not be sent."""
        ...

    def answered(self, number: int, status: int | None) -> None:
        """Note what came back: a status, or None when nothing did."""
        ...
