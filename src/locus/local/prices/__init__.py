"""What models cost: one list with a date, prices.toml, and the user's own beside it, which wins.

The list is read when a cost is first asked for. A model that is in neither has no price, and nobody guesses one.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from locus.local import files as own_files, toml
from locus.local.errors import LocalError

MILLION = 1_000_000
NUMBERS = ("input", "cached", "written", "output")
# What is said around a model's name: who sells it, a date, a variant of the same price.
AROUND = re.compile(r"^(?:.*[/.])?(?=(?:claude|gpt|codex)-)|\[\w+\]$|-latest$|[-@]20\d{2}-?\d{2}-?\d{2}(?:-v\d.*)?$")


class Price(Struct, frozen=True):
    """US dollars for a million tokens of each kind."""

    input: float
    cached: float
    written: float
    output: float
    above: int | None = None
    """Tokens of input above which an answer costs as in `long`."""
    long: "Price | None" = None

    def of(self, *, input: int, cached: int, written: int, output: int) -> float:
        """US dollars of one answer; `input` is all of it, `cached` and `written` are parts of that."""
        if self.long is not None and self.above is not None and input > self.above:
            return self.long.of(input=input, cached=cached, written=written, output=output)
        fresh = max(input - cached - written, 0)
        spent = fresh * self.input + cached * self.cached + written * self.written + output * self.output
        return spent / MILLION


class PriceList(Struct, frozen=True):
    """Prices by the name of a model, and the day on which they were so."""

    as_of: date
    source: str
    models: Mapping[str, Price]

    def find(self, model: str | None) -> Price | None:
        """The price of a model, whoever sells it and whichever date its name carries; None when it is not known."""
        if model is None:
            return None
        name = model.lower()
        while (shorter := AROUND.sub("", name)) != name:
            if name in self.models:
                break
            name = shorter
        return self.models.get(name)


@cache
def shipped() -> PriceList:
    """The list that comes with this version."""
    path = files("locus.local.prices") / "prices.toml"
    return _list(toml.parse(path.read_text(encoding="utf-8"), Path("prices.toml")), Path("prices.toml"))


def load(own: Path) -> PriceList:
    """The list that comes with this version, with the user's own prices from the file `own`, if there is one.

    Raises LocalError when that file says something else than prices.
    """
    text = own_files.read(own)
    if text is None:
        return shipped()
    theirs = _list({"as_of": shipped().as_of, "source": "", **toml.parse(text, own)}, own)
    return replace(shipped(), models={**shipped().models, **theirs.models})


def _list(content: dict[str, Any], path: Path) -> PriceList:
    models = content.get("models", {})
    if not isinstance(models, dict):
        raise _wrong(path, "models", "must be a section")
    prices = {name.lower(): _price(name, value, path) for name, value in models.items()}
    return PriceList(content["as_of"], content["source"], prices)


def _price(name: str, value: object, path: Path) -> Price:
    if not isinstance(value, dict):
        raise _wrong(path, name, "must be a table of prices")
    given = {"written": value.get("input"), "cached": value.get("input"), **value}
    for kind in NUMBERS:
        amount = given.get(kind)
        if not isinstance(amount, int | float) or isinstance(amount, bool) or amount < 0:
            raise _wrong(path, name, f"needs `{kind}`, US dollars for a million tokens")
    above, more = value.get("above"), value.get("long")
    if (above is None) != (more is None) or not isinstance(above, int | None):
        raise _wrong(path, name, "needs `above`, a number of tokens, and `long`, the prices above it, or neither")
    numbers = {kind: float(given[kind]) for kind in NUMBERS}
    return Price(**numbers, above=above, long=None if more is None else _price(name, more, path))


def _wrong(path: Path, name: str, what: str) -> LocalError:
    return LocalError(
        f"{path}: `{name}` {what}.",
        remedy='Write it as: "a-model" = { input = 3, cached = 0.3, output = 15 } below [models].',
    )
