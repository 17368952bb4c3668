"""What is new: the sections of the CHANGELOG that came with this version."""

import re
from pathlib import Path

from msgspec import Struct

FILE = Path(__file__).parents[2] / "CHANGELOG.md"  # beside the package's modules; a checkout has it elsewhere
_HEADING = re.compile(r"^## .*?(\d+(?:\.\d+)+\S*)\s*$")


class Section(Struct, frozen=True):
    version: str
    lines: list[str]


def sections(text: str) -> list[Section]:
    """The versions of a CHANGELOG, the newest first."""
    found: list[Section] = []
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            found.append(Section(heading[1], []))
        elif found and line.strip():
            found[-1].lines.append(line)
    return found


def since(version: str, *, file: Path = FILE) -> list[Section]:
    """What came after `version`; nothing when the CHANGELOG is not there."""
    try:
        known = sections(file.read_text(encoding="utf-8"))
    except OSError:
        return []
    names = [section.version for section in known]
    return known[: names.index(version)] if version in names else known[:1]
