"""Secrets that a browser or a mail carries for a while: 256 random bits, of which the database has the SHA-256."""

import hashlib
import re
import secrets

FORM = re.compile(r"[A-Za-z0-9_-]{43}\Z")


def new_token() -> str:
    """A new secret, safe in addresses and cookies."""
    return secrets.token_urlsafe(32)


def is_token(given: str) -> bool:
    """Whether it can be one at all."""
    return FORM.match(given) is not None


def hashed(token: str) -> bytes:
    """What is stored of a token, and what it is looked up by."""
    return hashlib.sha256(token.encode()).digest()
