"""What can be said to the bot: a closed list of commands, each with a grammar for its arguments. Pure.

A message becomes an `Order` of typed values or is refused; nothing of it is ever split, quoted or looked up again. A
free text is one value, and only the commands that ask for one have it.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from locus.local.project import CHECK_NAME
from locus.wire.tasks import Status

MOST_SHOWN = 20  # events, commits or pull requests that one message lists
LONGEST_TEXT = 4000  # characters; a message has at most 4,096
MOST_MUTED = 7 * 24 * 60  # minutes

_COMMAND = re.compile(r"/([a-z0-9_]{1,32})(?:@([A-Za-z0-9_]{3,32}))?(?=\s|$)")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]{0,9}-[0-9]{1,9}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
_LENGTH = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


class Refused(Exception):
    """Why a message is no order, in words for who sent it."""


class Notice(StrEnum):
    """The kinds of news that the bot tells unasked."""

    REVIEW = "review"  # a task can be judged
    PLAN = "plan"  # a plan waits for a decision
    BLOCKED = "blocked"  # a task waits for a person
    HELD = "held"  # its change waits for a person
    EXHAUSTED = "exhausted"  # every attempt failed
    PARKED = "parked"  # an agent waits for a usage limit to end
    BUDGET = "budget"  # a limit of turns or money was reached
    FINISHED = "finished"  # a run has ended, or a pull request is there
    LOST = "lost"  # an agent has not been heard of, and its task was given back


class Delivery(StrEnum):
    """How news of one kind is delivered."""

    ON = "on"
    OFF = "off"
    DIGEST = "digest"


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command with its arguments. Which of them are there is a matter of the command's grammar."""

    verb: str
    key: str | None = None  # of a task
    number: int | None = None
    word: str | None = None  # one of a list that the grammar closes, or a name
    text: str | None = None
    minutes: int | None = None


class Spec(Struct, frozen=True):
    """A command: how it is written, what it does, and the grammar of its arguments."""

    name: str
    usage: str
    help: str
    parse: Callable[[str, str], Order]
    section: str
    listed: bool = True  # in the menu that Telegram shows


# ---- grammars: each takes the verb and everything behind it


def nothing(verb: str, rest: str) -> Order:
    _words(rest, 0)
    return Order(verb=verb)


def count(default: int) -> Callable[[str, str], Order]:
    def parse(verb: str, rest: str) -> Order:
        words = _words(rest, 1)
        number = _number(words[0]) if words else default
        if number > MOST_SHOWN:
            raise Refused(f"At most {MOST_SHOWN}.")
        return Order(verb=verb, number=number)

    return parse


