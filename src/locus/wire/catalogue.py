"""Every field that can cross between a machine and the server, as a list that a person can read through.

`python -m locus.wire.catalogue > docs/wire.json` writes it anew; a test compares.
"""

import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Struct

from locus.wire import (
    agents,
    audit,
    base,
    docs,
    events,
    people,
    plans,
    problems,
    reports,
    sprints,
    tasks,
    work,
    workspaces,
)

MODULES: tuple[ModuleType, ...] = (
    agents,
    audit,
    docs,
    events,
    people,
    plans,
    problems,
    reports,
    sprints,
    tasks,
    work,
    workspaces,
)

# What a schema says beside the kind of value.
LIMITS = (
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "format",
    "enum",
)


def messages() -> list[type[Struct]]:
    """Every type that crosses, in the order of names."""
    found = {
        kind
        for module in MODULES
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Struct) and kind.__module__ == module.__name__
    }
    return sorted(found, key=lambda kind: kind.__name__)


def catalogue() -> list[dict[str, Any]]:
    """One entry for each field of each type: who sends it, its kind of value and its limits."""
    _, components = msgspec.json.schema_components(messages())
    return [entry for kind in messages() for entry in entries(kind, components)]


def entries(kind: type[Struct], components: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = components[kind.__name__]
    sender = "machine" if issubclass(kind, base.Request) else "server"
    for field, value in schema["properties"].items():
        yield {
            "type": kind.__name__,
            "field": field,
            "sent_by": sender,
            "required": field in schema.get("required", []),
            **described(value, components),
        }


def described(value: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The kind of value in words, and its limits."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        target = components[name]
        return {"value": name} | ({"enum": target["enum"]} if "enum" in target else {})
    if "anyOf" in value:
        parts = [described(part, components) for part in value["anyOf"]]
        rest = {key: part[key] for part in parts for key in part if key != "value"}
        return {"value": " or ".join(part["value"] for part in parts)} | rest
    limits = {limit: value[limit] for limit in LIMITS if limit in value}
    if value.get("type") == "array":
        item = described(value["items"], components)
        return {"value": f"list of {item.pop('value')}"} | limits | ({"each": item} if item else {})
    return {"value": value.get("type", "anything")} | limits


def text() -> str:
    """The list as it is kept in docs/wire.json: one line for each field."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in catalogue())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    sys.stdout.write(text())
