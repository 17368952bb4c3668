"""`locus telegram run`: the bot's parts put together, one bot of an account at a time."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from locus.local import credentials
from locus.local.directories import directories
from locus.local.errors import LocalError
from locus.telegram import account as accounts
from locus.telegram.account import Account, Person
from locus.telegram.api import connected
from locus.telegram.bot import TAKEN_UP, Bot
from locus.telegram.buttons import Buttons
from locus.telegram.commands import COMMANDS
from locus.telegram.desk import Desk
from locus.telegram.enrolment import LASTS, Enrolment
from locus.telegram.inbound import Stranger, judge
from locus.telegram.jobs import Jobs
from locus.telegram.outbox import Outbox
from locus.telegram.projects import Opener, Projects
from locus.telegram.redact import Redactor
from locus.telegram.store import Store

if TYPE_CHECKING:
    from telegram import Bot as Api

LOCK = "bot.lock"
POLL = 5  # seconds of one question during enrolment
LOOK = 0.5  # seconds between looks for somebody whom the running bot has put on the list


class Running(LocalError):
    """A bot of this account runs already."""


@contextmanager
def alone(environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Be the only one who asks Telegram for updates. Raises Running."""
    path = accounts.store_path(environ).with_name(LOCK)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise Running("The bot runs already on this machine.", remedy="See it: locus telegram status") from e
        yield


def is_running(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a bot of this account runs now."""
    try:
        with alone(environ):
            return False
    except Running:
        return True


async def serve(opener: Opener, tell: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGINT or SIGTERM. `opener` opens the control plane of a project, `tell` is for the terminal.

    Raises LocalError when there is no account, another bot runs, or Telegram does not know the token.
    """
    account = accounts.need(environ)

    def current() -> Account:
        return accounts.need(environ)

    with alone(environ):
        store = Store(accounts.store_path(environ))
        try:
            async with connected(account.token, account.api) as api, Projects(current, opener) as projects:
                redact = Redactor(secrets_of(account, environ))
                jobs = Jobs(store, accounts.jobs_path(environ), redact, environ)
                outbox = Outbox(store, redact)
                desk = Desk(current, store, outbox, Buttons(store), projects, jobs)
                await _register(api, webhook=account.webhook is not None)
                names = ", ".join(place.name for place in account.projects) or "no project yet"
                tell(f"@{account.bot} listens, for {len(account.people)} people; projects: {names}.")
                await _until_signalled(
                    Bot(desk, api, lambda stranger: listed(stranger, environ), directories(environ).state)
                )
        finally:
            store.close()


def secrets_of(account: Account, environ: Mapping[str, str]) -> list[str]:
    """What must never be in a message: the bot's token and the keys of control planes."""
    return [account.token, account.token.partition(":")[2], *credentials.secrets(environ=environ)]


async def _register(api: "Api", *, webhook: bool) -> None:
    """Give Telegram the menu of commands. A bot without a menu works as well."""
    from telegram.error import InvalidToken, TelegramError

    from telegram import BotCommand

    try:
        if not webhook:
            await api.delete_webhook()
        await api.set_my_commands([BotCommand(s.name, s.help[:256]) for s in COMMANDS.values() if s.listed])
    except InvalidToken:
        raise
    except TelegramError:
        return


async def _until_signalled(bot: Bot) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(bot.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        if not serving.cancelled():
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


# ---- somebody new


async def enrol(show: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> Person:
    """Show a code, and wait until somebody has typed it to the bot; returns who. Raises LocalError after ten minutes.

    A bot that runs takes the code itself; without one this asks Telegram, and takes up nothing else.
    """
    account = accounts.need(environ)
    store = Store(accounts.store_path(environ))
    try:
        show(Enrolment(store).make())
        async with asyncio.timeout(LASTS):
            if is_running(environ):
                return await _until_listed(account, environ)
            with alone(environ):
                return await _ask(account, store, environ)
    except TimeoutError as e:
        raise LocalError("Nobody has typed the code.", remedy="Try again: locus telegram enrol") from e
    finally:
        store.db.execute("DELETE FROM codes")
        store.close()


async def _until_listed(before: Account, environ: Mapping[str, str]) -> Person:
    known = {person.user: person for person in before.people}
    while True:
        for person in accounts.need(environ).people:
            if known.get(person.user) != person:
                return person
        await asyncio.sleep(LOOK)


async def _ask(account: Account, store: Store, environ: Mapping[str, str]) -> Person:
    from telegram.error import NetworkError

    enrolment = Enrolment(store)
    async with connected(account.token, account.api) as api:
        await api.delete_webhook()
        while enrolment.open:
            try:
                updates = await api.get_updates(offset=int(store.get(TAKEN_UP) or -1) + 1, timeout=POLL)
            except NetworkError:
                await asyncio.sleep(1.0)
                continue
            for update in updates:
                store.put(TAKEN_UP, str(update.update_id))
                heard = judge(update, lambda _: None, now=time.time(), since=0.0)
                if isinstance(heard, Stranger) and enrolment.take(heard.text):
                    person = listed(heard, environ)
                    await api.send_message(person.chat, f"{person.name}, this chat is on the list now. /help")
                    return person
        raise LocalError("The code was typed wrongly too often.", remedy="Try again: locus telegram enrol")


def listed(stranger: Stranger, environ: Mapping[str, str] = os.environ) -> Person:
    """Put who has typed the code on the list."""
    person = Person(user=stranger.user, chat=stranger.chat, name=stranger.name)
    with accounts.changed(environ) as account:
        account.people = [*(one for one in account.people if one.user != person.user), person]
    return person


def add_project(root: Path, name: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Let the bot serve a project; returns its name there. Raises LocalError."""
    with accounts.changed(environ) as account:
        known = next((place for place in account.projects if place.root == str(root)), None)
        if known is not None and name in (None, known.name):
            return known.name
        taken = [place.name for place in account.projects if place.root != str(root)]
        chosen = name or accounts.name_for(root, taken)
        if not accounts.PROJECT_NAME.fullmatch(chosen):
            raise LocalError(f"{chosen!r} is no name for a project.", remedy="Use up to 30 of a-z, 0-9, '_' and '-'.")
        if chosen in taken:
            raise LocalError(f"Another project is called {chosen}.", remedy="Choose another name: --name NAME")
        rest = [place for place in account.projects if place.root != str(root)]
        account.projects = [*rest, accounts.Place(name=chosen, root=str(root))]
        return chosen
