"""Where a sandbox may connect to, when its network is the provider's: hosts and ports by name, then the addresses."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from msgspec import Struct

Address = IPv4Address | IPv6Address

USUAL_PORTS = (443, 80)
# IPv6 addresses that are IPv4 addresses in disguise: what they stand for decides.
_TRANSLATED = IPv6Network("64:ff9b::/96")


class Destination(Struct, frozen=True):
    """A host, and the port that may be connected to there.

    `near` allows addresses of private networks and of this machine: for what the user named by address, and for the
    service of the model, which may be in the house.
    """

    host: str
    port: int
    near: bool = False

    def takes(self, address: Address) -> bool:
        """Whether a connection to this host may go to this address, which a resolver gave."""
        real = _unwrapped(address)
        if real.is_multicast or real.is_unspecified:
            return False
        if _literal(self.host) is not None:
            return self.near  # the user wrote this very address
        if real.is_link_local:
            return False  # where clouds hand out credentials
        return self.near or real.is_global


def destinations(service: Iterable[str], hosts: Iterable[str]) -> tuple[Destination, ...]:
    """What the addresses of a model's service (URLs) and the user's hosts (`host` or `host:port`) come to."""
    found: list[Destination] = []
    for url in service:
        parts = urlsplit(url)
        if parts.hostname:
            found.append(Destination(parts.hostname.lower(), parts.port or _usual(parts.scheme), near=True))
    for text in hosts:
        parts = urlsplit(f"//{text}")
        name = (parts.hostname or "").lower()
        near = _literal(name) is not None
        found += [Destination(name, port, near=near) for port in ((parts.port,) if parts.port else USUAL_PORTS)]
    return tuple(dict.fromkeys(found))


def admitted(allowed: Iterable[Destination], host: str, port: int) -> Destination | None:
    """The destination that is meant by a host and a port; None when it is not among the allowed ones."""
    name = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    return next((one for one in allowed if (one.host, one.port) == (name, port)), None)


def _usual(scheme: str) -> int:
    return 80 if scheme == "http" else 443


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
