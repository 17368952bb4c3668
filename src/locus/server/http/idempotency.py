"""Idempotency: a POST that is sent twice with one Idempotency-Key happens once, and both get the same answer."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from locus.server.db.pool import Db
from locus.server.errors import Invalid
from locus.server.http.conditional import etag
from locus.server.http.requests import IDEMPOTENCY_KEY, Request, idempotency_key

# A second request with the same key waits here until the first has been committed or undone.
RESERVE = """
    INSERT INTO idempotency_keys (principal_id, route, key, body_sha256) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING true
"""
REMEMBER = """
    UPDATE idempotency_keys SET status = $4, answer = $5, etag = $6 WHERE principal_id = $1 AND route = $2 AND key = $3
"""
RECALL = """
    SELECT body_sha256, status, answer, etag FROM idempotency_keys WHERE principal_id = $1 AND route = $2 AND key = $3
"""

T = TypeVar("T", bound=msgspec.Struct)


class Caller(Protocol):
    @property
    def id(self) -> UUID: ...


@dataclass(frozen=True)
class Seal:
    """Hides a stored answer from everyone but the caller: with it, an answer may hold a secret."""

    secret: bytes

    def __call__(self, answer: bytes) -> bytes:
        nonce = secrets.token_bytes(32)
        return nonce + self._mixed(nonce, answer)

    def opened(self, sealed: bytes) -> bytes:
        return self._mixed(sealed[:32], sealed[32:])

    def _mixed(self, nonce: bytes, text: bytes) -> bytes:
        # A key stream that is used once, from the caller's own 178 random bits, which are nowhere in the database.
        stream = hashlib.shake_256(b"locus-idempotency\0" + nonce + self.secret).digest(len(text))
        return bytes(a ^ b for a, b in zip(text, stream, strict=True))


async def once(
    db: Db,
    request: Request,
    principal: Caller,
    act: Callable[[], Awaitable[T]],
    *,
    status: int = 201,
    seal: Seal | None = None,
) -> Response[T]:
    """Answer with what `act` returns; when the same request was answered before, with that answer instead.

    `db` is the transaction in which `act` makes its change, so that the change and the memory of it stand or fall
    together; a refusal is not remembered. With `seal`, the stored answer can be read by the same caller only.

    Raises:
        Invalid: the key was used before with another body.
    """
    key = idempotency_key(request)
    if key is None:
        result = await act()
        return answered(msgspec.json.encode(result), status, tag_of(result))
    body = hashlib.sha256(await request.body()).digest()
    route = f"{request.method} {request.scope['path']}"
    if not await db.fetchval(RESERVE, principal.id, route, key, body):
        return await recalled(db, principal, route, key, body, seal)
    result = await act()
    answer, tag = msgspec.json.encode(result), tag_of(result)
    await db.execute(REMEMBER, principal.id, route, key, status, seal(answer) if seal else answer, tag)
    return answered(answer, status, tag)


async def recalled(db: Db, principal: Caller, route: str, key: str, body: bytes, seal: Seal | None) -> Response[Any]:
    row = await db.fetchrow(RECALL, principal.id, route, key)
    if row is None or row["body_sha256"] != body:
        raise Invalid(
            f"This {IDEMPOTENCY_KEY} was used before with another body. Use a new key for a new request.",
            code="idempotency_key_reused",
        )
    answer = seal.opened(row["answer"]) if seal else row["answer"]
    return answered(answer, row["status"], row["etag"], {"Idempotency-Replayed": "true"})


def tag_of(result: msgspec.Struct) -> str | None:
    version = getattr(result, "version", None)
    return etag(version) if isinstance(version, int) else None


def answered(body: bytes, status: int, tag: str | None, headers: dict[str, str] | None = None) -> Response[Any]:
    sent = dict(headers or {})
    if tag:
        sent["ETag"] = tag
    return Response(body, status_code=status, media_type="application/json", headers=sent)
