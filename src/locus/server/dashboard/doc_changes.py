"""What changed between two versions of a doc, line by line."""

import difflib
from dataclasses import dataclass

AROUND = 3  # unchanged lines that are shown before and after a change
MOST = 2_000  # lines of a text that are compared one by one; a longer one is shown as a whole


@dataclass(frozen=True)
class Line:
    """`sign` is "+", "-", " ", or "…" for lines that are left out."""

    sign: str
    text: str


def between(before: str, after: str) -> list[Line]:
    """The changed lines with some around them; empty when nothing changed."""
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        return []
    if len(old) > MOST or len(new) > MOST:
        return [Line("…", f"{len(old):,} lines became {len(new):,}: too many to compare here.")]
    found: list[Line] = []
    for line in list(difflib.unified_diff(old, new, n=AROUND, lineterm=""))[2:]:
        if line.startswith("@@"):
            if found:
                found.append(Line("…", ""))
        else:
            found.append(Line(line[0], line[1:]))
    return found
