"""The form of an API key: `lcs_`, 30 random characters, and 6 that check them, so that a typo needs no query."""

import hashlib
import secrets
import zlib

PREFIX = "lcs_"
RANDOM = 30  # base62 characters: 178 bits
CHECK = 6
LENGTH = len(PREFIX) + RANDOM + CHECK
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HINT = len(PREFIX) + 6  # characters that may be shown, to tell keys apart


def new_secret() -> str:
    """A new API key."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return PREFIX + body + checksum(body)


def checksum(body: str) -> str:
    """CRC32 of the random part in base62, six characters."""
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def is_key(secret: str) -> bool:
    """Whether it can be a key at all: the form and the checksum are right."""
    if len(secret) != LENGTH or not secret.startswith(PREFIX) or not secret.isascii():
        return False
    body = secret[len(PREFIX) : -CHECK]
    return body.isalnum() and secrets.compare_digest(checksum(body), secret[-CHECK:])


def hashed(secret: str) -> bytes:
    """What is stored of a key, and what it is looked up by."""
    return hashlib.sha256(secret.encode("ascii")).digest()


def hint(secret: str) -> str:
    """The beginning of a key, which tells it from others and opens nothing."""
    return secret[:HINT]
