"""Whose bot it is: who may talk to it, which projects it serves. One file of mode 0600.

Its token is in the system's keyring, or in the same file.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from locus.local import files
from locus.local.directories import directories
from locus.local.errors import LocalError, Usage
from locus.telegram import vault

FILE = "telegram.json"
TOKEN = re.compile(r"[0-9]{5,16}:[A-Za-z0-9_-]{30,60}")
PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
API = "https://api.telegram.org"
# What the bot does only when somebody at the terminal has said so.
SWITCHES = {
    "exec": "run a prompt of yours with the agent, in the project's checkout (/exec)",
    "discuss": "discuss with the agent (/discuss)",
    "code": "send code and diffs of the project to Telegram",
}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may talk to the bot: a user, in their own private chat and nowhere else."""

    user: int
    chat: int
    name: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A project of this machine."""

    name: str
    root: str


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where Telegram brings updates to, instead of being asked for them."""

    url: str
    host: str  # where the bot listens, behind whatever answers at `url`
    port: int


class Account(msgspec.Struct, kw_only=True):
    """The file. `repr` must not show the token."""

    version: int = 1
    token: str
    bot: str  # its user name
    api: str = API
    people: list[Person] = []
    projects: list[Place] = []
    switches: list[str] = []
    webhook: Webhook | None = None
    in_keyring: bool = False  # where the token is kept; it is here in memory either way

    def __repr__(self) -> str:
        return f"Account(bot={self.bot!r})"

    def person(self, user: int) -> Person | None:
        return next((one for one in self.people if one.user == user), None)

    def project(self, name: str) -> Place | None:
        return next((one for one in self.projects if one.name == name), None)


def path(environ: Mapping[str, str] = os.environ) -> Path:
    return directories(environ).config / FILE


def store_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The bot's own file of queue, buttons and jobs."""
    return directories(environ).state / "telegram" / "bot.sqlite3"


def jobs_path(environ: Mapping[str, str] = os.environ) -> Path:
    """What jobs have printed, a file each."""
    return directories(environ).state / "telegram" / "jobs"


def read(environ: Mapping[str, str] = os.environ, *, with_token: bool = True) -> Account | None:
    """The account, or None when none was set up; a token in the keyring is left there unless `with_token`.

    Raises LocalError for an unsafe or broken file, and when the keyring does not give the token.
    """
    place = path(environ)
    text = files.read_private(place, secret=True)
    if text is None:
        return None
    try:
        account = msgspec.json.decode(text, type=Account)
    except (msgspec.DecodeError, UnicodeError) as e:
        # The decoder's words may quote the file, and the file holds the token.
        raise LocalError(f"{place} cannot be read.", remedy="Remove it and run `locus telegram setup`.") from e
    if account.version != 1:
        raise LocalError(f"{place} was written by a newer Locus.", remedy="Upgrade Locus.")
    if account.in_keyring and with_token:
        account.token = vault.find(account.bot)
    return account


def need(environ: Mapping[str, str] = os.environ, *, with_token: bool = True) -> Account:
    """The account, as `read` has it. Raises LocalError when none was set up."""
    account = read(environ, with_token=with_token)
    if account is None:
        raise LocalError("This machine has no Telegram bot yet.", remedy="Set one up: locus telegram setup")
    return account


def write(account: Account, environ: Mapping[str, str] = os.environ) -> Path:
    place = path(environ)
    if account.in_keyring:
        account = msgspec.structs.replace(account, token="")
    files.write(place, msgspec.json.format(msgspec.json.encode(account)).decode() + "\n")
    return place


@contextmanager
def changed(environ: Mapping[str, str] = os.environ) -> Iterator[Account]:
    """Read, change inside, write; nobody else changes the file meanwhile. Raises LocalError."""
    with files.locked(path(environ)):
        account = need(environ, with_token=False)
        yield account
        write(account, environ)


def check_token(text: str) -> str:
    """A token as BotFather gives it. Raises Usage, and never quotes it."""
    token = text.strip()
    if not TOKEN.fullmatch(token):
        raise Usage("That is not a bot token.", remedy="@BotFather gives one that looks like 110201543:AAHd…: /newbot")
    return token


def name_for(root: Path, taken: list[str]) -> str:
    """A short name for a project: its folder's, with a number where another has it."""
    base = re.sub(r"[^a-z0-9_-]+", "-", root.name.casefold()).strip("-_")[:24] or "project"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name