def maybe_number(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    return Order(verb=verb, number=_number(words[0].removeprefix("#")) if words else None)


def number(verb: str, rest: str) -> Order:
    order = maybe_number(verb, rest)
    if order.number is None:
        raise Refused("It needs a number.")
    return order


def sprint(verb: str, rest: str) -> Order:
    return nothing(verb, "") if rest.strip().lower() == "active" else maybe_number(verb, rest)


def key(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    return Order(verb=verb, key=_key(words[0] if words else ""))


def key_and_text(verb: str, rest: str) -> Order:
    first, text = _first(rest)
    return Order(verb=verb, key=_key(first), text=_text(text, "what is missing"))


def key_and_maybe_text(verb: str, rest: str) -> Order:
    first, text = _first(rest)
    return Order(verb=verb, key=_key(first), text=_text(text, "") if text.strip() else None)


def subject(verb: str, rest: str) -> Order:
    """A task's key, or the number of a plan."""
    words = _words(rest, 1)
    return _subject(verb, words[0] if words else "")


def maybe_subject(verb: str, rest: str) -> Order:
    """A task's key, the number of a pull request, or nothing."""
    words = _words(rest, 1)
    return _subject(verb, words[0].removeprefix("#"), "pull request") if words else Order(verb=verb)


def subject_and_text(verb: str, rest: str) -> Order:
    first, text = _first(rest)
    subject = _subject(verb, first)
    return msgspec.structs.replace(subject, text=_text(text, "what is missing"))


def status(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    if not words:
        return Order(verb=verb)
    word = words[0].upper().replace("-", "_")
    word = {"REVIEW": "IN_REVIEW", "WORKING": "IN_PROGRESS"}.get(word, word)
    if word not in Status.__members__:
        raise Refused(f"A status is one of {', '.join(s.value.lower() for s in Status)}.")
    return Order(verb=verb, word=word)


def text(what: str) -> Callable[[str, str], Order]:
    return lambda verb, rest: Order(verb=verb, text=_text(rest, what))


def git(verb: str, rest: str) -> Order:
    words = _words(rest, 2)
    match words:
        case [] | ["status"]:
            return Order(verb=verb, word="status")
        case ["log"]:
            return Order(verb=verb, word="log", number=10)
        case ["log", many] if _NUMBER.fullmatch(many) and int(many) <= MOST_SHOWN:
            return Order(verb=verb, word="log", number=int(many))
        case ["diff"] | ["diff", "--stat"]:
            return Order(verb=verb, word="diff")
        case ["branch"] | ["push"]:
            return Order(verb=verb, word=words[0])
        case _:
            raise Refused("It knows status, log [N], diff --stat, branch and push, and nothing else of git.")


def check(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    if words and not CHECK_NAME.fullmatch(words[0]):
        raise Refused("A check has a name of a-z, 0-9, '.', '_' and '-', as in .locus/config.toml.")
    return Order(verb=verb, word=words[0] if words else None)


def project(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    if words and not _NAME.fullmatch(words[0]):
        raise Refused("A project has a name of a-z, 0-9, '_' and '-'.")
    return Order(verb=verb, word=words[0] if words else None)


def mute(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    if not words:
        return Order(verb=verb, minutes=60)
    if words == ["off"]:
        return Order(verb=verb, minutes=0)
    found = _LENGTH.fullmatch(words[0])
    minutes = int(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]] if found else 0
    if not 0 < minutes <= MOST_MUTED:
        raise Refused("Say how long, up to 7 days: 30m, 2h, 1d; or off.")
    return Order(verb=verb, minutes=minutes)


def quiet(verb: str, rest: str) -> Order:
    words = _words(rest, 1)
    if words and words != ["off"] and not _HOURS.fullmatch(words[0]):
        raise Refused("Say from when until when: 22:00-07:00; or off.")
    return Order(verb=verb, word=words[0] if words else None)


def notify(verb: str, rest: str) -> Order:
    words = _words(rest, 2)
    if not words:
        return Order(verb=verb)
    if len(words) == 2 and words[0] == "at":
        if not _CLOCK.fullmatch(words[1]):
            raise Refused("Say when digests come: /notify at 08:30.")
        return Order(verb=verb, word="at", text=words[1])
    if len(words) != 2 or words[0] not in set(Notice) or words[1] not in set(Delivery):
        raise Refused(f"Say which news and how: /notify {'|'.join(Notice)} {'|'.join(Delivery)}.")
    return Order(verb=verb, word=words[0], text=words[1])


# ---- pieces


def _words(rest: str, most: int) -> list[str]:
    # Only these two separate: a line break within arguments is no argument, and no end of one.
    if re.search(r"[^\S \t]", rest.strip()) or not rest.strip().isprintable():
        raise Refused("It takes one line of plain words.")
    words = rest.split()
    if len(words) > most:
        raise Refused("That is more than it takes." if most else "It takes nothing behind it.")
    return words


def _first(rest: str) -> tuple[str, str]:
    parts = rest.strip().split(maxsplit=1)
    return (parts[0] if parts else ""), (parts[1] if len(parts) > 1 else "")


def _key(word: str) -> str:
    if not _KEY.fullmatch(word):
        raise Refused("It needs the key of a task, such as AUTH-12.")
    return word.upper()


def _number(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise Refused("It takes a number.")
    return int(word)


def _subject(verb: str, word: str, numbered: str = "plan") -> Order:
    if _KEY.fullmatch(word):
        return Order(verb=verb, key=word.upper())
    if not _NUMBER.fullmatch(word):
        raise Refused(f"It needs the key of a task, such as AUTH-12, or the number of a {numbered}.")
    return Order(verb=verb, number=int(word))


def _text(rest: str, what: str) -> str:
    said = "".join(c for c in rest if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    if not said:
        raise Refused(f"Say {what} behind it.")
    if len(said) > LONGEST_TEXT:
        raise Refused(f"That is longer than {LONGEST_TEXT} characters.")
    return said


def words(text: str) -> str:
    """The words of a reply. Raises Refused."""
    return _text(text, "something")


def parse(message: str, commands: Mapping[str, Spec], *, bot: str) -> Order | None:
    """The order of a message; None when it is no command, or one for another bot. Raises Refused."""
    found = _COMMAND.match(message)
    if found is None:
        if message.startswith("/"):
            raise Refused("There is no such command. /help lists them.")
        return None
    name, addressed = found[1], found[2]
    if addressed is not None and addressed.casefold() != bot.casefold():
        return None
    spec = commands.get(name)
    if spec is None:
        raise Refused(f"There is no command /{name}. /help lists them.")
    try:
        return spec.parse(name, message[found.end() :])
    except Refused as e:
        raise Refused(f"{e} Write it as: {spec.usage}") from None
