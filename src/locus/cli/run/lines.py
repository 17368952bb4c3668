"""A run as JSON lines: one object for each thing told, with its `kind` first. For programs."""

import re
import sys
from typing import Any

import msgspec

from locus.cli.output import harmless_json
from locus.local.worker import told


class RunLines:
    """Prints what a run tells as JSON, a line each, flushed at once."""

    def __enter__(self) -> "RunLines":
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def tell(self, what: told.Told) -> None:
        sys.stdout.write(harmless_json(msgspec.json.encode(as_document(what)).decode()) + "\n")
        sys.stdout.flush()


def as_document(what: told.Told) -> dict[str, Any]:
    """One told thing as JSON would have it; unions say which of them they are."""
    document = {"kind": kind(what), **msgspec.to_builtins(what)}
    for name in ("event", "outcome"):
        inner = getattr(what, name, None)
        if inner is not None:
            document[name] = {"kind": kind(inner), **document[name]}
    return document


def kind(what: object) -> str:
    """The snake case of a class's name: TaskClaimed is task_claimed."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(what).__name__).lower()
