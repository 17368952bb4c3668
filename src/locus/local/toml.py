"""TOML files that people write: read with messages that name file, line and the key that was probably meant."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from locus.local.errors import LocalError


def parse(text: str, path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises LocalError that says where it is broken."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise LocalError(f"{path} is not valid TOML: {e}.", remedy="Mend that line.") from e


def where(text: str, path: Path, key: str) -> str:
    """`path:line` of a dotted key, or `path` when the line cannot be told."""
    *section, last = key.split(".")
    current: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            current = [part.strip().strip("\"'") for part in header[1].split(".")]
            if current == [*section, last]:
                return f"{path}:{number}"
        elif (assigned := re.match(r"\s*([^=#]+?)\s*=", line)) and [
            *current,
            *(part.strip().strip("\"'") for part in assigned[1].split(".")),
        ][: len(section) + 1] == [*section, last]:
            return f"{path}:{number}"
    return str(path)


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Every value with its dotted key; a table without entries counts as a value."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def unknown(key: str, known: Iterable[str], *, text: str, path: Path) -> LocalError:
    """The error for a key that nobody reads."""
    names = list(known)
    # The last part alone, too: people put the right key into the wrong section.
    tails = {name.rsplit(".", 1)[-1]: name for name in names}
    close = get_close_matches(key, names, n=1) or [
        tails[tail] for tail in get_close_matches(key.rsplit(".", 1)[-1], tails, n=1)
    ]
    remedy = f"Did you mean `{close[0]}`?" if close else f"Known keys: {', '.join(sorted(names))}."
    return LocalError(f"{where(text, path, key)}: there is no setting `{key}`.", remedy=remedy)
