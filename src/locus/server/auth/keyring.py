"""The keys and sessions in use right now: who holds them."""

from functools import partial

from locus.server.auth import sessions, store, tokens
from locus.server.auth.principals import Person, Principal
from locus.server.auth.remembered import Remembered
from locus.server.auth.secrets import hashed, is_key
from locus.server.db.pool import Pool
from locus.server.errors import Unauthorized


class Keyring:
    """Turns the secrets of keys into principals, and those of sessions into people."""

    def __init__(self, pool: Pool) -> None:
        self._keys: Remembered[Principal] = Remembered(
            partial(store.look_up, pool), lambda principal: store.touch(pool, principal.id)
        )
        self._sessions: Remembered[Person] = Remembered(
            partial(sessions.look_up, pool), lambda person: sessions.touch(pool, person.session_id)
        )

    async def principal(self, secret: str) -> Principal:
        """Who holds this key.

        Raises:
            Unauthorized: nobody may use it; the answer does not tell why.
        """
        principal = await self._keys.get(hashed(secret)) if is_key(secret) else None
        if principal is None:
            raise Unauthorized("The key is unknown, was revoked, or has run out.")
        return principal

    async def person(self, secret: str) -> Person | None:
        """Who is signed in with this session; None when nobody is any more."""
        return await self._sessions.get(tokens.hashed(secret)) if tokens.is_token(secret) else None

    def forget(self) -> None:
        """Look everybody up again at their next request: keys, sessions, members or workspaces have just changed."""
        self._keys.forget()
        self._sessions.forget()
