"""Signing in: from a proven address to a session, whatever proved it."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from locus.server.auth import audit, codes, sessions, users
from locus.server.auth.audit import Action, By
from locus.server.auth.users import User
from locus.server.db.pool import Db, Pool, transaction
from locus.server.errors import Conflict, Invalid
from locus.server.mail import outbox, texts

WRONG = "This code is not right, or too old. Look at the last mail, or ask for a new code."


@dataclass(frozen=True)
class Door:
    """How people come in here."""

    open: bool  # whether anybody may sign up, or only who is invited
    mail_written: asyncio.Event  # wakes whoever sends mail


@dataclass(frozen=True)
class Visit:
    """The browser that somebody signs in with."""

    browser: str
    address: str


async def ask(pool: Pool, door: Door, email: str, visit: Visit) -> str:
    """Send a code to an address and return the secret for the browser's cookie.

    Whether the address has an account shows in nothing but the mail itself.

    Raises:
        TooMany: too many codes were asked for.
    """
    async with transaction(pool) as db:
        asked = await codes.ask(db, email, address=visit.address)
        if await _may_come_in(db, door, email):
            mail = texts.code(email, asked.code, minutes=codes.MINUTES)
        else:
            mail = texts.no_account(email, minutes=codes.MINUTES)
        await outbox.put(db, mail)
    door.mail_written.set()
    return asked.request


async def with_code(pool: Pool, door: Door, request: str | None, typed: str, visit: Visit) -> str:
    """Sign in with a code; the secret of the new session.

    Raises:
        Invalid: the code is wrong, too old, used, or was tried too often: which, is not told.
    """
    email = await codes.prove(pool, request, typed)
    if email is None:
        raise Invalid.field("code", WRONG)
    async with transaction(pool) as db:
        if not await _may_come_in(db, door, email):
            raise Invalid.field("code", WRONG)
        user = await users.by_email(db, email) or await _signed_up(db, email, email.partition("@")[0], visit)
        return await begin(db, user, "code", visit)


async def with_identity(
    pool: Pool, door: Door, provider: str, subject: str, email: str, name: str, visit: Visit
) -> str:
    """Sign in as whom a provider vouches for; `email` is one that the provider has verified.

    Raises:
        Conflict: there is no account, and people come by invitation only.
    """
    async with transaction(pool) as db:
        user = await users.by_identity(db, provider, subject)
        if user is None:
            if not await _may_come_in(db, door, email):
                raise Conflict(
                    f"There is no account for {email} here. Ask an owner or admin to invite this address.",
                    code="no_account",
                )
            user = await users.by_email(db, email) or await _signed_up(db, email, name, visit)
            await users.link(db, provider, subject, user.id)
        return await begin(db, user, provider, visit)


async def begin(db: Db, user: User, method: str, visit: Visit) -> str:
    """A session for somebody who has proved who they are; its secret."""
    author = By("person", user.id, user.name, visit.address)
    await audit.note(db, None, Action.SIGNED_IN, author, user_id=user.id, detail=f"{method}, {visit.browser[:100]}")
    return await sessions.create(db, user.id, method=method, browser=visit.browser, address=visit.address)


async def ask_for_email(pool: Pool, door: Door, user_id: UUID, email: str, visit: Visit) -> str:
    """Send a code to the address that a person wants to have; the secret for the browser's cookie."""
    async with transaction(pool) as db:
        asked = await codes.ask(db, email, address=visit.address, user_id=user_id)
        await outbox.put(db, texts.code(email, asked.code, minutes=codes.MINUTES))
    door.mail_written.set()
    return asked.request


async def change_email(pool: Pool, user_id: UUID, request: str | None, typed: str, author: By) -> str:
    """Give a person the address that a code proves.

    Raises:
        Invalid: the code is not right.
        Conflict: another account has the address.
    """
    email = await codes.prove(pool, request, typed, user_id=user_id)
    if email is None:
        raise Invalid.field("code", WRONG)
    async with transaction(pool) as db:
        if not await users.set_email(db, user_id, email):
            raise Conflict("Another account has this address. Sign in with it instead.", code="email_taken")
        await audit.note(db, None, Action.ACCOUNT_EMAIL, author, user_id=user_id, detail=email)
    return email


async def _may_come_in(db: Db, door: Door, email: str) -> bool:
    # All three are asked whatever the first says: how long an answer takes tells nothing.
    known = await users.by_email(db, email) is not None
    invited = await users.is_invited(db, email)
    return known or invited or door.open


async def _signed_up(db: Db, email: str, name: str, visit: Visit) -> User:
    user = await users.create(db, email, name[:100].strip() or "Somebody")
    author = By("person", user.id, user.name, visit.address)
    await audit.note(db, None, Action.SIGNED_UP, author, user_id=user.id, subject=email)
    return user
