"""Kinds of arguments: task keys, dates, and words of a closed list, each with a message for people."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

E = TypeVar("E", bound=StrEnum)


class TaskKey(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.5
    """AUTH-12 in any case, or an id."""

    name = "KEY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,9}-[0-9]{1,9}", text):
            return text.upper()
        try:
            return str(UUID(text))
        except ValueError:
            self.fail(f"{text!r} is not the key of a task, such as AUTH-12.", param, ctx)


class SprintName(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.5
    """A number, an id, or one of the words that the option allows."""

    name = "SPRINT"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip().lower().removeprefix("#")
        if text in self.words or re.fullmatch(r"[1-9][0-9]{0,8}", text):
            return text
        try:
            return str(UUID(text))
        except ValueError:
            allowed = ", ".join([*self.words, "a number or an id"])
            self.fail(f"{value!r} is not a sprint. Use {allowed}.", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        return _beginning(self.words, incomplete)


class OneOf(click.ParamType, Generic[E]):  # type: ignore[type-arg]  # as above
    """A member of a closed list, in any case, with - or _; with `none`, also that word."""

    name = "WORD"

    def __init__(self, members: type[E], *, none: bool = False) -> None:
        self.by_word: dict[str, E] = {member.value.lower(): member for member in members}
        self.none = none

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> E | None:
        word = str(value).strip().lower().replace("-", "_")
        if self.none and word == "none":
            return None
        if word not in self.by_word:
            close = get_close_matches(word, self.by_word, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            self.fail(f"{value!r} is not one of {', '.join(self.words)}.{hint}", param, ctx)
        return self.by_word[word]

    @property
    def words(self) -> list[str]:
        return [*self.by_word, *(["none"] if self.none else [])]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(self.words)}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        return _beginning(self.words, incomplete)


class Day(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.5
    """A date as 2026-03-31, or `none`."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | None:
        if isinstance(value, date):
            return value
        text = str(value).strip()
        if text.lower() == "none":
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is not a date such as 2026-03-31.", param, ctx)


def setting_words(name: str) -> "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]":
    """What a shell completes where the words of a setting are meant. For `shell_complete` of an option."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from locus.local.settings import BY_NAME  # only when a shell asks

        return _beginning(getattr(BY_NAME[name].kind, "choices", ()), incomplete)

    return complete


def _beginning(words: Iterable[str], incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem  # as above

    return [CompletionItem(word) for word in words if word.startswith(incomplete.lower())]


TASK = TaskKey()
DAY = Day()
