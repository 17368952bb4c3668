"""Kinds of values: how each is read from text and from TOML, and what it allows."""

import re
import shlex
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from locus.client.address import parse
from locus.client.errors import BadAddress

Value = str | int | float | bool | tuple[str, ...] | None


class Kind(Protocol):
    def from_text(self, text: str) -> Value:
        """A value from the environment or the command line. Raises ValueError with half a sentence: "must be …"."""
        ...

    def from_toml(self, value: object) -> Value:
        """A value from a file. Raises ValueError likewise."""
        ...

    @property
    def allows(self) -> str:
        """For the documentation: what may stand here."""
        ...


class Text(Struct, frozen=True):
    """A word or a few: no control characters, bounded."""

    pattern: str = r"[^\x00-\x1f\x7f]{1,200}"
    allows: str = "text"

    def from_text(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"must be {self.allows}")
        return text

    def from_toml(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be {self.allows}, in quotes")
        return self.from_text(value)


class Url(Struct, frozen=True):
    """The address of a control plane."""

    allows: str = "https URL, or http on this machine"

    def from_text(self, text: str) -> str:
        try:
            return parse(text)
        except BadAddress as e:
            raise ValueError(f"must be an {self.allows} ({e.message.rstrip('.')})") from e

    def from_toml(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be an {self.allows}, in quotes")
        return self.from_text(value)


class Choice(Struct, frozen=True):
    choices: tuple[str, ...]

    @property
    def allows(self) -> str:
        return ", ".join(self.choices[:-1]) + f" or {self.choices[-1]}"

    def from_text(self, text: str) -> str:
        if text not in self.choices:
            raise ValueError(f"must be {self.allows}")
        return text

    def from_toml(self, value: object) -> str:
        return self.from_text(value if isinstance(value, str) else "")


class Whole(Struct, frozen=True):
    """A whole number within a range, with its unit for the documentation."""

    low: int
    high: int
    unit: str = ""

    @property
    def allows(self) -> str:
        return f"whole number, {self.low} to {self.high}{f' {self.unit}' if self.unit else ''}"

    def from_text(self, text: str) -> int:
        # "1_000", " 5 " and "٣" are numbers to int().
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError(f"must be a {self.allows}")
        return self.from_toml(int(text))

    def from_toml(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"must be a {self.allows}")
        return value


class Amount(Struct, frozen=True):
    """An amount with at most two decimals, within a range."""

    low: float
    high: float
    unit: str

    @property
    def allows(self) -> str:
        return f"amount of {self.unit} from {self.low} to {self.high:.0f}, such as 5 or 2.50"

    def from_text(self, text: str) -> float:
        # "1e3", "inf" and "nan" are numbers to float().
        if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,2})?", text):
            raise ValueError(f"must be an {self.allows}")
        return self.from_toml(float(text))

    def from_toml(self, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"must be an {self.allows}")
        return float(value)


class YesNo(Struct, frozen=True):
    allows: str = "true or false"

    def from_text(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError(f"must be {self.allows}")
        return text == "true"

    def from_toml(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be {self.allows}")
        return value


class Several(Struct, frozen=True):
    """A list of texts that each match a pattern; as text, separated as a shell would."""

    pattern: str
    allows: str

    def from_text(self, text: str) -> tuple[str, ...]:
        try:
            return self._checked(shlex.split(text))
        except ValueError as e:
            raise ValueError(f"must be a {self.allows}") from e

    def from_toml(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a {self.allows}")
        return self._checked(value)

    def _checked(self, items: Sequence[object]) -> tuple[str, ...]:
        checked = tuple(item for item in items if isinstance(item, str) and re.fullmatch(self.pattern, item))
        if len(checked) != len(items):
            raise ValueError(f"must be a {self.allows}")
        return checked


class Words(Struct, frozen=True):
    """A command as a list of words; as text, in the quoting of a shell (which never sees it)."""

    allows: str = "list of words"

    def from_text(self, text: str) -> tuple[str, ...]:
        try:
            words = tuple(shlex.split(text))
        except ValueError as e:
            raise ValueError(f"must be a {self.allows}: {e}") from e
        return self._checked(words)

    def from_toml(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise ValueError(f'must be a {self.allows}, as in ["my-agent", "--fast"]')
        return self._checked(tuple(value))

    def _checked(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if not words or not words[0] or any("\0" in word for word in words):
            raise ValueError(f"must be a {self.allows} that begins with a program")
        return words
