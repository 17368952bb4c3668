"""Says in words for people what a decoder found wrong with a value."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from locus.server.errors import Invalid
from locus.wire import base
from locus.wire.problems import FieldProblem

AT = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
STEP = re.compile(r"\.?([^.\[\]]+)")
MISSING = re.compile(r"^Object missing required field `(.+)`$")
UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
LENGTH = re.compile(r"^Expected `(str|array|bytes)`(?: \| null)? of length (>=|<=|==) (\d+)$")
RANGE = re.compile(r"^Expected `(?:int|float)`(?: \| null)? (>=|<=|>|<) (-?[\d.]+)$")
KIND = re.compile(r"^Expected `(.+)`, got `(.+)`$")

NOUNS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "an id (UUID)",
    "date": "a date like 2026-01-31",
    "datetime": "a time like 2026-01-31T12:00:00Z",
}
BOUNDS = {">=": "at least", "<=": "at most", "==": "exactly", ">": "more than", "<": "less than"}
# A pattern is for machines; this is what it asks of people.
PATTERNS = {
    base.LINE: "must be one line that begins with a visible character, without control characters",
    base.PROSE: "must not contain the character NUL",
    base.SUMMARY: "must be one line of plain words: letters, digits and the punctuation of prose",
}
LONG_LIST = 12  # values of an enumeration that are still worth listing in a sentence


def refusal(error: msgspec.ValidationError, expected: Any) -> Invalid:
    """The refusal that tells which field of a value, meant to be an `expected`, is wrong and how."""
    match = AT.match(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    steps = [step[1] for step in STEP.finditer(path)]
    if found := MISSING.match(what):
        return told([*steps, found[1]], "is required")
    if found := UNKNOWN.match(what):
        return told([*steps, found[1]], "is not a field that is known here")
    return told(steps, wrong(what, steps, expected))


def told(steps: list[str], message: str) -> Invalid:
    """A refusal naming the field that `steps` lead to; without any, the whole body is meant."""
    field = ".".join(step[:100] for step in steps)
    return Invalid(f"{field or 'The body'} {message}.", errors=[FieldProblem(field=field or "body", message=message)])


def wrong(what: str, steps: list[str], expected: Any) -> str:
    """One of the decoder's sentences in plain words; `steps` lead to the value it is about."""
    if found := LENGTH.match(what):
        unit = "characters" if found[1] == "str" else "entries"
        if (found[2], found[3]) == (">=", "1"):
            return "must not be empty"
        return f"must have {BOUNDS[found[2]]} {found[3]} {unit}"
    if found := RANGE.match(what):
        return f"must be {BOUNDS[found[1]]} {found[2]}"
    if found := KIND.match(what):
        wanted = " or ".join(NOUNS.get(kind, kind) for kind in found[1].split(" | "))
        return f"must be {wanted}, not {NOUNS.get(found[2], found[2])}"
    if what.startswith("Invalid enum value"):
        values = [str(value.value) for kind in reach(expected, steps) for value in choices(kind)]
        return (
            f"must be one of {', '.join(values)}" if 0 < len(values) <= LONG_LIST else "is not one of the known values"
        )
    if what.startswith("Expected `str` matching regex"):
        patterns = [kind.pattern for kind in reach(expected, steps) if isinstance(kind, inspect.StrType)]
        return next((PATTERNS[p] for p in patterns if p in PATTERNS), "has characters that are not allowed here")
    if what == "Invalid UUID":
        return f"must be {NOUNS['uuid']}"
    if what.startswith("Invalid RFC3339") or "timezone" in what:
        return f"must be {NOUNS['datetime' if 'datetime' in what else 'date']}"
    return "is not valid"


def choices(kind: inspect.Type) -> Iterator[Any]:
    if isinstance(kind, inspect.EnumType):
        yield from kind.cls


def reach(expected: Any, steps: list[str]) -> list[inspect.Type]:
    """The types that a value may have where `steps` lead to, starting from an `expected`."""
    here = list(alternatives(inspect.type_info(expected)))
    for step in steps:
        after: list[inspect.Type] = []
        for kind in here:
            if isinstance(kind, inspect.StructType):
                after += [
                    part for field in kind.fields if field.encode_name == step for part in alternatives(field.type)
                ]
            elif isinstance(kind, inspect.ListType):
                after += alternatives(kind.item_type)
        here = after
    return here


def alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from alternatives(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from alternatives(part)
    else:
        yield kind
