"""Protected files: what only a person may change, because it decides what agents and machines will do next."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase, translate


def touched(paths: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The changed `paths` that a protected pattern covers, in order.

    A pattern is a path of the repository, with `*` within a folder and `**` across folders; one without a slash covers
    that name in every folder. What covers a folder covers what is in it. Case is ignored: on some file systems
    `.CLAUDE/` is `.claude/`.
    """
    names: list[str] = []
    places: list[list[str]] = []
    for pattern in patterns:
        anywhere, parts = _read(pattern)
        if anywhere and len(parts) == 1:
            names.append(translate(parts[0]))
        else:
            places.append(["**", *parts] if anywhere else parts)
    # A change can have a hundred thousand paths, and most patterns are names: one look for all of them.
    name = re.compile("|".join(names) or r"(?!)")

    def covered(path: str) -> bool:
        parts = path.lower().split("/")
        return any(map(name.match, parts)) or any(_covers(place, parts) for place in places)

    return [path for path in paths if covered(path)]


def _read(pattern: str) -> tuple[bool, list[str]]:
    """Whether it holds in every folder, and its parts without the ends that go without saying."""
    parts = pattern.lower().strip("/").split("/")
    anywhere = len(parts) == 1 and "/" not in pattern.rstrip("/")
    while parts and parts[0] == "**":
        anywhere = True
        del parts[0]
    while parts and parts[-1] == "**":
        del parts[-1]
    return anywhere, parts


def _covers(pattern: Sequence[str], path: Sequence[str]) -> bool:
    if not pattern:
        return True  # a folder covers what is in it
    if not path:
        return False
    if pattern[0] == "**":
        return _covers(pattern[1:], path) or _covers(pattern, path[1:])
    return fnmatchcase(path[0], pattern[0]) and _covers(pattern[1:], path[1:])
